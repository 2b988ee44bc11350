"""What the protocol promises of an execution."""

import asyncio
import time
from typing import Any

import pytest

from mlxlab.core.errors import SandboxError
from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, Sandbox
from mlxlab.sandboxes.local import LocalConfig, LocalSandbox


def test_it_is_a_sandbox(box: Any) -> None:
    assert isinstance(box.sandbox, Sandbox)


def test_streams_are_kept_apart_and_streamed(box: Any) -> None:
    heard: list[tuple[str, str]] = []
    result = box.run(
        "import sys; print('out'); print('err', file=sys.stderr)",
        on_output=lambda name, text: heard.append((name, text)),
    )
    assert (result.stdout, result.stderr, result.exit_code) == ("out\n", "err\n", 0)
    assert "".join(text for name, text in heard if name == "stdout") == "out\n"
    assert "".join(text for name, text in heard if name == "stderr") == "err\n"


def test_output_is_heard_while_the_program_runs(box: Any) -> None:
    times: list[float] = []
    box.run(
        "import time; print('now', end=''); time.sleep(0.5)",
        on_output=lambda name, text: times.append(time.monotonic()),
    )
    assert len(times) == 1
    assert time.monotonic() - times[0] > 0.4


def test_a_characters_bytes_may_come_apart(box: Any) -> None:
    result = box.run(
        "import os, time\nfor b in 'é€😀'.encode(): os.write(1, bytes([b])); time.sleep(0.02)"
    )
    assert result.stdout == "é€😀"


def test_bytes_that_are_no_text_do_not_matter(box: Any) -> None:
    assert box.run(r"import os; os.write(1, b'a\xff\x00b')").stdout == "a\ufffd\x00b"


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("raise SystemExit(3)", 3), ("import sys; sys.exit('why')", 1), ("1/0", 1), ("exit()", 0)],
)
def test_a_nonzero_exit_is_data(box: Any, code: str, exit_code: int) -> None:
    result = box.run(code)
    assert (result.outcome, result.exit_code) == ("exited", exit_code)


def test_a_traceback_shows_the_script_alone(box: Any) -> None:
    lines = box.run("def f():\n    return 1 / 0\n\nf()\n").stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert 'solution.py", line 4, in <module>' in lines[1]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert not [line for line in lines if "zygote" in line]


def test_a_syntax_error_shows_its_line(box: Any) -> None:
    stderr = box.run("x = = 1\n").stderr
    assert "line 1" in stderr and "SyntaxError" in stderr and "zygote" not in stderr


def test_a_script_is_main(box: Any) -> None:
    code = """
import sys, os, pickle
class Thing: pass
assert __name__ == "__main__" and sys.modules["__main__"].Thing is Thing
assert type(pickle.loads(pickle.dumps(Thing()))) is Thing
assert os.path.basename(__file__) == "solution.py" and os.path.samefile(sys.path[0], ".")
assert not [name for name in sys.modules if name.startswith("zygote")]
print(sys.argv)
"""
    assert box.says(code, "--fast", "a b") == "['solution.py', '--fast', 'a b']"


def test_a_script_imports_its_neighbours(box: Any) -> None:
    box.write("parts/helper.py", b"value = 7")
    box.write("parts/job.py", b"import helper; print(helper.value)")
    request = ExecRequest(script="parts/job.py")
    assert asyncio.run(box.sandbox.run(request, Limits())).stdout == "7\n"


def test_a_missing_script_is_said(box: Any) -> None:
    result = asyncio.run(box.sandbox.run(ExecRequest(script="none.py"), Limits()))
    assert result.exit_code == 2 and "can't open file" in result.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.excepthook = lambda *args: 1 / 0; raise KeyError('mine')",
        "import sys; sys.stderr.close(); raise KeyError('mine')",
        "import sys; sys.stderr = None; sys.exit('mine')",
        "import sys; sys.stdout.close(); raise KeyError('mine')",
    ],
)
def test_broken_hooks_and_streams_change_no_exit_code(box: Any, code: str) -> None:
    result = box.run(code)
    assert (result.outcome, result.exit_code) == ("exited", 1)


def test_threads_pools_and_atexit_end_as_usual(box: Any) -> None:
    code = """
import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor
atexit.register(print, "atexit")
threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
ThreadPoolExecutor(1).submit(print, "pool").result()
print("main")
"""
    assert box.says(code).splitlines() == ["pool", "main", "thread", "atexit"]


def test_multiprocessing_and_joblib_work(box: Any) -> None:
    code = """
import multiprocessing, joblib
def double(x): return 2 * x
if __name__ == "__main__":
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(pool.map(double, [1, 2]))
    print(joblib.Parallel(n_jobs=2)(joblib.delayed(double)(x) for x in [3, 4]))
"""
    assert box.says(code).splitlines() == ["[2, 4]", "[2, 4]", "[6, 8]"]


