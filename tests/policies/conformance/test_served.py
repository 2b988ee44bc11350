"""The suite on the policies that ask servers, against a real one: `transformers serve`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import quote

import pytest

from mlxlab.core.policy import Policy
from mlxlab.core.registry import Registry
from mlxlab.testing.policies import PolicyConformance
from tests.policies.conformance.serving import transformers_serve
from tests.policies.helpers import LITELLM_SAYS

pytest.importorskip("torch", reason="torch: pip install 'mlxlab[local]'")
pytest.importorskip("uvicorn", reason="a server: pip install 'transformers[serving]'")

pytestmark = [
    pytest.mark.usefixtures("litellm_is_there"),
    *(pytest.mark.filterwarnings(warning) for warning in LITELLM_SAYS),
]


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One server for the whole module."""
    from mlxlab.testing.checkpoints import tiny_checkpoint

    folder = tmp_path_factory.mktemp("served")
    Served.model = str(tiny_checkpoint(folder / "checkpoint").resolve())
    with transformers_serve(folder) as Served.url:
        yield


class Served(PolicyConformance):
    """A policy whose model is the directory that the server was told of."""

    policy_name: ClassVar[str]
    model: ClassVar[str]
    url: ClassVar[str]
    timed = True
    most_chars = 4_000

    @classmethod
    def spec(cls) -> str:
        base = quote(f"{cls.url}/v1", safe="")
        return f"{cls.policy_name}{quote(cls.model)}?base_url={base}&timeout_s=60"

    @classmethod
    def make(cls) -> Policy:
        return Registry.installed().create("policy", cls.spec()).instance


class TestOpenAI(Served):
    policy_name = "openai:"


class TestLiteLLM(Served):
    policy_name = "litellm:openai/"


class TestLiteLLMOnVLLM(Served):
    policy_name = "litellm:hosted_vllm/"
