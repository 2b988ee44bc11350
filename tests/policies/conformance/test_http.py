"""The suites on the policies that ask servers, each for every way in which they ask."""

from __future__ import annotations

from typing import ClassVar

import pytest

from mlxlab.core.policy import Policy
from mlxlab.core.registry import Registry
from mlxlab.testing.policies import KEY_VARIABLE, FaultConformance, ServedConformance
from tests.policies.helpers import LITELLM_SAYS

pytestmark = [
    pytest.mark.usefixtures("litellm_is_there"),
    *(pytest.mark.filterwarnings(warning) for warning in LITELLM_SAYS),
]


class Named:
    """A policy by its spec."""

    name: ClassVar[str]

    @classmethod
    def reach(cls, url: str, timeout_s: float) -> Policy:
        return Registry.installed().create("policy", cls.written(url, timeout_s)).instance

    @classmethod
    def written(cls, url: str, timeout_s: float) -> str:
        return f"{cls.name}?base_url={url}&timeout_s={timeout_s}&key_env={KEY_VARIABLE}"


class Served(Named, ServedConformance):
    @classmethod
    def spec(cls) -> str:
        return cls.written(cls.address(), cls.call_s)


class TestOpenAI(Served):
    name = "openai:echo"


class TestLiteLLM(Served):
    name = "litellm:openai/echo"


class TestLiteLLMOnVLLM(Served):
    name = "litellm:hosted_vllm/echo"


class TestOpenAIFaults(Named, FaultConformance):
    name = "openai:echo"


class TestLiteLLMFaults(Named, FaultConformance):
    name = "litellm:openai/echo"


class TestLiteLLMOnVLLMFaults(Named, FaultConformance):
    name = "litellm:hosted_vllm/echo"
