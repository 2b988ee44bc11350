"""What a training leaves: a folder that transformers and `--policy local:` take, and its card."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mlxlab.core.registry import Registry
from mlxlab.core.trainer import PolicyRef
from mlxlab.core.training.examples import gather
from mlxlab.plugins.training.card import Facts
from mlxlab.plugins.training.final import save_final
from mlxlab.plugins.training.models import Lora, load_base
from mlxlab.plugins.training.samples import Sample, Samples, read_samples
from tests.policies.helpers import request
from tests.recorded import APART, record_run
from tests.training.toy import corpus, job

FACTS = Facts(
    trainer="sft",
    options={"lr": 0.001, "steps": None},
    steps=7,
    first={"loss": 3.25},
    last={"loss": 0.5, "lr": 0.0},
    seconds=12.0,
)


def answered(spec: str) -> str:
    """What `--policy` makes of the spec says."""
    policy = Registry.installed().create("policy", f"{spec}?max_tokens=3&threads=1").instance

    async def ask() -> str:
        try:
            return (await policy.act(request())).model
        finally:
            await policy.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", ["whole", "merged", "adapter"])
def test_every_form_of_result_is_a_policy(
    bases: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    lora = None if kind == "whole" else Lora(r=2)
    loaded = load_base(str(bases["plain"]), lora=lora, device="cpu")
    asked = job(tmp_path, corpus(2), base=PolicyRef(spec=f"local:{bases['plain']}"))
    ref = save_final(asked, loaded, FACTS, merge=kind != "adapter")
    assert ref.spec == f"local:{tmp_path / 'final'}"
    assert (tmp_path / "final" / "adapter_config.json").is_file() == (kind == "adapter")
    assert (tmp_path / "final" / "generation_config.json").is_file() == (kind != "adapter")
    assert answered(ref.spec).startswith("local/final@")
    again = save_final(asked, load_base(str(bases["plain"]), device="cpu"), FACTS)
    assert again == ref and not (tmp_path / ".final.new").exists()


def test_the_card_is_written_from_the_record(bases: dict[str, Path], tmp_path: Path) -> None:
    shown = record_run(tmp_path, "shown", [0.5], feedback="private")
    kept = record_run(tmp_path, "kept", [0.5], isolation=APART)
    loaded = load_base(str(bases["plain"]), device="cpu")
    asked = job(tmp_path / "out", gather([kept, shown]), reward="ml-agent", seed=3)
    asked.out.mkdir()
    save_final(asked, loaded, FACTS)
    card = (asked.out / "final" / "README.md").read_text()
    for part in ("trainer", "`sft`", "lr=0.001", "| loss | 3.25 | 0.5 |", "| Seed | 3 |", "`kept`"):
        assert part.lower() in card.lower(), part
    assert "| Optimizer steps | 7 |" in card and "steps=None" not in card
    assert "unknown: the base states none" in card and "license:" not in card
    assert "read no private score" in card
    assert "within its reach: `shown`" in card
    assert "mlx run --policy local:" in card and "transformers " in card


def test_the_licence_is_what_the_base_says(bases: dict[str, Path], tmp_path: Path) -> None:
    loaded = load_base(str(bases["plain"]), device="cpu")
    loaded.licence = "apache-2.0"
    save_final(job(tmp_path, corpus(2)), loaded, FACTS)
    card = (tmp_path / "final" / "README.md").read_text()
    assert "license: apache-2.0" in card and "| Licence | apache-2.0 |" in card


def test_what_is_sampled_again_is_dropped(tmp_path: Path) -> None:
    first = Samples(tmp_path)
    first.add([Sample(step=step, state="a/0", text="x\ny", reward=0.5) for step in (1, 1, 2, 3)])
    first.close()
    with (tmp_path / "samples.jsonl").open("a") as file:
        file.write('{"step": 4, "sta')  # killed while it wrote
    again = Samples(tmp_path, after=2)
    again.add([Sample(step=3, state="b/0", text="z", status="ok", cached=True)])
    again.close()
    found = [(each.step, each.text) for each in read_samples(tmp_path)]
    assert found == [(1, "x\ny"), (1, "x\ny"), (2, "x\ny"), (3, "z")]
