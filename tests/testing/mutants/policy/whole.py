"""Policies that keep every promise, one of which needs no server; run it to see them checked."""

from __future__ import annotations

import json
import sys

from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.plugins.policies.openai import OpenAI, OpenAIConfig
from mlxlab.testing.kit import run_checks
from mlxlab.testing.policies import (
    KEY_VARIABLE,
    FaultConformance,
    PolicyConformance,
    ScriptedPolicy,
    ServedConformance,
)


def asked(url: str, timeout_s: float) -> OpenAIConfig:
    """What a policy is told that asks a suite's server."""
    return OpenAIConfig(model="m", base_url=url, timeout_s=timeout_s, key_env=KEY_VARIABLE)


class Router:
    """Asks a cheap policy for what is short, and a strong one for the rest."""

    def __init__(self, cheap: Policy, strong: Policy) -> None:
        self._cheap, self._strong = cheap, strong

    async def act(self, request: PolicyRequest) -> Completion:
        long = sum(len(message.content) for message in request.messages) > 100
        return await (self._strong if long else self._cheap).act(request)

    async def close(self) -> None:
        await self._cheap.close()
        await self._strong.close()


class Routed(PolicyConformance):
    @classmethod
    def make(cls) -> Policy:
        return Router(ScriptedPolicy(lambda _: "Cheap."), ScriptedPolicy(lambda _: "Strong."))


class Asking:
    @classmethod
    def reach(cls, url: str, timeout_s: float) -> Policy:
        return OpenAI(asked(url, timeout_s))


class Served(Asking, ServedConformance):
    pass


class Faulty(Asking, FaultConformance):
    pass


if __name__ == "__main__":
    results = {suite.__name__: list(run_checks(suite)) for suite in (Routed, Served, Faulty)}
    assert "pytest" not in sys.modules
    json.dump(results, sys.stdout)
