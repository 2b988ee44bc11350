"""How long a component's code may keep a thread: what hangs is broken off, and known by name.

A daemon thread looks at the calls that are going on. In the main thread a signal raises `Hung` in
the midst of an overdue call, which ends sleeps and reads too; in other threads it comes between two
instructions of Python. What heeds neither is told to a last resort, which may end the process.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from weakref import WeakKeyDictionary

LIMIT = "MLX_CALL_LIMIT"
"""The variable that says how many seconds a component's code may keep a thread."""
LIMIT_S = 300.0
DEAF_S = 10.0
"""So long after it was broken off, code that goes on is told to the last resort, in seconds."""
_SIGNAL = signal.SIGURG  # ignored by default, and nobody else's


class Hung(BaseException):
    """Raised in the midst of a call that is overdue; no `except Exception` there catches it."""


class Going:
    """A synchronous call that is going on."""

    __slots__ = ("late", "outer", "sent", "thread", "until", "who")

    def __init__(self, who: str, until: float, outer: Going | None) -> None:
        self.who = who
        self.until: float = until if outer is None else min(until, outer.until)
        self.outer = outer
        self.thread = threading.get_ident()
        self.sent = False
        self.late = 0.0


def limit_s() -> float:
    """How many seconds a component's code may keep a thread."""
    with suppress(ValueError):
        if (stated := float(os.environ.get(LIMIT, ""))) > 0:
            return stated
    return LIMIT_S


class Watch:
    """Looks after the calls of this process; one at a time, by `watching`."""

    def __init__(self) -> None:
        self.limit_s = limit_s()
        self.last_resort: Callable[[str], None] | None = None
        self.users = 1
        self._going: dict[int, Going] = {}
        self._beats: dict[int, tuple[asyncio.AbstractEventLoop, float]] = {}
        self._tasks: WeakKeyDictionary[asyncio.Task[object], str] = WeakKeyDictionary()
        self._deaf: dict[int, float] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._main = threading.main_thread().ident
        self._handled = threading.get_ident() == self._main
        self._before = signal.signal(_SIGNAL, self._heard) if self._handled else None
        self._thread = threading.Thread(target=self._look, name="mlxlab watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and leave nothing behind."""
        self._stopped.set()
        self._thread.join()
        if self._handled and threading.get_ident() == self._main:
            signal.signal(_SIGNAL, self._before or signal.SIG_DFL)

    def enter(self, who: str, times: float) -> Going:
        """A call begins in this thread; it may take so many times the limit."""
        thread = threading.get_ident()
        going = Going(who, time.monotonic() + times * self.limit_s, self._going.get(thread))
        self._going[thread] = going
        return going

    def leave(self, going: Going) -> None:
        """The call has ended, however; an exception that is on its way to it is taken back."""
        self._take_out(going)
        if going.sent:
            with self._lock:
                _raise_in(going.thread, None)

    def _take_out(self, going: Going) -> None:
        if going.outer is None:
            self._going.pop(going.thread, None)
        else:
            self._going[going.thread] = going.outer

    def await_for(self, who: str) -> None:
        """The running task awaits a component's code; the empty text: no more."""
        if (task := asyncio.current_task()) is None:
            return
        if who:
            self._tasks[task] = who
        else:
            self._tasks.pop(task, None)

    def beat(self) -> None:
        """The running loop works; it says so again soon."""
        loop = asyncio.get_running_loop()
        thread = threading.get_ident()
        self._beats[thread] = loop, time.monotonic()
        loop.call_later(self._every, self._beat_again, thread)

    def _beat_again(self, thread: int) -> None:
        if thread in self._beats:
            self.beat()

    def still(self) -> None:
        """The loop of this thread ends."""
        self._beats.pop(threading.get_ident(), None)

    def keeps(self, thread: int) -> str:
        """Whose code keeps a thread now; the empty text: nobody's."""
        if (going := self._going.get(thread)) is not None:
            return going.who
        loop, _ = self._beats.get(thread, (None, 0.0))
        task = asyncio.current_task(loop) if loop is not None else None
        return self._tasks.get(task, "") if task is not None else ""

    @property
    def _every(self) -> float:
        return min(1.0, self.limit_s / 4)

    def _overdue(self, thread: int) -> str:
        """Whose code keeps a thread too long; the empty text: nobody's."""
        now = time.monotonic()
        if (going := self._going.get(thread)) is not None:
            return going.who if now > going.until else ""
        _, beat = self._beats.get(thread, (None, now))
        return self.keeps(thread) if now - beat > self.limit_s else ""

    def _heard(self, number: int, frame: object) -> None:
        if who := self._overdue(threading.get_ident()):
            raise Hung(who)

    def _look(self) -> None:
        while not self._stopped.wait(self._every):
            for thread in {*self._going, *self._beats}:
                if who := self._overdue(thread):
                    self._break_off(thread)
                    self._tell(thread, who)
                else:
                    self._deaf.pop(thread, None)

    def _break_off(self, thread: int) -> None:
        if thread == self._main and self._handled:
            signal.pthread_kill(thread, _SIGNAL)
            return
        with self._lock:
            going = self._going.get(thread)
            if going is not None and time.monotonic() > going.until:
                going.sent = True
                _raise_in(thread, Hung)

    def _tell(self, thread: int, who: str) -> None:
        since = self._deaf.setdefault(thread, time.monotonic())
        if self.last_resort is not None and time.monotonic() - since > DEAF_S:
            self.last_resort(f"{who} took longer than {self.limit_s:g} s, and cannot be broken off")


_watch: Watch | None = None


def current() -> Watch | None:
    """What looks after the calls of this process now."""
    return _watch


@contextmanager
def watching() -> Iterator[Watch]:
    """Have calls looked after while the block runs; blocks within share the outer one's watch."""
    global _watch
    if _watch is None:
        _watch = Watch()
    else:
        _watch.users += 1
    found = _watch
    try:
        yield found
    finally:
        found.users -= 1
        if not found.users:
            _watch = None
            found.stop()


@contextmanager
def watched_loop() -> Iterator[None]:
    """Have the running loop looked after too, so that a coroutine cannot keep it."""
    with watching() as watch:
        watch.beat()
        try:
            yield
        finally:
            watch.still()


def set_last_resort(told: Callable[[str], None]) -> None:
    """Have somebody told of code that neither ends nor heeds being broken off."""
    if _watch is not None:
        _watch.last_resort = told


def kept_by() -> str:
    """Whose code keeps the main thread now; the empty text: nobody's."""
    main = threading.main_thread().ident
    return _watch.keeps(main) if _watch is not None and main is not None else ""


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(kind) if kind is not None else None
    )
