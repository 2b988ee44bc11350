"""A sandbox from its opening to its closing, and what happens when a run is cancelled."""

from __future__ import annotations

import asyncio
import time

from mlxlab.core.errors import SandboxError
from mlxlab.core.given import lacked
from mlxlab.core.records import CLEAN, Limits
from mlxlab.core.sandbox import ExecRequest, Isolation, Sandbox
from mlxlab.testing.sandboxes.conformance.answers import RETURNS, own
from mlxlab.testing.sandboxes.conformance.harness import SCRIPT, Harness, raises
from mlxlab.testing.sandboxes.conformance.leftovers import WRITER

_VERSIONS = """
import importlib.metadata as m, json, platform, sys
print(json.dumps([platform.python_version(), {n: m.version(n) for n in sys.argv[1:]}]))
"""
_IMPORTED = {"numpy": "numpy", "pandas": "pandas", "scipy": "scipy", "scikit-learn": "sklearn"}


class Life(Harness):
    """Opening, cancelling, closing."""

    def test_it_is_a_sandbox(self) -> None:
        """It has every method of the protocol, and says what it isolates."""
        made = own(self.sandbox)
        told = lacked("sandbox", made)
        assert not told, told
        odd = [name for name in RETURNS if not callable(getattr(made, name))]
        assert not odd, f"it is no method: {', '.join(odd)}"
        said: object = self.sandbox.isolation
        kind = type(said).__name__
        assert isinstance(said, Isolation), f"isolation is {kind}, no Isolation"

    def test_cancelling_kills_everything(self) -> None:
        """A cancelled run leaves no process, and a sandbox that can be used."""
        heard = False

        def hear(name: str, text: str) -> None:
            nonlocal heard
            heard = True

        async def cancel() -> None:
            code = f"{WRITER}\nprint('began', flush=True)\ntime.sleep(60)\n"
            await self.sandbox.write(SCRIPT, code.encode())
            run = self.sandbox.run(ExecRequest(script=SCRIPT), Limits(wall_s=100), hear)
            task = asyncio.create_task(run)
            until = time.monotonic() + 60
            while not heard and time.monotonic() < until:
                await asyncio.sleep(0.05)
            task.cancel()
            with raises(asyncio.CancelledError):
                await task

        self.wait(cancel())
        assert heard
        size = len(self.read("grows"))
        time.sleep(0.3)
        assert len(self.read("grows")) == size > 0, "a process outlived the cancelled run"
        assert self.says("print('usable')") == "usable"

    def test_two_do_not_meet(self) -> None:
        """Two open sandboxes share no workspace, even while both run."""
        other = self.opened("other")
        try:
            self.write("mine", b"")
            assert not [e for e in self.wait(other.list()) if e.path == "mine"]

            async def both() -> list[str]:
                request = ExecRequest(command=("sh", "-c", "sleep 0.3; ls; pwd >&2; echo >own"))
                runs = (box.run(request, Limits()) for box in (self.sandbox, other))
                return [result.stdout for result in await asyncio.gather(*runs)]

            here, there = self.wait(both())
            assert "mine" in here and "mine" not in there, (here, there)
        finally:
            self.wait(other.close())

    def test_closing_twice_and_using_it_afterwards(self) -> None:
        """Closed, it left nothing in scratch, closes again, and refuses any use."""
        other = self.opened("closed")
        self.wait(other.write("x", b""))
        self.wait(other.close())
        self.wait(other.close())
        scratch = self.folder / "closed"
        left = sorted(path.name for path in scratch.iterdir()) if scratch.exists() else []
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        assert not left, f"files are left in scratch: {', '.join(left[:3])}{more}"
        self._refuses(other)

    def test_one_that_was_never_opened(self) -> None:
        """One that was never opened refuses any use, and can be closed."""
        never = self.made()
        self._refuses(never)
        self.wait(never.close())

    def test_packages_are_what_code_finds(self) -> None:
        """`packages` tells the versions, interpreter and cores that the code finds."""
        packages = self.wait(self.sandbox.packages())
        result = self.command("python", "-c", _VERSIONS, *packages.versions)
        assert result.exit_code == 0, result
        text = result.stdout.replace(": ", ":").replace(", ", ",").strip()
        wanted = ",".join(f'"{name}":"{version}"' for name, version in packages.versions.items())
        assert text == f'["{packages.python}",{{{wanted}}}]'
        assert packages.cores == 1 and packages.memory_bytes > 1 << 26 and packages.gpus == ()
        for name in set(_IMPORTED) & set(packages.versions):
            code = f"import {_IMPORTED[name]} as m; print(m.__version__)"
            assert self.says(code) == packages.versions[name]

    def _refuses(self, sandbox: Sandbox) -> None:
        """Every operation says that the sandbox is not open."""
        request = ExecRequest(command=("true",))
        for doing in (
            lambda: sandbox.run(request, Limits()),
            lambda: sandbox.read("x"),
            lambda: sandbox.write("x", b""),
            lambda: sandbox.remove("x"),
            lambda: sandbox.list(),
            lambda: sandbox.snapshot(self.store, CLEAN),
            lambda: sandbox.restore(self.store, CLEAN),
            lambda: sandbox.packages(),
        ):
            with raises(SandboxError):
                self.wait(doing())
