"""What looks after calls: whom it blames, when it strikes, and that it strikes nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mlxlab.api.training import plan_training, run_plan
from mlxlab.api.training.watching import Callbacks
from mlxlab.core import boundary, watch
from mlxlab.core.boundary import Boundary, Late, answering, apart
from mlxlab.core.errors import PluginError
from mlxlab.core.hooks import Hooks, hookimpl
from mlxlab.core.loops import run_loop
from mlxlab.core.watch import Watch, watched_loop, watching
from tests.api.test_training import TOYS
from tests.api.test_training import options as training_of


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MLX_CALL_LIMIT", "0.4")
    monkeypatch.setattr(watch, "DEAF_S", 0.4)
    yield
    assert watch.current() is None


def keep(seconds: float) -> None:
    """Keep the thread in Python, as a loop of somebody's own does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def deaf(seconds: float) -> None:
    """Keep the thread, whatever is raised."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(BaseException):
            keep(until - time.monotonic())


def test_a_call_that_its_loop_need_not_wait_for_ends_no_process() -> None:
    told: list[str] = []

    async def main() -> None:
        with watched_loop():
            watch.set_last_resort(told.append)
            with pytest.raises(Late, match="acme: grade took longer than"):
                await apart("acme", "grade", deaf, 2.5)
            await asyncio.sleep(1.2)  # the run is closed in order meanwhile

    run_loop(main())
    assert told == []


def test_what_is_deaf_is_told() -> None:
    told: list[str] = []
    with watching() as found, Boundary("acme", "propose"):
        found.last_resort = told.append
        deaf(2)
    assert told and told[0].startswith("acme: propose took longer")


def test_runs_in_one_loop_are_watched_until_the_last_ends() -> None:
    async def short_run() -> None:
        with watched_loop():
            await asyncio.sleep(0.01)

    async def long_run() -> None:
        with watched_loop():
            await asyncio.sleep(0.3)
            with pytest.raises(Late, match="acme: act took longer"):
                async with answering("acme", "act"):
                    keep(8)

    async def main() -> None:
        await asyncio.gather(long_run(), short_run())

    run_loop(main())


def test_whoever_follows_what_hung_is_not_blamed() -> None:
    async def hung() -> None:
        with pytest.raises(Late, match="bad: act took longer"):
            async with answering("bad", "act"):
                keep(8)

    async def innocent() -> None:
        async with answering("good", "act"):
            keep(0.25)

    async def main() -> None:
        with watched_loop():
            await asyncio.gather(hung(), innocent())

    run_loop(main())


def test_calls_that_are_in_time_each_are_not_late_together() -> None:
    async def main() -> None:
        with watched_loop():
            await asyncio.sleep(0)
            for _ in range(3):
                with Boundary("one", "judge"):
                    keep(0.25)
                async with answering("two", "act"):
                    keep(0.25)

    run_loop(main())


def test_a_call_within_a_call_leaves_the_outer_one_watched() -> None:
    async def main() -> None:
        with watched_loop(), pytest.raises(Late, match="outer: its handler took longer"):
            async with answering("outer", "its handler"):
                async with answering("inner", "run"):
                    await asyncio.sleep(0)
                keep(8)

    run_loop(main())


@pytest.mark.parametrize("way", ["wait_for", "gather", "group"])
def test_a_task_of_a_component_s_own_is_watched_too(way: str) -> None:
    async def blocking() -> None:
        time.sleep(8)

    async def act() -> None:
        if way == "wait_for":
            await asyncio.wait_for(blocking(), 30)
        elif way == "gather":
            await asyncio.gather(blocking())
        else:
            async with asyncio.TaskGroup() as group:
                group.create_task(blocking())

    async def main() -> None:
        with watched_loop(), pytest.raises(Late, match="acme: act took longer than"):
            async with answering("acme", "act"):
                await act()

    began = time.monotonic()
    run_loop(main())
    assert time.monotonic() - began < 7


def test_what_cannot_be_cancelled_is_told() -> None:
    told: list[str] = []

    async def main() -> None:
        ended = asyncio.Event()

        def tell(line: str) -> None:
            told.append(line)
            loop.call_soon_threadsafe(ended.set)

        async def act() -> None:
            while not ended.is_set():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait_for(ended.wait(), 8)

        loop = asyncio.get_running_loop()
        with watched_loop():
            watch.set_last_resort(tell)
            async with answering("acme", "act", 0.2):
                await act()

    run_loop(main())
    assert told and told[0].startswith("acme: act took longer")


@pytest.mark.parametrize("sync", [True, False])
def test_nobody_was_cancelled_but_by_the_component(sync: bool) -> None:
    async def main() -> None:
        if sync:
            with Boundary("acme", "propose"):
                raise asyncio.CancelledError("no luck")
        async with answering("acme", "act"):
            raise asyncio.CancelledError("no luck")

    with pytest.raises(PluginError, match=r"acme: .* failed: .*CancelledError: no luck"):
        run_loop(main())


def test_cancelling_passes_as_it_is() -> None:
    async def act() -> None:
        async with answering("acme", "act", 30):
            await asyncio.sleep(30)

    async def main() -> None:
        task = asyncio.create_task(act())
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        run_loop(main())


def test_nothing_is_raised_in_the_boundary_s_own_code() -> None:
    sends = compile("import signal\nsignal.raise_signal(signal.SIGURG)", "boundary", "exec")
    with watching() as found:
        going = found.enter("acme: propose", 0)
        time.sleep(0.01)
        exec(sends, {"__name__": boundary.__name__})
        with pytest.raises(watch.Hung):
            exec(sends, {"__name__": "acme"})
        found.leave(going)


def test_a_call_that_ends_while_it_is_broken_off_stays_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really: Callable[[int, object], None] = watch._raise_in  # type: ignore[assignment]
    about, after = threading.Event(), threading.Event()

    def slowly(thread: int, kind: object) -> None:
        if kind is not None:
            about.set()
            time.sleep(0.2)  # as the first import of ctypes does
        really(thread, kind)

    monkeypatch.setattr(watch, "_raise_in", slowly)
    caught: list[BaseException] = []

    def work() -> None:
        with suppress(PluginError), Boundary("acme", "judge"):
            about.wait(5)
        try:
            keep(0.6)
        except BaseException as error:
            caught.append(error)
        after.set()

    with watching():
        threading.Thread(target=work, daemon=True).start()
        assert after.wait(10)
    assert caught == []


def test_threads_that_begin_at_once_share_one_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Watch):
        def __init__(self) -> None:
            time.sleep(0.05)
            super().__init__()

    monkeypatch.setattr(watch, "Watch", Slow)
    found: list[Watch] = []
    together = threading.Barrier(4)

    def work() -> None:
        with watching() as mine:
            found.append(mine)
            together.wait(5)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1


def test_a_fork_has_a_watch_of_its_own() -> None:
    with watching():
        if not (child := os.fork()):
            status = 1
            try:
                with watching(), Boundary("acme", "propose"):
                    time.sleep(5)
            except Late:
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert signal.getsignal(signal.SIGURG) not in (signal.SIG_DFL, signal.SIG_IGN)


def test_ending_the_process_costs_a_component_its_call_and_nobody_else_s() -> None:
    really = os._exit

    async def main() -> None:
        with watched_loop():
            assert os._exit is not really
            with pytest.raises(PluginError, match=r"^acme: act called os\._exit\(9\)\.$"):
                async with answering("acme", "act"):
                    await asyncio.gather(asyncio.to_thread(os._exit, 9))
            with pytest.raises(PluginError, match=r"^acme: import called os\._exit\(3\)\.$"):
                async with answering("outer", "act"):
                    with Boundary("acme", "import"):
                        os._exit(3)
            async with answering("acme", "forks"):
                if not (child := os.fork()):
                    os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7

    run_loop(main())
    assert os._exit is really


def test_loops_in_two_threads_do_not_wait_for_each_other() -> None:
    used, done = threading.Event(), threading.Event()

    async def long() -> None:
        await asyncio.to_thread(used.set)
        while not done.is_set():
            await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: run_loop(long()))
    thread.start()
    used.wait(5)
    began = time.monotonic()
    run_loop(asyncio.to_thread(int))
    took = time.monotonic() - began
    done.set()
    thread.join()
    assert took < 5


def test_a_training_from_python_is_watched(tmp_path: Path) -> None:
    class Hangs:
        @hookimpl
        def mlx_training_step(self) -> None:
            time.sleep(8)

    hooks = Hooks()
    hooks.register(Hangs(), "acme 1.2 (bad)")
    done = run_plan(plan_training(training_of(tmp_path), TOYS), Callbacks(None, None), hooks)
    assert done.manifest.status == "done"
    assert "mlx_training_step took longer than" in hooks.broken["acme 1.2 (bad)"]


def test_what_an_environment_of_gymnasium_s_asks_is_watched() -> None:
    from mlxlab.gym.background import Background

    async def judged() -> None:
        with Boundary("acme", "judge"):
            keep(8)

    background = Background()
    try:
        with pytest.raises(Late, match="acme: judge took longer"):
            background.call(judged())
    finally:
        background.stop()
