"""Programs that misbehave, and for each what the same program does without a sandbox."""

import contextlib
import io
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest


def plainly(code: str, *args: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program as anybody would."""
    command = [sys.executable, "-c", code, *args]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def processes_with(mark: str) -> list[int]:
    """The host's processes whose command line holds a mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def still_usable(box: Any) -> bool:
    return bool(box.says("print('usable')") == "usable")


CATCHES_INTERRUPTS = """
import time
end = time.time() + 10
print("began", flush=True)
while time.time() < end:
    try:
        time.sleep(end - time.time())
    except KeyboardInterrupt:
        print("not me", flush=True)
"""


def test_catching_interrupts_does_not_outlive_the_timeout(box: Any) -> None:
    result = box.run(CATCHES_INTERRUPTS, wall_s=0.5)
    assert (result.outcome, result.stdout) == ("timeout", "began\n")
    assert result.duration_s < 8
    assert still_usable(box)


def test_control_an_interrupt_is_ignored() -> None:
    command = [sys.executable, "-c", CATCHES_INTERRUPTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "not me\n"
        assert process.poll() is None
        process.kill()


EXITS_EARLY = "import os\nprint('before')\nos._exit(0)\nopen('submission.csv', 'w').write('x')"


def test_exit_before_the_submission(box: Any) -> None:
    result = box.run(EXITS_EARLY)
    assert (result.outcome, result.exit_code, result.stdout) == ("exited", 0, "before\n")
    with pytest.raises(FileNotFoundError):
        box.read("submission.csv")
    assert box.run("import os; os._exit(9)").exit_code == 9


def test_control_exit_loses_what_was_printed(tmp_path: Path) -> None:
    result = plainly(EXITS_EARLY, folder=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


KILLS_ITSELF = "import os, signal\nprint('before')\nos.kill(os.getpid(), signal.SIGKILL)"


def test_killing_itself(box: Any) -> None:
    result = box.run(KILLS_ITSELF)
    assert (result.outcome, result.exit_code, result.stdout) == ("killed", -9, "before\n")
    assert "SIGKILL" in result.detail
    assert still_usable(box)


def test_killing_everybody_else(box: Any) -> None:
    assert box.run("import os\nos.kill(-1, 9)").stderr.endswith("No such process\n")
    assert box.run("import os\nos.kill(1, 9)").outcome == "exited"
    assert box.run("import os\nos.kill(0, 9)").exit_code == -9
    assert still_usable(box)


def test_control_killing_itself_loses_what_was_printed() -> None:
    result = plainly(KILLS_ITSELF)
    assert (result.returncode, result.stdout) == (-signal.SIGKILL, "")


CRASHES = "import ctypes\nprint('before')\nctypes.string_at(0)"


def test_a_crash_in_native_code(box: Any) -> None:
    result = box.run(CRASHES)
    assert (result.outcome, result.exit_code, result.stdout) == ("killed", -11, "before\n")
    assert "SIGSEGV" in result.detail


LEAVES_ORPHANS = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 3)
        sleep = "import time; time.sleep(20)"
        os.execv(sys.executable, [sys.executable, "-c", sleep, sys.argv[1]])
    os._exit(0)
os.wait()
import time; time.sleep(0.2)
print("left")
"""


@pytest.mark.parametrize("kind", ["box", "bare"])
def test_orphans_do_not_survive(kind: str, request: pytest.FixtureRequest) -> None:
    mark = secrets.token_hex(8)
    assert request.getfixturevalue(kind).says(LEAVES_ORPHANS, mark) == "left"
    assert processes_with(mark) == []


@pytest.mark.parametrize("kind", ["box", "bare"])
def test_orphans_do_not_survive_a_timeout(kind: str, request: pytest.FixtureRequest) -> None:
    mark = secrets.token_hex(8)
    result = request.getfixturevalue(kind).run(LEAVES_ORPHANS + "time.sleep(60)", mark, wall_s=1)
    assert result.outcome == "timeout"
    assert processes_with(mark) == []


def test_control_orphans_survive() -> None:
    mark = secrets.token_hex(8)
    assert plainly(LEAVES_ORPHANS, mark).stdout == "left\n"
    survivors = processes_with(mark)
    for pid in survivors:
        os.kill(pid, signal.SIGKILL)
    assert len(survivors) == 1


PRINTS_MUCH = "for i in range(60_000): print('line', i)"


def test_many_prints_keep_their_head_and_tail(box: Any) -> None:
    result = box.run(PRINTS_MUCH, kept_output_chars=2000)
    assert result.stdout.startswith("line 0\n") and result.stdout.endswith("line 59999\n")
    assert "characters left out" in result.stdout and len(result.stdout) < 2100
    assert (result.outcome, result.exit_code) == ("exited", 0)


def test_control_many_prints_fill_any_context() -> None:
    assert len(plainly(PRINTS_MUCH).stdout) > 600_000


CHILDREN_SPEAK = """
import os, subprocess
os.system("echo from a shell")
subprocess.run(["sh", "-c", "echo from a child; echo complaint >&2"])
"""


def test_children_are_heard(box: Any) -> None:
    result = box.run(CHILDREN_SPEAK)
    assert result.stdout == "from a shell\nfrom a child\n"
    assert result.stderr == "complaint\n"


def test_native_code_is_heard_before_a_kill(box: Any) -> None:
    code = """
import ctypes, os
ctypes.CDLL(None).puts(b"from C")
os.kill(os.getpid(), 9)
"""
    assert box.run(code).stdout == "from C\n"


def test_control_children_escape_a_redirection_inside_python(capfd: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as caught:
        exec(CHILDREN_SPEAK, {})
    assert caught.getvalue() == ""
    assert "from a shell" in capfd.readouterr().out


ALLOCATES = "import sys\nblock = bytearray(int(sys.argv[1]))\nprint(len(block))"
# Only reserved, never touched, so that the control does no harm.
RESERVES = """
import mmap
mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
print("granted")
"""


@pytest.mark.parametrize("code", [ALLOCATES, RESERVES])
def test_a_large_allocation_is_refused(box: Any, code: str) -> None:
    result = box.run(code, str(8 << 30))
    assert (result.outcome, result.exit_code, result.stdout) == ("oom", 1, "")
    assert "4 GiB" in result.detail


def test_memory_that_runs_out_in_a_worker(box: Any) -> None:
    code = """
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        pool.map(bytearray, [8 << 30])
"""
    assert box.run(code).outcome == "oom"


def test_control_a_large_allocation_is_granted() -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
    assert plainly(RESERVES).stdout == "granted\n"


FORKS = """
import os, sys, time
made = 0
try:
    for _ in range(int(sys.argv[1])):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except BlockingIOError:
    print("refused", end=" ")
print(made, flush=True)
if len(sys.argv) > 2:
    os.killpg(0, 9)
"""
BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"


def test_the_number_of_processes_is_limited(box: Any) -> None:
    said = box.says(FORKS, "60", processes=24).split()
    assert said[0] == "refused" and 15 < int(said[1]) < 25


def test_a_fork_bomb_ends_with_its_time(box: Any) -> None:
    result = box.run(BOMB, wall_s=1.5, processes=64)
    assert result.outcome == "timeout" and result.duration_s < 20
    assert still_usable(box)


def test_too_many_threads_are_told(box: Any) -> None:
    code = "import os\nwhile True:\n    if os.fork() == 0: os.read(os.pipe()[0], 1)"
    result = box.run(code, processes=16)
    assert result.exit_code == 1 and "16 processes" in result.detail


def test_control_forks_are_granted() -> None:
    command = [sys.executable, "-c", FORKS, "60", "end"]
    result = subprocess.run(
        command, capture_output=True, text=True, start_new_session=True, timeout=60, check=False
    )
    assert result.stdout == "60\n"


WRITES_LARGE = """
with open("large.bin", "wb") as file:
    file.seek(10 << 30)
    file.write(b"x")
"""


def test_a_large_file_is_refused(box: Any) -> None:
    result = box.run(WRITES_LARGE)
    assert (result.outcome, result.exit_code) == ("exited", 1)
    assert "1 GiB" in result.detail
    sizes = {entry.path: entry.size for entry in box.list(".")}
    assert sizes["large.bin"] == 0
    assert "1 GiB" in box.command("truncate", "-s", "10G", "large.bin").detail


def test_control_a_large_file_is_granted(tmp_path: Path) -> None:
    assert plainly(WRITES_LARGE, folder=tmp_path).returncode == 0
    large = tmp_path / "large.bin"
    size = large.stat().st_size
    large.unlink()
    assert size > 10 << 30


PRINTS_FOREVER = "while True: print('x' * 1000)"


def test_endless_output_is_stopped(box: Any) -> None:
    result = box.run(PRINTS_FOREVER, output_bytes=1 << 20)
    assert (result.outcome, result.exit_code) == ("killed", None)
    assert "1 MiB" in result.detail
    assert len(result.stdout) < 21_000
    assert still_usable(box)


def test_control_endless_output_goes_on() -> None:
    command = [sys.executable, "-c", PRINTS_FOREVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert len(process.stdout.read(8 << 20)) == 8 << 20
        assert process.poll() is None
        process.kill()


DELETES_WORKSPACE = """
import os, shutil
here = os.getcwd()
shutil.rmtree(here, ignore_errors=True)
if os.path.exists(here):
    os.chmod(here, 0)
print("done")
"""


@pytest.mark.parametrize("kind", ["box", "bare"])
def test_deleting_the_workspace(kind: str, request: pytest.FixtureRequest) -> None:
    box = request.getfixturevalue(kind)
    box.write("data/kept.txt", b"x")
    assert box.says(DELETES_WORKSPACE) == "done"
    with pytest.raises(FileNotFoundError):
        box.read("data/kept.txt")
    assert box.says("print(open('input/train.csv').read())") == "id,x\n1,2"


def test_moving_the_workspace_away(box: Any) -> None:
    box.run("import os\ntry: os.rename('/workspace', '/tmp/elsewhere')\nexcept OSError: pass")
    box.run("import os\ntry: os.rename('input', 'other')\nexcept OSError: pass")
    assert box.says("print(open('input/train.csv').read())") == "id,x\n1,2"


def test_control_a_deleted_folder_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    assert plainly(DELETES_WORKSPACE, folder=folder).stdout == "done\n"
    assert not folder.exists()
    with pytest.raises(FileNotFoundError):
        plainly("print(1)", folder=folder)


def test_the_host_waits_no_longer_than_the_program(box: Any) -> None:
    began = time.monotonic()
    box.says("import os, time\nif os.fork() == 0: time.sleep(30)")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("memory_bytes", [1 << 20, 64 << 20, 300 << 20])
def test_a_limit_too_low_for_python_is_the_programs_problem(box: Any, memory_bytes: int) -> None:
    result = box.run("block = bytearray(1 << 30)", memory_bytes=memory_bytes)
    assert (result.outcome, result.exit_code) == ("oom", 1)
