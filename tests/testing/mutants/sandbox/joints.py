"""Where a sandbox can be broken: a local one, and around it a layer that spoils one thing."""

from __future__ import annotations

from collections.abc import Callable
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


class Misrun(Mutant):
    """Executes something else than what it was asked to, or tells something else of it."""

    def __init__(
        self,
        real: Real,
        asked: Callable[[ExecRequest], Changes] = lambda _: {},
        limits: Changes | None = None,
        told: Callable[[ExecResult], Changes] = lambda _: {},
    ) -> None:
        super().__init__(real)
        self.asked, self.limits, self.told = asked, limits or {}, told

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        request = request.model_copy(update=self.asked(request))
        limits = limits.model_copy(update=self.limits)
        result = await self.real.run(request, limits, on_output)
        return result.model_copy(update=self.told(result))


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
    return lambda real: Misrun(real, asked=change)


def told(change: Callable[[ExecResult], Changes]) -> Make:
    """A mutant that changes these fields of what an execution came to."""
    return lambda real: Misrun(real, told=change)


def allowing(**limits: Any) -> Make:
    """A mutant with limits of its own."""
    return lambda real: Misrun(real, limits=limits)


def wrapping(before: str = "", after: str = "") -> Make:
    """A mutant with lines around each script."""
    return lambda real: Rewritten(real, before, after)


def instead(**operations: Callable[..., Any]) -> Make:
    """A mutant with functions in the place of operations; each gets the real one first."""
    return lambda real: Instead(real, **operations)
