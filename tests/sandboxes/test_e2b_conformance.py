"""The conformance suite on E2B's SDK and a stand-in for its service."""

from contextlib import ExitStack
from typing import ClassVar

import pytest

from mlxlab.core.sandbox import Sandbox
from mlxlab.sandboxes.e2b import E2BConfig, E2BSandbox
from mlxlab.testing import SandboxConformance
from tests.standins.e2b import serving

pytestmark = pytest.mark.e2b


class TestE2B(SandboxConformance):
    temporary_bytes = None  # as much as the disk of the template holds
    service: ClassVar[ExitStack]

    @classmethod
    def setup_class(cls) -> None:
        """Serve for this class alone: threads of the service are gone before anybody looks."""
        with ExitStack() as stack:
            stack.enter_context(serving())
            super().setup_class()
            cls.service = stack.pop_all()

    @classmethod
    def teardown_class(cls) -> None:
        with cls.service:
            super().teardown_class()

    @classmethod
    def make(cls) -> Sandbox:
        return E2BSandbox(E2BConfig())
