"""Settings: one typed object, defaults in code, `KRILL_…` environment variables over them.

`for_service("isp")` reads `KRILL_ISP_…` over `KRILL_…`, so that one service may differ from the rest.
"""

from __future__ import annotations

import os
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

BASE_LEVEL = 2023
"""The API level of the public overview (January 2023): what an installation answers unless told otherwise."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KRILL_", extra="ignore", frozen=True)

    data_dir: Path = Field(
        Path("var"), description="where SQLite files, keys and private servers keep their data"
    )
    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL, `{service}` is the service's name; default: SQLite",
    )
    amqp_uri: SecretStr | None = Field(None, description="RabbitMQ; unset: calls stay in the process")
    bind: str = Field("127.0.0.1:4280", description="address and port of the gateway")
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="proxies in front whose X-Forwarded-… headers hold"
    )
    hosts: str = Field(
        "",
        description="names under which clients reach the gateway, comma separated; `.example.net`: and all "
        "below it. Requests to others are refused; empty: none are",
    )
    timezone: str = Field("Europe/Madrid", description="zone of every timestamp that the API prints")
    api_level: int = Field(BASE_LEVEL, description="year of the API whose members are emitted by default")
    links_prefix: str = Field("/api/v2/cpes", description="prefix of a CPE's `_links`")
    demo: bool = Field(False, description="demo data and the user demo/demo; refused off loopback")
    lab: bool = Field(True, description="in demo mode, simulated equipment that the demo's CPEs hang on")
    secret_key: SecretStr | None = Field(None, description="signs tokens; default: made once under data_dir")
    credentials_key: SecretStr | None = Field(
        None, description="encrypts the passwords of devices; default: made once under data_dir"
    )
    deadline: float = Field(5.0, gt=0, le=120, description="seconds a request may take")
    page_size: int = Field(10, ge=1, le=1000)
    max_page_size: int = Field(1000, ge=1, le=10_000)
    max_body: int = Field(8 * 1024 * 1024, description="bytes of a request body, imports excepted")
    db_pool: int = Field(8, ge=1, description="database connections per process")
    workers: int = Field(10, ge=1, description="calls that one service process handles at a time")
    event_retries: str = Field(
        "1,5,15,60,180,600",
        description="seconds before an event that a handler failed on is tried again; then it is parked",
    )
    event_days: float = Field(30, gt=0, description="days that sent events stay readable in the feed")
    action_timeout: float | None = Field(
        None, ge=1, le=3600, description="seconds that an action may take; default: by its kind"
    )
    action_batch: int = Field(20_000, ge=1, description="the most devices that one bulk action may reach")
    waiters: int = Field(
        4,
        ge=0,
        description="requests per gateway process that may take longer than `deadline`: waits for the end of "
        "an action, bulk requests of many items, and readings of devices. Beyond them the first do not wait, "
        "the second may take no longer, the last are 503",
    )
    poll_interval: float = Field(60, gt=0, description="seconds between two readings of a device")
    trap_bind: str = Field("", description="address:port where a service takes SNMP traps; empty: nowhere")
    webhook_http: bool = Field(False, description="webhooks may have http:// URLs, not only https://")
    webhook_networks: str = Field(
        "",
        description="networks (CIDR, comma separated) that webhooks may reach, over http too, besides the "
        "public Internet",
    )
    metrics_port: int = Field(
        0, ge=0, le=65535, description="health and metrics of a service process; 0: none"
    )
    metrics_host: str = "127.0.0.1"
    log_level: str = "INFO"
    log_json: bool = True
    serial_number_required: bool = Field(True, description="a GPON CPE needs its serial number on creation")
    pppoe_domain: str = Field(
        "", description="when set, PPPoE credentials are made for new CPEs: <cpename>@<domain>"
    )
    google_client_id: str | None = None
    google_client_secret: SecretStr | None = None
    google_metadata_url: str = "https://accounts.google.com/.well-known/openid-configuration"
    microsoft_client_id: str | None = None
    microsoft_client_secret: SecretStr | None = None
    microsoft_metadata_url: str = (
        "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        ZoneInfo(name)
        return name

    @field_validator("webhook_networks")
    @classmethod
    def _networks_are_such(cls, text: str) -> str:
        networks(text)
        return text

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def database(self, service: str) -> str:
        """The SQLAlchemy URL of a service's own database."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / f'{service}.db'}"
        url = self.database_url.get_secret_value()
        if url.startswith(("postgres://", "postgresql://")):
            url = "postgresql+psycopg://" + url.split("://", 1)[1]
        if "{service}" in url:
            return url.replace("{service}", service)
        head, mark, options = url.partition("?")
        return f"{head}_{service}{mark}{options}"

    @property
    def retries(self) -> tuple[float, ...]:
        return tuple(float(one) for one in _parts(self.event_retries))

    @property
    def trusted_hosts(self) -> list[str] | None:
        """The names in `hosts`; None: any."""
        return _parts(self.hosts) or None

    @property
    def amqp(self) -> str | None:
        return self.amqp_uri.get_secret_value() if self.amqp_uri else None

    @property
    def loopback(self) -> bool:
        host = self.bind.rsplit(":", 1)[0].strip("[]")
        return host in ("localhost", "::1") or host.startswith("127.")

    def masked(self) -> dict[str, Any]:
        """Every setting as JSON with secrets as `**********`."""
        return self.model_dump(mode="json")


@cache
def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks from their CIDR forms, comma separated. Raises `ValueError`."""
    return tuple(ip_network(one) for one in _parts(text))


def _parts(text: str) -> list[str]:
    return [part for one in text.split(",") if (part := one.strip())]


@cache
def for_service(service: str) -> Settings:
    """The settings of one service: `KRILL_<SERVICE>_X` wins over `KRILL_X`."""
    prefix = f"KRILL_{service.upper()}_"
    own: dict[str, Any] = {
        key[len(prefix) :].lower(): value for key, value in os.environ.items() if key.startswith(prefix)
    }
    return Settings(**own)
