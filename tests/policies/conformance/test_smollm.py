"""The suite, and a run, on a small real model: SmolLM2-135M-Instruct."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mlxlab.core.policy import Policy, PolicyRequest, Sampling
from mlxlab.core.registry import Registry
from mlxlab.core.runs import RunFolder
from mlxlab.testing.policies import PolicyConformance, neutral_request
from tests.engines import smollm_weights
from tests.policies.helpers import ask

pytestmark = pytest.mark.slow
pytest.importorskip("torch", reason="torch: pip install 'mlxlab[local]'")

FEW = 6
"""Tokens of most answers: sixteen or so are written in a second."""


@pytest.fixture(scope="module", autouse=True)
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights as transformers keeps them, converted once."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    weights = smollm_weights()
    folder = tmp_path_factory.mktemp("smollm")
    model = AutoModelForCausalLM.from_pretrained(
        weights.parent,
        gguf_file=weights.name,
        dtype="float32",
        quantization_config=GgufConfig(dequantize=True),
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(folder)
    TestSmolLM.folder = folder
    # A first use imports what changes the environment.
    ask(TestSmolLM.make(), TestSmolLM.request("Hello?"))
    return folder


class TestSmolLM(PolicyConformance):
    folder: ClassVar[Path]
    seeded = True
    timed = True

    @classmethod
    def spec(cls) -> str:
        return f"local:{cls.folder}?threads=1"

    @classmethod
    def make(cls) -> Policy:
        return Registry.installed().create("policy", cls.spec()).instance

    @classmethod
    def request(cls, *contents: str, **fields: Any) -> PolicyRequest:
        asked = super().request(*contents, **fields)
        most = min(asked.sampling.max_tokens or FEW, FEW)
        return asked.model_copy(
            update={"sampling": asked.sampling.model_copy(update={"max_tokens": most})}
        )


def test_it_says_what_is_known(checkpoint: Path) -> None:
    policy = Registry.installed().create("policy", f"local:{checkpoint}?threads=1").instance
    sampling = Sampling(temperature=0.0, max_tokens=16)
    asked = neutral_request("What is the capital of France?", sampling=sampling)
    (done,) = ask(policy, asked)
    assert "Paris" in done.text


def test_a_run_with_it_is_recorded(checkpoint: Path, tmp_path: Path) -> None:
    policy = f"local:{checkpoint}?max_tokens=64&threads=1"
    scaffold = "aide?max_asks=0&preview_chars=500"  # its prompts are what takes the time
    words = ["--policy", policy, "--scaffold", scaffold, "--steps", "2", "--out", "runs"]
    done = subprocess.run(
        [sys.executable, "-m", "mlxlab", "run", "--task", "temperature", *words, "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = RunFolder(Path(tmp_path, json.loads(done.stdout)["run_dir"]))
    steps = folder.steps()
    assert len(steps) == 2
    for call in folder.calls():
        said = call.completion
        assert said is not None and said.token_ids and said.prompt_token_ids
        assert said.logprobs is not None and len(said.logprobs) == len(said.token_ids) <= 64
        assert said.usage.completion_tokens == len(said.token_ids) and said.cost_usd == 0
