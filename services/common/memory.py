"""How a process that serves keeps house with its memory.

glibc raises its own thresholds after the first large buffers and keeps an arena per thread: a process that
once answered a large page would stay large. Here it gives back what is beyond a few megabytes; a lower bound
costs a page fault for most answers. Other C libraries are left as they are.

By default Python looks for cycles whenever it has some hundred objects more than before, and a page of fifty
rows makes thousands that soon go by themselves: it looks less often.
"""

from __future__ import annotations

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
KEPT = 2 * 1024 * 1024
COLLECT_AFTER = (10_000, 20, 20)
"""Objects of the youngest generation, then collections of one generation before the next one's."""


def bound() -> None:
    """For the start of a process that serves."""
    gc.set_threshold(*COLLECT_AFTER)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_M_TRIM_THRESHOLD, KEPT), (_M_MMAP_THRESHOLD, KEPT), (_M_ARENA_MAX, 2)):
            mallopt(parameter, value)
