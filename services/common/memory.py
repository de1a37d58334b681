"""Tells the C library to give memory back.

glibc raises its own thresholds after the first large buffers and keeps an arena per thread: a process that
once answered a large page would stay large. Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
BYTES = 128 * 1024


def bound() -> None:
    """For the start of a process that serves."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_M_TRIM_THRESHOLD, BYTES), (_M_MMAP_THRESHOLD, BYTES), (_M_ARENA_MAX, 2)):
            mallopt(parameter, value)
