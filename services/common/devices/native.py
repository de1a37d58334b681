"""Blocking work on devices in real threads, so that a green process goes on meanwhile.

The only module here that knows of eventlet. Its threads and sockets are the real ones: in a green process
`genuine` imports a library as if nothing had been patched, for a green lock must not be shared by threads.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable
from contextvars import copy_context
from functools import cache, partial
from types import ModuleType
from typing import Any, TypeVar

from services.common.devices.errors import DeviceBusy, DeviceSilent

PLACES = 16
"""Pieces of work at a time in one process. eventlet has 20 threads; the rest look up names."""

_PATCHED = ("socket", "select", "selectors", "threading", "queue", "time", "os", "subprocess", "ssl")

T = TypeVar("T")


def native(work: Callable[..., T], *args: Any, seconds: float | None = None, device: str = "") -> T:
    """`work(*args)`, in a real thread when this process is green, in this one otherwise.

    Raises `DeviceBusy` when no thread is free within `seconds`, and `DeviceSilent` when the work takes longer
    than that: it is left to its own timeouts then, and keeps its place until it ends. Not for work that must
    be known to have ended.
    """
    if not _green():
        return work(*args)
    import eventlet

    places = _places()
    if not places.acquire(timeout=seconds):
        raise DeviceBusy(device=device)
    done = eventlet.spawn(_run, places, partial(copy_context().run, work, *args))
    late = eventlet.Timeout(seconds)
    try:
        good, result = done.wait()
    except eventlet.Timeout as timeout:
        if timeout is not late:
            raise
        raise DeviceSilent(device=device) from None
    finally:
        late.cancel()
    if good:
        found: T = result
        return found
    raise result


def genuine(name: str) -> ModuleType:
    """The module with real sockets, threads and clocks. Of a library, nothing may have imported it before."""
    if not _green() or (name in sys.modules and name not in _PATCHED):
        return importlib.import_module(name)
    from eventlet.patcher import original

    if name in _PATCHED:
        return original(name)  # type: ignore[no-any-return]
    patched = {module: sys.modules[module] for module in _PATCHED if module in sys.modules}
    real = {module: original(module) for module in _PATCHED}
    sys.modules.update(real)
    try:
        return importlib.import_module(name)
    finally:
        for module in real:
            if module in patched:
                sys.modules[module] = patched[module]
            else:
                del sys.modules[module]


def _green() -> bool:
    """Without importing eventlet, which takes its time, where nobody has."""
    if "eventlet.patcher" not in sys.modules:
        return False
    from eventlet.patcher import is_monkey_patched

    return bool(is_monkey_patched("socket"))


@cache
def _places() -> Any:
    """Once in a process. What is loaded by then is never looked through for garbage again: long tables make
    the collector look through everything, which stops all threads, for 80 ms in a service."""
    from eventlet.semaphore import Semaphore

    gc.freeze()
    return Semaphore(PLACES)


def _run(places: Any, work: Callable[[], Any]) -> tuple[bool, Any]:
    """(whether it succeeded, its result or what it raised); gives the place back when the work has ended."""
    from eventlet import tpool

    try:
        return True, tpool.execute(work)
    except BaseException as failure:  # noqa: BLE001 - it is raised where it is waited for
        return False, failure
    finally:
        places.release()
