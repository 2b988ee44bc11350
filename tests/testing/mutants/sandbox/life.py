"""Sandboxes that are no whole ones, or do not end."""

from __future__ import annotations

from mlxlab.core.errors import SandboxError
from mlxlab.core.sandbox import Packages, SandboxSetup
from tests.testing.mutants.sandbox.apart import Shielded, Single
from tests.testing.mutants.sandbox.joints import Make, Mutant, Real, asked, instead
from tests.testing.mutants.sandbox.running import adding


class Partial(Mutant):
    """Lacks a method."""

    packages = None


class Untidy(Mutant):
    """Leaves a file behind."""

    async def open(self, setup: SandboxSetup) -> None:
        self.scratch = setup.scratch
        await self.real.open(setup)

    async def close(self) -> None:
        await self.real.close()
        self.scratch.joinpath("log").write_text("closed")


class Unheeding(Mutant):
    """Shows what it was opened to hide, and inputs where there are none."""

    async def open(self, setup: SandboxSetup) -> None:
        shown = setup.scratch.parent / "inputs"
        await self.real.open(setup.model_copy(update={"hidden": (), "inputs": shown}))


async def _always_open(real: Real, path: str, max_bytes: int = 1 << 30) -> bytes:
    try:
        return await real.read(path, max_bytes)
    except SandboxError:
        return b""


async def _of_long_ago(real: Real) -> Packages:
    return (await real.packages()).model_copy(update={"python": "2.7.18"})


LIFE: dict[str, Make] = {
    "it_is_a_sandbox": Partial,
    "cancelling_kills_everything": Shielded,
    "two_do_not_meet": Single,
    "closing_twice_and_using_it_afterwards": Untidy,
    "one_that_was_never_opened": instead(read=_always_open),
    "packages_are_what_code_finds": instead(packages=_of_long_ago),
}
SETUPS: dict[str, Make] = {
    "what_is_hidden_is_out_of_sight": Unheeding,
    "without_inputs_there_are_none": Unheeding,
    "thread_pools_are_no_larger_than_its_cores": asked(adding(OMP_NUM_THREADS="64")),
}
