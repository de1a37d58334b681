"""What can go wrong with a device. Each names it: `device` is a member of the answer's body.

A text may hold the device's own words, never a password or a community.
"""

from __future__ import annotations

from typing import Any

from services.common.errors import ApiError


class DeviceError(ApiError):
    """502: it answered, but with an error or with what makes no sense.

    `reason` tells programs what a refusal means: `exists`, `missing`, `full`, `in_use`, `unsupported`,
    `unknown_command`; or None.
    """

    status, code, message = 502, "device_failed", "The device answered with an error."

    def __init__(
        self, detail: str | None = None, *, device: str = "", reason: str | None = None, **extra: Any
    ) -> None:
        if reason is not None:
            extra["reason"] = reason
        super().__init__(detail, device=device, **extra)

    @property
    def device(self) -> str:
        return str(self.extra["device"])

    @property
    def reason(self) -> str | None:
        found: str | None = self.extra.get("reason")
        return found


class DeviceUnreachable(DeviceError):
    """502: connection refused, no route, or broken off in the middle."""

    status, code, message = 502, "device_unreachable", "The device cannot be reached."


class DeviceRefused(DeviceError):
    """502: wrong password or SNMPv3 credentials, or no right to do that."""

    status, code, message = 502, "device_refused", "The device refused our credentials."


class HostKeyChanged(DeviceError):
    """502: it shows another SSH host key than the one we know; nothing was sent to it."""

    status, code, message = 502, "device_host_key_changed", "The device shows another host key than before."


class DeviceSilent(DeviceError):
    """504: no answer in time."""

    status, code, message = 504, "device_silent", "The device did not answer in time."


class DeviceBusy(DeviceError):
    """503: too many are at work with devices already; try again."""

    status, code, message = 503, "device_busy", "Too much is under way with devices, try again later."

    def __init__(self, detail: str | None = None, *, retry_after: int = 2, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.headers["Retry-After"] = str(retry_after)
