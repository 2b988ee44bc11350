"""The conformance suite on the sandbox that runs on any Linux; the others' stand with their own."""

from mlxlab.core.sandbox import Sandbox
from mlxlab.sandboxes.local import LocalConfig, LocalSandbox
from mlxlab.testing import SandboxConformance


class TestLocal(SandboxConformance):
    @classmethod
    def make(cls) -> Sandbox:
        return LocalSandbox(LocalConfig())
