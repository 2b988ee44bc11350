"""The untrusted program: the last of our code that runs before and after it."""

from __future__ import annotations

import builtins
import contextlib
import os
import random
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from . import confine, linux
from .leaving import leave

_CANNOT_OPEN = 2
_NOT_FOUND = 127
_FIRST_OTHER_FD = 3

UNREACHABLE = "another user than root cannot read"
"""What a report says of an interpreter that only root can use."""


def warm_up() -> None:
    """Do ahead what needs no request, and touch what the rest will write to.

    The first write to a page that is shared with the zygote costs a copy of it: going through
    `sys.modules` alone touches hundreds of them.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "zygote"]:
        del sys.modules[name]
    linux.c_output_by_line()
    _seed(0)
    confine.prepare()
    exec(compile("import sys", "main.py", "exec"), {})  # noqa: S102


def start(request: Mapping[str, Any], out: int, err: int, bounds: confine.Bounds) -> NoReturn:
    """Become the program; whatever fails before its first line is raised."""
    try:
        _become(request, out, err, bounds)
        if request["command"]:
            _execute([*request["command"], *request["args"]])
        os.closerange(_FIRST_OTHER_FD, confine.OPEN_FILES)
        if request["script"] is None:
            os._exit(0)
        _seed(request["seed"])
        home = str(Path.cwd())
        leave(_run(request["script"], request["args"]), home)
    except MemoryError:
        os.write(2, b"MemoryError: the limit is too low for Python itself\n")
        os._exit(1)


def _become(request: Mapping[str, Any], out: int, err: int, bounds: confine.Bounds) -> None:
    """Give up everything that the program must not have."""
    os.setsid()
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    with contextlib.suppress(OSError):
        # With root's privileges still, so that nobody without them can take it back.
        Path("/proc/self/oom_score_adj").write_text("1000")
    confine.limit(bounds)
    if request["cpus"]:
        os.sched_setaffinity(0, request["cpus"])
    if request["isolated"]:
        confine.become(request["uid"])
        confine.filter_calls(pinned=bool(request["cpus"]))
    os.chdir(request["folder"])
    os.umask(0o022)
    os.environ.update(request["env"])
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if request["script"] is None and not request["command"]:
        _check_reach()


def _execute(command: list[str]) -> NoReturn:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.closerange(_FIRST_OTHER_FD, confine.OPEN_FILES)
    try:
        os.execvp(command[0], command)  # noqa: S606 - untrusted by design, and confined
    except (OSError, ValueError) as error:
        os.write(2, f"{command[0]}: {getattr(error, 'strerror', None) or error}\n".encode())
    os._exit(_NOT_FOUND)


def _check_reach() -> None:
    """Raise if this user cannot execute the interpreter, or import what is installed."""
    if not os.access(sys.executable, os.X_OK):
        raise PermissionError(f"{UNREACHABLE} {sys.executable}")
    for folder in (folder for folder in map(Path, sys.path) if folder.is_dir()):
        _check_readable(folder)
        for path in filter(_is_imported, folder.iterdir()):
            _check_readable(path)


def _check_readable(path: Path) -> None:
    if not os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK):
        raise PermissionError(f"{UNREACHABLE} {path}")


def _is_imported(path: Path) -> bool:
    """Whether it looks like a package or a module; a link that leads nowhere is neither."""
    if not path.stem.isidentifier() or path.name == "__pycache__":
        return False
    return path.suffix in {"", ".py"} and path.exists()


def _seed(seed: int) -> None:
    random.seed(seed)
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed(seed % 2**32)


def _run(script: str, args: Sequence[str]) -> int:
    """Run a script as `python script args` does; returns the exit code."""
    path = str(Path.cwd() / script)
    sys.argv = [script, *args]
    sys.path.insert(0, str(Path(path).parent))
    try:
        source = Path(path).read_bytes()
    except OSError as error:
        print(f"python: can't open file {path!r}: {error.strerror}", file=sys.stderr)
        return _CANNOT_OPEN
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins, __cached__=None)
    del sys.modules["__main__"]  # what it imports shall come after it
    sys.modules["__main__"] = main
    try:
        exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102
    except SystemExit as error:
        return _exit_code(error)
    except BaseException as error:
        error = error.with_traceback(_cleaned(error.__traceback__, path))
        _show(error)
        return 1
    return 0


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    with contextlib.suppress(Exception):
        print(error.code, file=sys.stderr)
    return 1


def _show(error: BaseException) -> None:
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException:  # the program's own hook
        sys.__excepthook__(type(error), error, error.__traceback__)


def _cleaned(trace: TracebackType | None, path: str) -> TracebackType | None:
    """A traceback from the script's own first frame on; None if it has none."""
    while trace is not None and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    return trace
