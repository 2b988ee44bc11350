"""A real model, SmolLM2-135M, on what AIDE and the linear agent recorded with real programs."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlxlab
from mlxlab.core.trainer import PolicyRef, TrainProgress
from mlxlab.core.training.examples import gather
from mlxlab.plugins.training.sft import SFT, SFTConfig
from tests.engines import smollm_weights
from tests.training.toy import job

pytestmark = [pytest.mark.train, pytest.mark.slow]
LONGEST = 4_200
"""Tokens: one example of either agent takes a core about a minute, so that two are learned."""


def test_a_real_model_learns_real_steps(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    shown = {"aide?preview_chars=300": 1, "linear": 1}
    for scaffold, steps in shown.items():
        mlxlab.run(task="temperature", scaffold=scaffold, policy="catalog", steps=steps, out=runs)
    found = gather(sorted(runs.iterdir()))
    told: list[TrainProgress] = []
    warned: list[str] = []
    config = SFTConfig(
        steps=2, batch=1, lora=True, lora_r=8, lr=1e-3, schedule="constant", warmup=0,
        max_length=LONGEST, validation=0, gradient_checkpointing=True, save="adapter",
    )  # fmt: skip
    asked = job(
        tmp_path / "out", found, base=PolicyRef(spec=f"local:{smollm_weights()}"),
        tell=told.append, warn=warned.append,
    )  # fmt: skip
    asked.out.mkdir()
    ref = SFT(config).train(asked)
    assert len(told) == 2 and all(0 < each.figures["loss"] < 5 for each in told)
    names = {each.state.decision.scaffold.name for each in found.examples}
    assert names == {"aide", "linear"}
    assert not warned
    final = Path(ref.spec.removeprefix("local:"))
    assert (final / "adapter_model.safetensors").is_file()
    card = (final / "README.md").read_text()
    assert "`temperature`" in card and "of which" in card
