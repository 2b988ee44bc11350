"""One open sandbox for a class of tests, driven from synchronous code."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from mlxlab.core.records import CLEAN, Limits
from mlxlab.core.sandbox import ExecRequest, ExecResult, OnOutput, Sandbox, SandboxSetup
from mlxlab.core.states import StateStore
from mlxlab.testing.kit import Conformance
from mlxlab.testing.sandboxes.conformance.answers import answering

T = TypeVar("T")

SCRIPT = "solution.py"
INPUTS = {"train.csv": b"id,x\n1,2\n", "deep/er/notes.txt": b"deep"}
SECRET = "sk-not-for-the-agent"  # noqa: S105 - it opens nothing
_SECRET_NAME = "CONFORMANCE_API_KEY"  # noqa: S105 - likewise


class Harness(Conformance, ABC):
    """Opens what `make` returns once for a class, and empties its workspace before each test."""

    prefix = "sandbox"
    basics = ("it_is_a_sandbox", "the_workspace_stays")
    temporary_bytes: ClassVar[int | None] = 1 << 30
    """What the folder for temporary files may hold; None where nothing but the disk limits it."""
    declarable = ("temporary_bytes",)

    sandbox: ClassVar[Sandbox]
    folder: ClassVar[Path]
    store: ClassVar[StateStore]
    _runner: ClassVar[asyncio.Runner]

    @classmethod
    @abstractmethod
    def make(cls) -> Sandbox:
        """A new sandbox, not open yet."""

    @classmethod
    def setup_class(cls) -> None:
        """Open the sandbox of this class, beside a key and inputs."""
        cls._runner = asyncio.Runner()
        # Not pytest's own folder, which an ordinary user may not be let into.
        cls.folder = Path(tempfile.mkdtemp(prefix="mlx-conformance-"))
        for name, data in INPUTS.items():
            place = cls.folder / "inputs" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        cls.store = StateStore(cls.folder / "states")
        os.environ[_SECRET_NAME] = SECRET
        try:
            cls.sandbox = cls.opened("scratch")
        except BaseException:
            cls._clear()
            raise

    @classmethod
    def teardown_class(cls) -> None:
        """Close it, and leave nothing behind."""
        try:
            cls.wait(cls.sandbox.close())
        finally:
            cls._clear()

    def setup_method(self) -> None:
        """Begin with an empty workspace."""
        self.wait(self.sandbox.restore(self.store, CLEAN))

    @classmethod
    def made(cls) -> Sandbox:
        """What `make` returns, with a look at the type of each answer."""
        return answering(cls.make())

    @classmethod
    def opened(cls, name: str, **setup: Any) -> Sandbox:
        """Another open sandbox with a scratch folder of this name; whoever asks closes it.

        Args:
            name: of the folder.
            setup: fields of its SandboxSetup that are not as the first one's.
        """
        sandbox = cls.made()
        whole = {"scratch": cls.folder / name, "inputs": cls.folder / "inputs", **setup}
        cls.wait(sandbox.open(SandboxSetup(**whole)))
        return sandbox

    @classmethod
    def wait(cls, doing: Coroutine[Any, Any, T]) -> T:
        """Wait for something that a sandbox does; all of it happens in one event loop."""
        return cls._runner.run(doing)

    def script(
        self,
        code: str,
        *args: str,
        seed: int = 0,
        env: dict[str, str] | None = None,
        on_output: OnOutput | None = None,
        **limits: Any,
    ) -> ExecResult:
        """Write a program and run it."""

        async def both() -> ExecResult:
            await self.sandbox.write(SCRIPT, code.encode())
            request = ExecRequest(script=SCRIPT, args=args, seed=seed, env=env or {})
            return await self.sandbox.run(request, Limits(**limits), on_output)

        return self.wait(both())

    def command(
        self, *command: str, env: dict[str, str] | None = None, **limits: Any
    ) -> ExecResult:
        """Run a command."""
        request = ExecRequest(command=command, env=env or {})
        return self.wait(self.sandbox.run(request, Limits(**limits)))

    def says(self, code: str, *args: str, **options: Any) -> str:
        """What a program that must end well prints."""
        result = self.script(code, *args, **options)
        assert (result.outcome, result.exit_code) == ("exited", 0), result
        return result.stdout.strip()

    def write(self, path: str, data: bytes) -> None:
        """Write a file of the workspace."""
        self.wait(self.sandbox.write(path, data))

    def read(self, path: str) -> bytes:
        """Read a file of the workspace."""
        return self.wait(self.sandbox.read(path))

    def names(self, path: str = ".") -> list[str]:
        """The paths that a folder's listing has, without the inputs."""
        found = self.wait(self.sandbox.list(path))
        return [entry.path for entry in found if entry.path != "input"]

    def snapshot(self, parent: str = CLEAN) -> str:
        """Record the workspace; returns the state."""
        kept = self.wait(self.sandbox.snapshot(self.store, parent))
        assert kept.state is not None, kept
        return kept.state

    def restore(self, state: str) -> None:
        """Go back to a state."""
        self.wait(self.sandbox.restore(self.store, state))

    @classmethod
    def _clear(cls) -> None:
        os.environ.pop(_SECRET_NAME, None)
        cls._runner.close()
        shutil.rmtree(cls.folder)


@contextmanager
def raises(*kinds: type[BaseException], naming: str = "") -> Iterator[None]:
    """Expect one of some errors, whose message holds a text; another one is a failed check."""
    expected = f"expected {' or '.join(kind.__name__ for kind in kinds)}"
    try:
        yield
    except kinds as error:
        assert naming in str(error), f"'{naming}' is not in: {error}"
    except AssertionError:  # the look at an answer has said what is wrong
        raise
    except Exception as error:
        raise AssertionError(f"{expected}, not {type(error).__name__}: {error}") from error
    else:
        raise AssertionError(f"{expected}, but nothing was raised")
