"""How long a component's code may keep a thread: what hangs is broken off, and known by name.

A daemon thread looks at the calls that are going on. In the main thread a signal raises `Hung` in
the midst of an overdue call, which ends sleeps and reads too; in other threads it comes between two
instructions of Python, and to calls only: a coroutine that keeps the loop of another thread is left
alone. What heeds neither is told to a last resort, which may end the process.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import inf
from types import FrameType
from typing import NoReturn

LIMIT = "MLX_CALL_LIMIT"
"""The variable that says how many seconds a component's code may keep a thread."""
LIMIT_S = 300.0
DEAF_S = 10.0
"""So long after it was broken off, code that goes on is told to the last resort, in seconds."""
_SIGNAL = signal.SIGURG  # ignored by default, and nobody else's
_OWN = {"mlxlab.core.watch", "mlxlab.core.boundary", "mlxlab.core.shared"}
"""Modules that a signal does not interrupt: a call that is being closed is over."""
_asking: ContextVar[str] = ContextVar("mlxlab asking", default="")
"""The call that is awaited; the tasks and callbacks that a component makes inherit it."""


class Hung(BaseException):
    """Raised in the midst of a call that is overdue; no `except Exception` there catches it."""


class EndsProcess(BaseException):
    """Raised instead of ending the process, where a component's call asked for that."""


class Going:
    """A synchronous call that is going on."""

    __slots__ = ("outer", "sent", "thread", "until", "who")

    def __init__(self, who: str, until: float, outer: Going | None) -> None:
        self.who = who
        self.until: float = until if outer is None else min(until, outer.until)
        self.outer = outer
        self.thread = threading.get_ident()
        self.sent = False


class Awaited:
    """A call whose answer a task awaits."""

    __slots__ = ("task", "until", "who")

    def __init__(self, who: str, task: asyncio.Task[object] | None, limit_s: float | None) -> None:
        self.who, self.task = who, task
        self.until = inf if limit_s is None else time.monotonic() + limit_s


