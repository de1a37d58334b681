"""Structured logs: JSON lines on stderr (or a console form), ours and those of every library through one
formatter.

The request id and the user of the work under way are bound by contextvars, which eventlet keeps per green
thread. Secrets are masked by the name of the member that holds them, and in URLs and `name=value` texts; that
is a net, not a licence to log them.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.common.settings import Settings

MASK = "**********"
SECRETS = "password|passwd|token|secret|community|authorization"
"""What is in the name of a secret, as a pattern."""
_SECRET_NAME = re.compile(SECRETS, re.IGNORECASE)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s:@]*:[^/\s]*(?=@)")
_SECRET_TEXT = re.compile(
    rf"((?:{SECRETS})[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|(?:(?:bearer|basic|token)\s+)?[^\s,;&\"'})\]]+)",
    re.IGNORECASE,
)

QUIET = {
    # One line per expected error of a method, with its traceback; unexpected ones are logged as errors.
    "nameko.containers": logging.ERROR,
    # Several lines per attempt to connect; our own line says it once.
    "pika": logging.CRITICAL,
    "amqp": logging.WARNING,
    "kombu": logging.WARNING,
    "nameko": logging.WARNING,
    "werkzeug": logging.WARNING,
}


def configure(settings: Settings, service: str) -> None:
    """Call once at the start of a process; `service` stands in every line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _name, event: {"service": service, **event},
    ]
    form: Processor = (
        structlog.processors.JSONRenderer(serializer=_json)
        if settings.log_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_secrets,
                form,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))
    logging.captureWarnings(True)


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: masks members by name, at any depth, and credentials within texts."""
    return {name: _masked(name, value) for name, value in event.items()}


def _masked(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and value is not None and not isinstance(value, bool):
        return MASK
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return {key: _masked(str(key), member) for key, member in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked("", member) for member in value]
        case _:
            return _SECRET_TEXT.sub(rf"\g<1>{MASK}", _URL_CREDENTIALS.sub(MASK, str(value)))


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