def test_openmp_works_in_every_execution(box: Any) -> None:
    code = """
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
X, y = make_classification(200, random_state=0)
print(HistGradientBoostingClassifier(max_iter=5).fit(X, y).score(X, y) > 0.5)
"""
    assert [box.says(code) for _ in range(2)] == ["True", "True"]


def test_a_seed_repeats_what_forgot_to_seed(box: Any) -> None:
    code = "import random, numpy\nprint(random.random(), numpy.random.rand(), hash('a'))"
    assert box.says(code, seed=1) == box.says(code, seed=1) != box.says(code, seed=2)
    assert box.says(code, seed=2**40)


def test_commands_run_with_the_same_python(box: Any) -> None:
    result = box.command("python", "-c", "import numpy, sys; print(len(sys.argv)); sys.exit(4)")
    assert (result.stdout, result.exit_code) == ("1\n", 4)
    missing = box.command("no-such-command")
    assert missing.exit_code == 127 and "no-such-command" in missing.stderr


def test_the_environment_of_a_request_is_added(box: Any) -> None:
    request = ExecRequest(command=("sh", "-c", "echo $COLOUR"), env={"COLOUR": "green"})
    assert asyncio.run(box.sandbox.run(request, Limits())).stdout == "green\n"


def test_a_timeout_is_told_and_what_was_said_is_kept(box: Any) -> None:
    result = box.run("import time; print('began', end=''); time.sleep(60)", wall_s=0.5)
    assert (result.outcome, result.exit_code, result.stdout) == ("timeout", None, "began")
    assert "0.5 seconds" in result.detail and result.duration_s < 20


@pytest.mark.parametrize("ignore", ["", "signal.signal(signal.SIGXCPU, signal.SIG_IGN)"])
def test_cpu_time_is_limited(box: Any, ignore: str) -> None:
    result = box.run(f"import signal\n{ignore}\nwhile True: pass", cpu_s=1, wall_s=30)
    assert result.outcome == "timeout" and "CPU" in result.detail


def test_scratch_space_is_fresh_each_time(box: Any) -> None:
    code = """
import os, pathlib, tempfile
print(os.listdir("/dev/shm"), [n for n in os.listdir(tempfile.gettempdir()) if "mark" in n])
for place in ("/dev/shm", tempfile.gettempdir()): pathlib.Path(place, "mark").write_text("x")
"""
    assert [box.says(code) for _ in range(2)] == ["[] []", "[] []"]


def test_cancelling_kills_and_leaves_the_sandbox_usable(box: Any) -> None:
    async def cancel() -> None:
        await box.sandbox.write("solution.py", b"import time\nwhile True: time.sleep(0.01)")
        run = box.sandbox.run(ExecRequest(script="solution.py"), Limits(wall_s=100))
        task = asyncio.create_task(run)
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(cancel())
    assert time.monotonic() - began < 20
    assert box.says("print('still here')") == "still here"


def test_what_a_listener_raises_reaches_the_caller(box: Any) -> None:
    def listen(name: str, text: str) -> None:
        raise RuntimeError("listener")

    with pytest.raises(RuntimeError, match="listener"):
        box.run("import time; print('x'); time.sleep(60)", on_output=listen)
    assert box.says("print('still here')") == "still here"


def test_one_execution_at_a_time(box: Any) -> None:
    async def both() -> None:
        await box.sandbox.write("solution.py", b"import time; time.sleep(0.5)")
        request = ExecRequest(script="solution.py")
        first = asyncio.create_task(box.sandbox.run(request, Limits()))
        await asyncio.sleep(0.1)
        with pytest.raises(SandboxError, match="already"):
            await box.sandbox.run(request, Limits())
        assert (await first).exit_code == 0

    asyncio.run(both())


def test_packages_tell_what_can_be_imported(box: Any) -> None:
    packages = box.packages()
    assert {"numpy", "pandas", "scikit-learn"} <= set(packages.versions)
    assert not {"mlxtend", "mlxlab", "vega-datasets", "typing-extensions"} & {
        name.lower().replace("_", "-") for name in packages.versions
    }
    assert packages.versions["numpy"] == box.says("import numpy; print(numpy.__version__)")
    assert packages.python == box.says("import platform; print(platform.python_version())")
    assert (packages.cores, packages.gpus) == (1, ())
    assert packages.memory_bytes > 1 << 28


def test_a_sandbox_that_is_not_open_says_so() -> None:
    sandbox = LocalSandbox(LocalConfig())
    with pytest.raises(SandboxError, match="not open"):
        asyncio.run(sandbox.read("x"))
    asyncio.run(sandbox.close())
