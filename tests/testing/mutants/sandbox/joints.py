"""Where a sandbox can be broken: a local one, and around it a layer that spoils one thing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, ExecResult, OnOutput, SandboxSetup
from mlxlab.sandboxes.local import LocalConfig, LocalSandbox


class Real(LocalSandbox):
    """The sandbox below a mutant; `root` is its workspace as the host sees it."""

    root: Path

    async def open(self, setup: SandboxSetup) -> None:
        self.root = setup.scratch / "workspace"
        await super().open(setup)


class Mutant:
    """Does what the real one does; a subclass breaks a promise."""

    over: ClassVar[LocalConfig] = LocalConfig()

    def __init__(self, real: Real) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def undo(self) -> None:
        """Clear away after the check what the real one will not."""


Make = Callable[[Real], Mutant]
Changes = dict[str, Any]


class Asked(Mutant):
    """Executes something else than what it was asked to."""

    def __init__(self, real: Real, change: Callable[[ExecRequest], Changes]) -> None:
        super().__init__(real)
        self.change = change

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        request = request.model_copy(update=self.change(request))
        return await self.real.run(request, limits, on_output)


class Allowing(Mutant):
    """Has limits of its own."""

    def __init__(self, real: Real, **limits: Any) -> None:
        super().__init__(real)
        self.limits = limits

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        return await self.real.run(request, limits.model_copy(update=self.limits), on_output)


class Told(Mutant):
    """Tells something else of an execution than what it came to."""

    def __init__(self, real: Real, change: Callable[[ExecResult], Changes]) -> None:
        super().__init__(real)
        self.change = change

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        result = await self.real.run(request, limits, on_output)
        return result.model_copy(update=self.change(result))


class Rewritten(Mutant):
    """Puts lines of its own around a script."""

    def __init__(self, real: Real, before: str, after: str) -> None:
        super().__init__(real)
        self.before, self.after = before, after

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        if request.script is not None:
            code = (await self.real.read(request.script)).decode()
            await self.real.write(request.script, f"{self.before}\n{code}\n{self.after}".encode())
        return await self.real.run(request, limits, on_output)


class Instead(Mutant):
    """Does single operations its own way."""

    def __init__(self, real: Real, **operations: Callable[..., Any]) -> None:
        super().__init__(real)
        for name, operation in operations.items():
            setattr(self, name, operation.__get__(real))


def asked(change: Callable[[ExecRequest], Changes]) -> Make:
    """A mutant that changes these fields of what it is asked to execute."""
    return partial(Asked, change=change)


def allowing(**limits: Any) -> Make:
    """A mutant with other limits than it is asked to keep."""
    return partial(Allowing, **limits)


def told(change: Callable[[ExecResult], Changes]) -> Make:
    """A mutant that changes these fields of what an execution came to."""
    return partial(Told, change=change)


def wrapping(before: str = "", after: str = "") -> Make:
    """A mutant with lines around each script."""
    return partial(Rewritten, before=before, after=after)


def instead(**operations: Callable[..., Any]) -> Make:
    """A mutant with functions in the place of operations; each gets the real one first."""
    return partial(Instead, **operations)


def changes_programs(make: Make) -> bool:
    """Whether such a mutant runs other programs than it was given."""
    return isinstance(make, partial) and make.func in {Asked, Rewritten}
