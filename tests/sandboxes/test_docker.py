"""Containers: the limits that are theirs, and what is left of them when something breaks."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from mlxlab.core.errors import SandboxError, SandboxUnavailable
from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, SandboxSetup
from mlxlab.core.states import StateStore
from mlxlab.sandboxes.docker import DockerConfig, DockerSandbox
from mlxlab.sandboxes.docker.channel import DockerChannel
from mlxlab.sandboxes.docker.container import Plan
from tests.engines import docker_image
from tests.sandboxes.docker_boxes import Door, certificate, client, containers, opened, run, soon

pytestmark = pytest.mark.docker

TOGETHER = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(os.urandom(1 << 20)) * 700
        time.sleep(60)
for _ in range(4):
    print(os.wait()[1], flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def image() -> str:
    return docker_image()


def test_processes_share_one_limit_of_memory(tmp_path: Path, image: str) -> None:
    async def whole() -> None:
        async with opened(tmp_path, image=image, workspace_bytes=1 << 20, tmp_bytes=1 << 20) as box:
            result = await run(box, TOGETHER, memory_bytes=1500 << 20, wall_s=20)
            # Seen in time by the server, or a child is killed by the kernel.
            assert result.outcome == "oom" or "9\n" in result.stdout, result
            assert (await run(box, "print('next')", memory_bytes=1 << 30)).stdout == "next\n"

    asyncio.run(whole())


def test_the_workspace_and_the_temporary_folder_have_an_end(tmp_path: Path, image: str) -> None:
    code = """
import os, sys
for folder in (".", "/tmp", "/dev/shm"):
    try:
        with open(f"{folder}/big", "wb") as file:
            for _ in range(64): file.write(bytes(1 << 20))
    except OSError as error:
        print(folder, error.errno)
print(*os.listdir("/tmp"))
"""

    async def whole() -> None:
        async with opened(tmp_path, image=image, workspace_bytes=8 << 20, tmp_bytes=4 << 20) as box:
            result = await run(box, code)
            assert result.stdout == ". 28\n/tmp 28\n/dev/shm 28\nbig\n"
            await box.remove("big")
            result = await run(box, "import os; print(os.listdir('/tmp'), os.listdir('/dev/shm'))")
            assert result.stdout == "[] []\n"
            result = await run(box, "open('big', 'wb').write(bytes(9 << 20))")
            assert "filled the disk" in result.detail
            with pytest.raises(SandboxError, match="No space left"):
                await box.write("more", bytes(9 << 20))

    asyncio.run(whole())


def test_a_task_that_does_not_fit_is_told_what_to_do(tmp_path: Path, image: str) -> None:
    async def whole() -> None:
        (tmp_path / "inputs").mkdir()
        (tmp_path / "inputs" / "large.csv").write_bytes(bytes(3 << 20))
        with pytest.raises(SandboxError, match="the task's files do not fit") as caught:
            async with opened(tmp_path, image=image, workspace_bytes=1 << 20):
                pass
        assert "workspace_bytes" in caught.value.hint
        assert not containers(tmp_path)

    asyncio.run(whole())


def test_it_is_confined_as_it_says(tmp_path: Path, image: str) -> None:
    code = """
import os, socket
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines()
              if ":\\t" in line)
print(os.getuid() >= 30000, int(status["CapEff"], 16), int(status["CapBnd"], 16))
print(status["NoNewPrivs"], status["Seccomp"])
print(sorted(name for _, name in socket.if_nameindex() if name == "lo" or "eth" in name))
print([p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())])
for path in ("/made", "/usr/made", "/etc/passwd"):
    try:
        open(path, "a")
    except OSError as error:
        print(error.errno in (13, 30))
"""

    async def whole() -> None:
        async with opened(tmp_path, image=image) as box:
            result = await run(box, code)
            assert result.stdout == "True 0 0\n1 2\n['lo']\n[]\nTrue\nTrue\nTrue\n", result
            (container,) = containers(tmp_path)
            host = container.attrs["HostConfig"]
            assert host["NetworkMode"] == "none"
            assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"]
            assert not box.isolation.answers_reachable

    asyncio.run(whole())


def test_an_engine_with_fewer_processors_gives_those_that_it_has(
    tmp_path: Path, image: str
) -> None:
    has = client().info()["NCPU"]

    async def whole() -> None:
        sandbox = DockerSandbox(DockerConfig(image=image))
        await sandbox.open(SandboxSetup(scratch=tmp_path / "scratch", cores=has + 2))
        try:
            (container,) = containers(tmp_path)
            assert container.attrs["HostConfig"]["NanoCpus"] == has * 10**9
        finally:
            await sandbox.close()

    asyncio.run(whole())


def test_it_is_pinned_only_where_the_engines_processors_are_ours(tmp_path: Path) -> None:
    setup = SandboxSetup(scratch=tmp_path, cpus=(4, 5, 6))
    ours = Plan(DockerConfig(), setup, "image", processors=8, pinning=True).arguments()
    assert (ours["cpuset_cpus"], "nano_cpus" in ours) == ("4,5,6", False)
    others = Plan(DockerConfig(), setup, "image", processors=2, pinning=False).arguments()
    assert (others["nano_cpus"], "cpuset_cpus" in others) == (2 * 10**9, False)


def test_what_steps_aside_and_ignores_signals_is_dead(tmp_path: Path, image: str) -> None:
    code = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        os.write(1, b"begun\\n")
        time.sleep(600)
    os._exit(0)
time.sleep(0.5)
"""

    async def whole() -> None:
        async with opened(tmp_path, image=image) as box:
            assert (await run(box, code)).stdout == "begun\n"
            (container,) = containers(tmp_path)
            assert len(container.top()["Processes"]) == 1  # the server

    asyncio.run(whole())


