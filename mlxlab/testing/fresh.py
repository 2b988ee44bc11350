"""A function called in a fresh process, where strings have other hashes and sets another order."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_MODULE = "mlxlab.testing.fresh"
_LIMIT_S = 300.0
_CANNOT = 3
"""The status of a process that could not read what it was sent."""


class CannotBeSent(Exception):
    """Something cannot be pickled, or not be imported in another process."""


def called_afresh(function: Callable[..., T], *arguments: Any) -> T:
    """What a function of a module returns in a fresh process: something that JSON can hold.

    Raises:
        CannotBeSent: the function or an argument cannot go from process to process.
        AssertionError: it failed there, or took longer than five minutes.
    """
    try:
        sent = pickle.dumps((function, arguments))
    except Exception as error:
        raise CannotBeSent(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="mlx-fresh-") as folder:
        asked, answer = Path(folder) / "asked", Path(folder) / "answer"
        asked.write_bytes(sent)
        command = [sys.executable, "-P", "-m", _MODULE, str(asked), str(answer)]
        try:
            done = subprocess.run(
                command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                timeout=_LIMIT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"it takes over {_LIMIT_S:g} s in another process") from error
        if done.returncode == _CANNOT:
            raise CannotBeSent(done.stderr.strip())
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        assert done.returncode == 0, f"in another process it fails: {last}"
        result: T = json.loads(answer.read_text())
    return result


def _environment() -> dict[str, str]:
    """This process's, with its import path and another seed of hashes."""
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}


def main(asked: str, answer: str) -> None:
    """Call what was asked for, and leave what it returns."""
    try:
        function, arguments = pickle.loads(Path(asked).read_bytes())  # noqa: S301 - our own
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(_CANNOT)
    Path(answer).write_text(json.dumps(function(*arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
