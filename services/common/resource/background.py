"""Work of a service that is nobody's call: done when woken, every so often, and on while there is more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from services.common.errors import ApiError
from services.common.resource.engine import Engine
from services.common.rpc.entrypoint import Provider

STOPPING = 5.0

log = structlog.get_logger(__name__)


class Loop:
    """`work()`: a bit of it; true when there is more. `every`: seconds after which it looks by itself."""

    def __init__(self, work: Callable[[], bool], every: float) -> None:
        self.work = work
        self.every = every
        self._woken = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        """There is something to do. Any thread."""
        self._woken.set()

    def stop(self) -> None:
        """`run` ends after the bit that is under way."""
        self._stopping = True
        self._woken.set()

    def run(self) -> None:
        """Until `stop`."""
        told = False
        while not self._stopping:
            self._woken.clear()
            more = False
            try:
                more = self.work()
                told = False
            except Exception as error:
                known = isinstance(error, ApiError)
                if not told:
                    log.warning("work put off", reason=str(error), exc_info=not known)
                told = known
            if more:
                time.sleep(0)  # others are green threads of this process
            else:
                self._woken.wait(self.every)


class Attached(Provider):  # type: ignore[misc]
    """What a service class has that works with the engine: it is given it before it starts."""

    def attach(self, engine: Engine) -> None:
        """Called by the provider of the engine, once that is made."""
        raise NotImplementedError


class Background(Attached):
    """`sweeper = Background(work)` in a service class. `work(engine)`: a bit of it; true when there is more.
    It has a thread of its own and takes no worker from calls; every replica does it."""

    def __init__(self, work: Callable[[Engine], bool], every: float = 1.0) -> None:
        self._work = work
        self._every = every
        self._loop: Loop | None = None
        self._thread: threading.Thread | None = None

    def attach(self, engine: Engine) -> None:
        """Called by the provider of the engine, once that is made."""
        self._loop = Loop(lambda: self._work(engine), self._every)

    def start(self) -> None:
        assert self._loop is not None
        self._thread = threading.Thread(target=self._loop.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.kill()
        if self._thread is not None:
            self._thread.join(STOPPING)

    def kill(self) -> None:
        if self._loop is not None:  # else the container did not get so far
            self._loop.stop()

    def wake(self) -> None:
        """There is something to do. Any thread."""
        if self._loop is not None:
            self._loop.wake()

    def get_dependency(self, worker_ctx: Any) -> Background:
        return self