def test_a_killed_container_is_a_killed_step_from_whose_start_it_goes_on(
    tmp_path: Path, image: str
) -> None:
    async def whole() -> None:
        store = StateStore(tmp_path / "states", {"starter.txt": b"s"})
        async with opened(tmp_path, image=image) as box:
            await box.restore(store, "clean")
            await run(box, "open('kept.txt', 'w').write('k')")
            state = (await box.snapshot(store, "clean")).state
            await box.restore(store, state)
            (container,) = containers(tmp_path)
            asyncio.get_running_loop().call_later(2, container.kill)
            result = await run(box, "print('begun', flush=True)\nimport time\ntime.sleep(60)")
            assert (result.outcome, result.stdout) == ("killed", "begun\n")
            assert "its container was killed" in result.detail
            assert (await box.snapshot(store, state)).state == state
            assert await box.read("kept.txt") == b"k"
            assert (await run(box, "print('next')")).stdout == "next\n"
            (other,) = containers(tmp_path)
            assert other.id != container.id

    asyncio.run(whole())


def test_a_container_removed_between_two_steps_is_replaced(tmp_path: Path, image: str) -> None:
    async def whole() -> None:
        store = StateStore(tmp_path / "states", {"starter.txt": b"s"})
        async with opened(tmp_path, image=image) as box:
            (container,) = containers(tmp_path)
            container.remove(force=True)
            await box.restore(store, "clean")
            assert await box.read("starter.txt") == b"s"

    asyncio.run(whole())


def test_an_engine_that_goes_away_ends_in_one_line(tmp_path: Path, image: str) -> None:
    async def whole() -> None:
        door = Door(tmp_path)
        async with opened(tmp_path, image=image, host=door.address) as box:
            assert (await run(box, "print('there')")).stdout == "there\n"
            asyncio.get_running_loop().call_later(1, door.shut)
            result = await box.run(ExecRequest(command=("sleep", "60")), Limits())
            assert result.outcome == "killed"
            assert f"No Docker engine answers at {door.address}" in result.detail
            with pytest.raises(SandboxUnavailable, match="No Docker engine answers") as error:
                await box.read("main.py")
            assert "docker info" in error.value.hint
        # Its standard input was closed with the door, so that it ended by itself.
        (container,) = containers(tmp_path)
        await soon(lambda: container.reload() or container.status == "exited")
        container.remove(force=True)

    asyncio.run(whole())


def test_cancelling_and_closing_twice_leave_nothing(tmp_path: Path, image: str) -> None:
    async def whole() -> None:
        async with opened(tmp_path, image=image) as box:
            request = ExecRequest(command=("sleep", "600"))
            running = asyncio.ensure_future(box.run(request, Limits(wall_s=600)))
            await asyncio.sleep(0.5)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            (container,) = containers(tmp_path)
            assert len(container.top()["Processes"]) == 1
            await box.close()
            await box.close()
            assert containers(tmp_path) == []

    asyncio.run(whole())


def test_closing_ends_the_run_that_goes_on(tmp_path: Path, image: str) -> None:
    async def whole() -> None:
        async with opened(tmp_path, image=image) as box:
            request = ExecRequest(command=("sleep", "600"))
            running = asyncio.ensure_future(box.run(request, Limits(wall_s=600)))
            await asyncio.sleep(0.5)
            await box.close()
            result = await asyncio.wait_for(running, 20)
            assert result.outcome == "killed"
        assert containers(tmp_path) == []

    asyncio.run(whole())


def test_closing_the_connection_wakes_who_sends_and_who_receives() -> None:
    async def whole() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            channel = DockerChannel(ours)
            waiting = [
                asyncio.ensure_future(channel.receive()),
                asyncio.ensure_future(channel.send(bytes(64 << 20))),
            ]
            await asyncio.sleep(0.2)
            assert not any(each.done() for each in waiting)
            await channel.close()
            for each in waiting:
                with pytest.raises(ConnectionError, match="was closed"):
                    await asyncio.wait_for(each, 5)

    asyncio.run(whole())


def test_cancelling_the_opening_leaves_nothing(tmp_path: Path, image: str) -> None:
    async def whole(after_s: float) -> None:
        box = opened(tmp_path, image=image)
        opening = asyncio.ensure_future(box.__aenter__())
        await asyncio.sleep(after_s)
        if opening.done():  # the engine was faster
            await box.__aexit__(None, None, None)
            return
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    for after_s in (0.02, 0.1, 0.3):
        asyncio.run(whole(after_s))
        assert containers(tmp_path) == []


def test_fifty_megabytes_there_and_back(tmp_path: Path, image: str) -> None:
    async def whole() -> None:
        data = os.urandom(50 << 20)
        async with opened(tmp_path, image=image) as box:
            await box.write("deep/big.bin", data)
            assert await box.read("deep/big.bin") == data

    asyncio.run(whole())


def test_an_engine_behind_tls(tmp_path: Path, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def whole() -> None:
        data = os.urandom(3 << 20)
        door = Door(tmp_path, certificate(tmp_path))
        with monkeypatch.context() as patch:
            patch.setenv("DOCKER_TLS_VERIFY", "1")
            patch.setenv("DOCKER_CERT_PATH", str(tmp_path))
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # preferred to the SDK's own
                patch.delenv(name, raising=False)
            async with opened(tmp_path, image=image, host=door.address) as box:
                await box.write("some.bin", data)
                assert await box.read("some.bin") == data
                assert (await run(box, "print('there')")).stdout == "there\n"
        door.shut()

    asyncio.run(whole())
