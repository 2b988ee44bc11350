"""What a sandbox is opened with: packages that must be out of sight, no inputs, cores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlxlab.core.errors import SandboxUnavailable
from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, Sandbox
from mlxlab.testing.sandboxes.conformance.harness import SCRIPT, Harness

_FINDS = """
import importlib.util, json, os, sys
for distribution in sys.argv[1:]:
    name = distribution.lower().replace("-", "_")
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is not None and os.path.isfile(spec.origin or ""):
        print(json.dumps([name, distribution, spec.origin]))
        break
else:
    print("null")
"""
_TRIES = """
import importlib, sys
name, origin = sys.argv[1:]
try: importlib.import_module(name); print("imported")
except ImportError: print("refused")
try: print(f"read {len(open(origin, 'rb').read())} bytes")
except OSError: print("refused")
"""
_INPUTS = "import os; print(os.listdir('input') if os.path.isdir('input') else [])"
_POOLS = "import os; print(os.environ.get('OMP_NUM_THREADS'))"


class Setups(Harness):
    """Each is opened with a setup of its own."""

    def test_what_is_hidden_is_out_of_sight(self) -> None:
        """A hidden package is neither imported, read nor told of, or it is refused to be opened."""
        if self.sandbox.isolation.answers_reachable:
            return
        found = json.loads(self.says(_FINDS, *self.wait(self.sandbox.packages()).versions))
        if found is None:  # no package that could hold answers
            return
        name, distribution, origin = found
        assert self.says(_TRIES, name, origin).startswith("imported\nread"), found
        try:
            with self._open("hidden", hidden=(name,)) as other:
                said = self._of(other, _TRIES, name, origin)
                told = self.wait(other.packages()).versions
        except SandboxUnavailable:
            return
        assert said == "refused\nrefused", f"{name} is hidden: {said}"
        assert distribution not in told, f"{name} is hidden, and `packages` tells of it"

    def test_without_inputs_there_are_none(self) -> None:
        """Opened without inputs, it shows the code no file in `input/`."""
        with self._open("alone", inputs=None) as other:
            assert (said := self._of(other, _INPUTS)) == "[]", said

    def test_thread_pools_are_no_larger_than_its_cores(self) -> None:
        """Opened with one core, it tells the code's thread pools so: OMP_NUM_THREADS is 1."""
        said = self.says(_POOLS)
        assert said == "1", f"it is opened with one core, and OMP_NUM_THREADS is {said}"

    @contextmanager
    def _open(self, name: str, **setup: Any) -> Iterator[Sandbox]:
        other = self.opened(name, **setup)
        try:
            yield other
        finally:
            self.wait(other.close())

    def _of(self, other: Sandbox, code: str, *args: str) -> str:
        """What a program in another sandbox prints."""
        self.wait(other.write(SCRIPT, code.encode()))
        result = self.wait(other.run(ExecRequest(script=SCRIPT, args=args), Limits()))
        assert (result.outcome, result.exit_code) == ("exited", 0), result
        return result.stdout.strip()
