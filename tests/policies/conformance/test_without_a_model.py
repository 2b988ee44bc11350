"""The suite on the policies that ask no model: the catalog, and a recorded run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.registry import Registry
from mlxlab.core.runs import RunFolder
from mlxlab.plugins.policies.openai import OpenAI, OpenAIConfig
from mlxlab.testing.loopback import Loopback, message
from mlxlab.testing.policies import PolicyConformance
from tests.policies import catalog_tasks
from tests.support import code, make_runner


@pytest.fixture(scope="module", autouse=True)
def recorded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A run whose one answer replies to whatever is asked."""
    TestReplay.folder = tmp_path_factory.mktemp("recorded") / "run"

    async def run(url: str) -> None:
        policy = OpenAI(OpenAIConfig(model="coder", base_url=f"{url}/v1"))
        await make_runner(TestReplay.folder, policy, steps=1).run()
        await policy.close()

    with Loopback([message(code([1.0, 0.0, 1.0, 1.0]), reasoning_content="Hm.")]) as server:
        asyncio.run(run(server.url))


class Unasked(PolicyConformance):
    seeded = True

    @classmethod
    def make(cls) -> Policy:
        return Registry.installed().create("policy", cls.spec() or "").instance


class TestCatalog(Unasked):
    @classmethod
    def spec(cls) -> str:
        return "catalog"

    @classmethod
    def request(cls, *contents: str, **fields: Any) -> PolicyRequest:
        asked = super().request(*contents, **fields)
        task = catalog_tasks.info("accuracy")
        return catalog_tasks.request(task).model_copy(
            update={
                name: getattr(asked, name) for name in asked.model_fields_set - {"decision", "task"}
            }
        )


class TestReplay(Unasked):
    folder: ClassVar[Path]

    @classmethod
    def spec(cls) -> str:
        return f"replay:{cls.folder}"

    @classmethod
    def fields(cls) -> dict[str, Any]:
        return {"decision": RunFolder(cls.folder).steps()[0].decision}


class TestRandom(Unasked):
    scaffold = "recipe"

    @classmethod
    def spec(cls) -> str:
        return "random"


class TestClimb(Unasked):
    scaffold = "recipe"

    @classmethod
    def spec(cls) -> str:
        return "climb"
