"""A dry run's figures: equal to the model's own where they can be counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.errors import UsageError
from mlxlab.core.trainer import Machine, PolicyRef, TrainJob
from mlxlab.core.training.examples import Corpus
from mlxlab.plugins.training.estimates import Workload, estimates
from mlxlab.plugins.training.estimates.memory import memory
from mlxlab.plugins.training.estimates.pace import pace
from mlxlab.plugins.training.estimates.shape import shape_of
from mlxlab.plugins.training.grpo import GRPO, GRPOConfig
from mlxlab.plugins.training.models import Weights
from mlxlab.plugins.training.ppo import PPO, PPOConfig
from mlxlab.plugins.training.sft import SFT, SFTConfig

QWEN_7B = {
    "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
    "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064,
    "tie_word_embeddings": False,
}  # fmt: skip
H100 = Machine(gpus=1, gpu_name="H100", gpu_memory_gib=80, gpu_tflops=989, usd_per_hour=3, cores=16)


@pytest.fixture
def seven(tmp_path: Path) -> str:
    (tmp_path / "config.json").write_text(json.dumps(QWEN_7B))
    return f"local:{tmp_path}"


def job(base: str) -> TrainJob:
    return TrainJob(corpus=Corpus(()), base=PolicyRef(spec=base), out=Path("nowhere"))


def lines(base: str, machine: Machine, **options: Any) -> dict[str, str]:
    found = GRPO(GRPOConfig(**options)).estimate(job(base), machine)
    assert all(each.basis for each in found)
    return {each.name: each.value for each in found}


def work(**changes: Any) -> Workload:
    given: dict[str, Any] = {"weights": Weights(), "steps": 10, "sequences": 64, "micro_batch": 8}
    return Workload(**{**given, **changes})


def test_weights_are_counted_as_the_model_has_them(seven: str) -> None:
    """7,615,616,512 with norms and biases, as the model's own card rounds to 7.61 billion."""
    assert shape_of(seven).parameters == pytest.approx(7_615_616_512, rel=1e-4)


def test_a_tiny_model_and_its_adapter_have_the_weights_that_are_told() -> None:
    from mlxlab.plugins.training.models import Lora, load_base

    spec = "tiny?hidden=64&layers=3&vocab=400"
    whole = load_base(spec, texts=["a b c"], device="cpu")
    adapted = load_base(spec, texts=["a b c"], device="cpu", lora=Lora(r=4))
    words = len(whole.tokenizer)
    shape = shape_of(spec)
    assert shape.blocks + 64 * words == pytest.approx(whole.parameters()[0], rel=0.01)
    assert shape.adapter(4) == adapted.parameters()[1]


def test_a_7b_adapter_fits_on_one_gpu_and_all_weights_do_not(seven: str) -> None:
    options = {"preset": "ml-agent", "use_vllm": True, "micro_batch": 8}
    lora = GRPO(GRPOConfig(**options, lora=True)).estimate(job(seven), H100)
    whole = GRPO(GRPOConfig(**options)).estimate(job(seven), H100)
    assert "fits" in next(each.basis for each in lora if each.name == "memory")
    assert "does NOT fit" in next(each.basis for each in whole if each.name == "memory")


def test_who_cannot_shard_does_not_claim_to_fit_sharded(seven: str) -> None:
    """Policy, critic and start policy of 7B on each of eight GPUs; an adapter fits."""
    eight = Machine(gpus=8, gpu_name="A100", gpu_memory_gib=80, gpu_tflops=312, cores=96)
    paper = {"preset": "ml-agent"}

    def told(trainer: PPO | GRPO | SFT) -> dict[str, str]:
        return {each.name: each.basis for each in trainer.estimate(job(seven), eight)}

    ppo = told(PPO(PPOConfig.model_validate(paper)))
    assert "does NOT fit; each holds whole nets" in ppo["memory"]
    assert "memory, sharded" not in ppo
    assert " fits" in told(PPO(PPOConfig.model_validate({**paper, "lora": True})))["memory"]
    for trainer in (
        GRPO(GRPOConfig.model_validate({**paper, "micro_batch": 8})),
        SFT(SFTConfig.model_validate(paper)),
    ):
        found = told(trainer)
        assert "does NOT fit" in found["memory"] and " fits" in found["memory, sharded"]


def test_every_line_that_a_person_decides_by_is_there(seven: str) -> None:
    found = lines(seven, H100)
    names = {"memory", "optimizer steps", "tokens a step", "tokens", "time", "cost"}
    assert names <= found.keys()
    assert found["optimizer steps"] == "120"
    assert found["tokens a step"] == "289 thousand"  # 128 x (2000 + 256), both assumed
    assert "cost" not in lines("tiny", Machine(cores=2))


def test_a_training_by_the_clock_takes_no_longer(seven: str) -> None:
    def told(**options: Any) -> dict[str, str]:
        found = GRPO(GRPOConfig(steps=10**6, **options)).estimate(job(seven), H100)
        return {each.name: each.value for each in found}

    assert told(max_s=3600.0)["time"] == "1.0 h"
    assert int(told(max_s=3600.0)["optimizer steps"].replace(",", "")) < 10**6
    assert told(max_s=1e12) == told()


def test_memory_goes_with_what_it_is_made_of(seven: str) -> None:
    shape = shape_of(seven)

    def size(name: str, **changes: Any) -> float:
        return next(p.size for p in memory(shape, work(**changes), H100) if p.name == name)

    kept = Weights(gradient_checkpointing=True)
    assert size("activations", weights=kept) < size("activations") / 5
    assert size("activations", micro_batch=16) == 2 * size("activations")
    assert size("optimizer", weights=Weights(lora=True)) < size("optimizer") / 100
    assert size("weights", trained=2) == 2 * size("weights")
    assert size("vLLM", vllm=0.5) == 40 * 2**30


def test_executions_beside_a_gpu_are_free_while_they_are_shorter(seven: str) -> None:
    shape = shape_of(seven)
    quick = pace(shape, work(execution_s=0.0), H100)
    slow = pace(shape, work(execution_s=1e4), H100)
    assert quick.step_s == quick.generate_s + quick.update_s
    assert slow.step_s == slow.execute_s == 64 * 0.5 * 1e4 / 16


def test_a_base_without_a_config_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json"):
        estimates(job(str(tmp_path)), H100, work())
