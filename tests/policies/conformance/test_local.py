"""The suite on a checkpoint in this process: one with nothing to say, and one that thinks."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from mlxlab.core.policy import Policy
from mlxlab.core.registry import Registry
from mlxlab.testing.policies import PolicyConformance
from tests.policies.helpers import ask

pytest.importorskip("torch", reason="torch: pip install 'mlxlab[local]'")


@pytest.fixture(scope="module", autouse=True)
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> None:
    from mlxlab.testing.checkpoints import tiny_checkpoint

    folder = tmp_path_factory.mktemp("checkpoints")
    TestLocal.folder = tiny_checkpoint(folder / "plain")
    TestLocalThinking.folder = tiny_checkpoint(folder / "thinking", thinking=True)
    ask(TestLocal.make())  # a first use imports what changes the environment


class Local(PolicyConformance):
    folder: ClassVar[Path]
    seeded = True
    timed = True
    most_chars = 60_000

    @classmethod
    def spec(cls) -> str:
        return f"local:{cls.folder}"

    @classmethod
    def make(cls) -> Policy:
        return Registry.installed().create("policy", cls.spec()).instance

    def test_what_was_sampled_is_recorded(self) -> None:
        done = self.ask("Say something.", seed=3)
        assert done.token_ids and done.logprobs and done.prompt_token_ids, done
        assert done.temperature is not None


class TestLocal(Local):
    pass


class TestLocalThinking(Local):
    pass
