"""Loading entry points, each in a process of its own.

These are forked from a fresh one that has imported what every component may, so each costs little
more than its own imports. It reads entry points as JSON from stdin and writes what was seen of
each, a line of JSON each.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint
from typing import NamedTuple

from mlxlab.core.places import line_now, package_of

LIMIT_S = 60.0
HEAVY = (
    "numpy", "pandas", "scipy", "sklearn", "matplotlib", "pyarrow", "torch", "tensorflow", "jax",
    "transformers", "trl", "peft", "accelerate", "datasets", "vllm", "litellm", "openai",
    "anthropic", "aiohttp", "docker", "e2b", "gymnasium", "rich", "pytest",
)  # fmt: skip
"""What no module that an entry point names may import before it is used."""


class Loading(NamedTuple):
    """What was seen while an entry point was loaded alone.

    Args:
        cause: why it could not be loaded; empty where it could.
        heavy: the heavy packages that it imported, with the line of its own that did:
            `numpy (brisk/scaffold.py:3)`.
        printed: what it wrote to stdout.
        changes: what it left otherwise than it was: environment, folder, threads, processes.
    """

    cause: str
    heavy: tuple[str, ...] = ()
    printed: str = ""
    changes: tuple[str, ...] = ()


def load_apart(
    points: Sequence[EntryPoint], environment: Mapping[str, str] | None = None
) -> list[Loading]:
    """Load each entry point in a fresh process with this one's import path.

    Args:
        points: what is loaded.
        environment: the process's; None: this one's, with all that was loaded here did to it.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", _MAIN],
        env={
            **(os.environ if environment is None else environment),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        input=json.dumps([[each.name, each.value, each.group] for each in points]),
        capture_output=True,
        text=True,
        errors="backslashreplace",
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if len(lines) != len(points):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise AssertionError(f"a process that loads components ended: {last}")
    return [Loading(cause, tuple(heavy), out, tuple(left)) for cause, heavy, out, left in lines]


def main() -> None:
    """Load what stdin names; each line of stdout is a Loading."""
    import mlxlab.core.loading
    import mlxlab.core.registry
    import mlxlab.testing.found  # noqa: F401 - for all that are forked

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name, value, group in json.load(sys.stdin):
        print(json.dumps(_forked(EntryPoint(name, value, group))), file=answers, flush=True)


def _forked(point: EntryPoint) -> Loading:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(read)
        os.write(write, json.dumps(_loaded(point)).encode())
        os._exit(0)
    os.close(write)
    said = b"".join(_chunks(read))
    os.close(read)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # its children too
    _, status = os.waitpid(child, 0)
    if said:
        cause, heavy, printed, changes = json.loads(said)
        return Loading(cause, tuple(heavy), printed, tuple(changes))
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        return Loading(f"loading took longer than {LIMIT_S:g} s")
    return Loading(f"it ended the process with status {code} while loading")


def _chunks(read: int) -> Iterator[bytes]:
    """What the child says; nothing more once it takes too long."""
    while select.select([read], [], [], LIMIT_S)[0]:
        if not (chunk := os.read(read, 1 << 16)):
            return
        yield chunk
        if chunk.endswith(b"]"):
            return


def _loaded(point: EntryPoint) -> Loading:
    from mlxlab.core.boundary import cause_of
    from mlxlab.core.shared import unreplaced
    from mlxlab.testing.found import Surroundings, output

    before, known = Surroundings.now(), set(sys.modules)
    cause = ""
    with output() as printed, _importers(point.module) as found:
        try:
            with unreplaced():  # what a run keeps from it otherwise is what is looked for here
                point.load()
        except BaseException as error:
            cause = cause_of(error)
    new = [name for name in HEAVY if name in sys.modules and name not in known]
    heavy = tuple(f"{name} ({found[name]})" if found.get(name) else name for name in new)
    return Loading(cause, heavy, printed[0][:200], tuple(before.changes()))


@contextmanager
def _importers(module: str) -> Iterator[dict[str, str]]:
    """Note which line of a module's package asks for each heavy package first."""
    found: dict[str, str] = {}
    own = package_of(module)

    class Noting:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            if name in HEAVY and own is not None and name not in found:
                found[name] = line_now(own)

    sys.meta_path.insert(0, Noting)
    try:
        yield found
    finally:
        with suppress(ValueError):
            sys.meta_path.remove(Noting)


_MAIN = f"from {__name__} import main; main()"