class Pulse:
    """When a loop last worked, or code of ours in it; and for how many runs that is looked at."""

    __slots__ = ("blamed", "last", "loop", "thread", "users")

    def __init__(self) -> None:
        self.loop, self.thread = asyncio.get_running_loop(), threading.get_ident()
        self.users, self.blamed = 0, ""
        self.last = time.monotonic()


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
        self._pulses: dict[int, Pulse] = {}
        self._awaited: dict[int, Awaited] = {}
        self._deaf: dict[int, float] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._main = threading.main_thread().ident
        self._handled = threading.get_ident() == self._main
        self._before = signal.signal(_SIGNAL, self._heard) if self._handled else None
        os._exit = _ends
        self._thread = threading.Thread(target=self._look, name="mlxlab watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and leave nothing behind."""
        os._exit = end_process
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
        if going.sent:  # said before the table is looked at again, so one of the two is seen
            with self._lock:
                _raise_in(going.thread, None)
        if not _asking.get():
            self._works()

    def _take_out(self, going: Going) -> None:
        if going.outer is None:
            self._going.pop(going.thread, None)
        else:
            self._going[going.thread] = going.outer

    def begin(self, awaited: Awaited) -> None:
        """A task awaits a component's code."""
        self._awaited[id(awaited)] = awaited
        if not _asking.get():
            self._works()

    def end(self, awaited: Awaited) -> None:
        """It awaits it no more, however that ended."""
        self._awaited.pop(id(awaited), None)
        if not _asking.get():
            self._works()

    def _works(self) -> None:
        """Code of ours runs in this thread: what comes next has a time of its own."""
        if (pulse := self._pulses.get(threading.get_ident())) is not None:
            pulse.last = time.monotonic()

    def look_after_loop(self) -> Pulse:
        """The running loop says that it works, and again soon; runs in one loop share that."""
        thread = threading.get_ident()
        if (pulse := self._pulses.get(thread)) is None:
            pulse = self._pulses[thread] = Pulse()
            self._beat(pulse)
        pulse.users += 1
        return pulse

    def leave_loop(self, pulse: Pulse) -> None:
        """A run in that loop ends."""
        pulse.users -= 1
        if not pulse.users:
            self._pulses.pop(pulse.thread, None)

    def _beat(self, pulse: Pulse) -> None:
        if self._pulses.get(pulse.thread) is pulse:
            pulse.last, pulse.blamed = time.monotonic(), ""
            pulse.loop.call_later(self._every, self._beat, pulse)

    def keeps(self) -> str:
        """Whose code keeps this thread now; the empty text: nobody's."""
        going = self._going.get(threading.get_ident())
        return _asking.get() if going is None else going.who

    @property
    def _every(self) -> float:
        return min(1.0, self.limit_s / 4)

    def _late(self, thread: int) -> bool:
        """Whether a thread is kept too long."""
        now = time.monotonic()
        if (going := self._going.get(thread)) is not None:
            return now > going.until
        pulse = self._pulses.get(thread)
        return pulse is not None and now - pulse.last > self.limit_s

    def _blamed(self, thread: int) -> str:
        """Whose code keeps another thread, as far as can be seen from here."""
        if (going := self._going.get(thread)) is not None:
            return going.who
        if (pulse := self._pulses.get(thread)) is None:
            return ""
        if (task := asyncio.current_task(pulse.loop)) is not None:
            for each in reversed(list(self._awaited.values())):
                if each.task is task:
                    return each.who
        return pulse.blamed

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_globals.get("__name__") in _OWN:
            return
        thread = threading.get_ident()
        if self._late(thread) and (who := self.keeps()):
            if (pulse := self._pulses.get(thread)) is not None:
                pulse.blamed = who
            raise Hung(who)

    def _look(self) -> None:
        while not self._stopped.wait(self._every):
            for thread in {*self._going, *self._pulses}:
                if self._late(thread):
                    self._break_off(thread)
                    self._tell(thread)
                else:
                    self._deaf.pop(thread, None)
            for each in list(self._awaited.values()):
                if time.monotonic() - each.until > self.limit_s + DEAF_S:
                    self._resort(each.who)

    def _break_off(self, thread: int) -> None:
        if thread == self._main and self._handled:
            signal.pthread_kill(thread, _SIGNAL)
            return
        with self._lock:
            going = self._going.get(thread)
            if going is not None and time.monotonic() > going.until:
                going.sent = True
                if self._going.get(thread) is going:
                    _raise_in(thread, Hung)

    def _tell(self, thread: int) -> None:
        if thread != self._main and thread not in self._pulses:
            return  # nobody waits for it any longer
        since = self._deaf.setdefault(thread, time.monotonic())
        if time.monotonic() - since > DEAF_S and (who := self._blamed(thread)):
            self._resort(who)

    def _resort(self, who: str) -> None:
        if self.last_resort is not None:
            self.last_resort(f"{who} took longer than it may, and cannot be broken off")


_watch: Watch | None = None
_sharing = threading.RLock()


def current() -> Watch | None:
    """What looks after the calls of this process now."""
    return _watch


@contextmanager
def watching() -> Iterator[Watch]:
    """Have calls looked after while the block runs; blocks within share the outer one's watch."""
    global _watch
    with _sharing:
        if _watch is None:
            _watch = Watch()
        else:
            _watch.users += 1
        found = _watch
    try:
        yield found
    finally:
        with _sharing:
            found.users -= 1
            if not found.users:
                _watch = None if _watch is found else _watch
                found.stop()


@contextmanager
def watched_loop() -> Iterator[None]:
    """Have the running loop looked after too, so that a coroutine cannot keep it."""
    with watching() as watch:
        pulse = watch.look_after_loop()
        try:
            yield
        finally:
            watch.leave_loop(pulse)


@contextmanager
def awaiting(
    who: str, task: asyncio.Task[object] | None, limit_s: float | None = None
) -> Iterator[None]:
    """Have what a task awaits of a component known, with the tasks that it makes for that."""
    found, outer = _watch, _asking.get()
    awaited = Awaited(who, task, limit_s)
    if found is not None:
        found.begin(awaited)
    _asking.set(who)
    try:
        yield
    finally:
        _asking.set(outer)
        if found is not None:
            found.end(awaited)


end_process = os._exit
"""What ends the process at once, whoever's code is going on."""


def _ends(status: int) -> NoReturn:
    """`os._exit`, which costs a component its call, and ends the process for everybody else."""
    if kept_by():
        raise EndsProcess(f"os._exit({status})")
    end_process(status)


def set_last_resort(told: Callable[[str], None]) -> None:
    """Have somebody told of code that neither ends nor heeds being broken off."""
    if _watch is not None:
        _watch.last_resort = told


def kept_by() -> str:
    """Whose code keeps this thread now; the empty text: nobody's."""
    return _watch.keeps() if _watch is not None else ""


def _forked() -> None:
    """A child by fork has none of the threads of its parent, so nobody who looks."""
    global _watch, _sharing
    _watch, _sharing = None, threading.RLock()


os.register_at_fork(after_in_child=_forked)


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(kind) if kind is not None else None
    )
