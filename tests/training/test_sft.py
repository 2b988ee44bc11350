"""Fine-tuning on recorded steps: it learns, it goes on after a kill, its result is a policy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mlxlab
from mlxlab.core.errors import RecordError, UsageError
from mlxlab.core.trainer import PolicyRef, Trainer, TrainProgress
from mlxlab.core.training.examples import gather
from mlxlab.plugins.training.sft import SFT, SFTConfig
from mlxlab.plugins.training.sft.telling import WHOLE, newest_whole
from tests.training.toy import WORDS, corpus, job

pytestmark = pytest.mark.train
LIMIT_S = 240.0


STEPS = 120
LEARNER = PolicyRef(spec="tiny?hidden=64&layers=2&vocab=400")
CONFIG = SFTConfig(steps=STEPS, batch=16, lr=5e-3, save_s=2, eval_steps=40, threads=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TrainProgress]]:
    """A tiny model after some steps on the toy, and what was told of them."""
    out = tmp_path_factory.mktemp("sft")
    told: list[TrainProgress] = []
    ref = SFT(CONFIG).train(job(out, corpus(), base=LEARNER, tell=told.append))
    assert ref == PolicyRef(spec=f"local:{out / 'final'}")
    return out, told


def test_every_step_is_told_once_with_its_figures(
    trained: tuple[Path, list[TrainProgress]],
) -> None:
    _, told = trained
    assert [each.step for each in told] == list(range(1, STEPS + 1))
    assert {each.total for each in told} == {STEPS}
    for each in told:
        assert {"loss", "lr", "tokens_s", "step_s", "update_s", "entropy"} <= each.figures.keys()
    assert [each.step for each in told if "eval_loss" in each.figures] == [40, 80, 120]
    assert told[-1].figures["loss"] < 0.35 < 4 < told[0].figures["loss"]


def test_the_result_answers_as_it_was_taught(trained: tuple[Path, list[TrainProgress]]) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from mlxlab.plugins.training.prompts import prompt_ids

    folder = trained[0] / "final"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    answers = []
    for each in corpus().examples:
        ids = torch.tensor([prompt_ids(tokenizer, each.messages())])
        drawn = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=20
        )
        answers.append(tokenizer.decode(drawn[0, ids.shape[1] :], skip_special_tokens=True))
    assert {json.loads(answer)["model"] for answer in answers} <= {*WORDS}
    right = sum(
        answer == each.text for answer, each in zip(answers, corpus().examples, strict=True)
    )
    assert right >= 0.5 * len(answers)  # one word for all would be right in 0.2
    card = (folder / "README.md").read_text()
    assert "whose loss on the tasks that were set apart was the smallest" in card
    assert f"| Optimizer steps | {STEPS} |" in card and "`toy0`" in card


def test_a_finished_training_is_not_taken_again(
    trained: tuple[Path, list[TrainProgress]],
) -> None:
    out, heard = trained
    told: list[TrainProgress] = []
    SFT(CONFIG).train(job(out, corpus(), base=LEARNER, tell=told.append))
    assert told == heard[len(heard) - len(told) :]  # those of its last checkpoint, once more


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SFT(SFTConfig(steps=2, batch=4, threads=1)).train(job(tmp_path, corpus()))
    assert capfd.readouterr() == ("", "")


def test_an_adapter_is_trained_and_saved_alone(bases: dict[str, Path], tmp_path: Path) -> None:
    config = SFTConfig(
        steps=3, batch=4, lora=True, save="adapter", gradient_checkpointing=True, threads=1
    )
    asked = job(tmp_path, corpus(), base=PolicyRef(spec=f"local:{bases['plain']}"))
    SFT(config).train(asked)
    assert (tmp_path / "final" / "adapter_model.safetensors").is_file()
    settings = json.loads((tmp_path / "final" / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == str(bases["plain"])


def test_a_loss_that_is_no_number_ends_it_in_a_line(tmp_path: Path) -> None:
    config = SFTConfig(steps=30, lr=1e18, batch=4, max_grad_norm=1e30, warmup=0, threads=1)
    with pytest.raises(UsageError, match=r"The loss of step \d+ is nan") as ended:
        SFT(config).train(job(tmp_path, corpus()))
    assert "smaller lr" in ended.value.hint


def test_an_unknown_tracker_is_refused_in_a_line(tmp_path: Path) -> None:
    config = SFTConfig(steps=1, report_to="nobody", threads=1)
    with pytest.raises(UsageError, match="nobody") as refused:
        SFT(config).train(job(tmp_path, corpus()))
    assert "\n" not in str(refused.value)


def test_a_checkpoint_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RecordError, match="No space left on device") as ended:
        SFT(SFTConfig(steps=2, threads=1)).train(job(tmp_path, corpus()))
    assert "goes on from the one before" in ended.value.hint


def test_the_trainer_keeps_the_contract() -> None:
    trainer = SFT(SFTConfig())
    assert isinstance(trainer, Trainer) and not trainer.needs_arena


def begin(out: Path, steps: int) -> subprocess.Popen[bytes]:
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.training.sft_victim", str(out), str(steps)]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


def told_of(out: Path) -> list[int]:
    log = out / "told.jsonl"
    lines = log.read_text().split("\n")[:-1] if log.is_file() else []
    return [TrainProgress.model_validate_json(line).step for line in lines]


@pytest.mark.slow
def test_a_killed_training_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    parts, whole = tmp_path / "parts", tmp_path / "whole"
    process = begin(parts, 24)
    until = time.monotonic() + LIMIT_S
    while len(told_of(parts)) < 7 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    newest, told = newest_whole(parts / "checkpoints"), len(told_of(parts))
    assert newest is not None and 7 <= told < 24
    assert int(newest.name.rpartition("-")[2]) in (told, told + 1)  # saved, perhaps not yet told
    (parts / "checkpoints" / "checkpoint-99").mkdir()  # one that was cut off
    assert newest_whole(parts / "checkpoints") == newest and (newest / WHOLE).is_file()
    assert begin(parts, 24).wait(LIMIT_S) == 0
    assert begin(whole, 24).wait(LIMIT_S) == 0
    assert set(told_of(parts)) == set(told_of(whole)) == set(range(1, 25))
    one, other = (load_file(out / "final" / "model.safetensors") for out in (parts, whole))
    for name in one:
        assert one[name].allclose(other[name], atol=1e-5), name


@pytest.mark.slow
def test_recipes_are_learned_and_run(tmp_path: Path) -> None:
    for number, task in enumerate(("temperature", "flights")):
        mlxlab.run(
            task=task, scaffold="recipe?explain=false", policy="random", steps=4, seed=number,
            out=tmp_path / "runs",
        )  # fmt: skip
    found = gather(sorted((tmp_path / "runs").iterdir()))
    out = tmp_path / "out"
    told: list[TrainProgress] = []
    config = SFTConfig(
        steps=60, lr=5e-3, batch=8, validation=0, threads=1, valid=False, check=4, eval_steps=30
    )
    ref = SFT(config).train(job(out, found, tell=told.append))
    assert told[-1].figures["loss"] < told[0].figures["loss"] / 2
    result = mlxlab.run(
        task="temperature", scaffold="recipe?explain=false", policy=f"{ref.spec}?threads=1",
        steps=2, out=tmp_path / "after",
    )  # fmt: skip
    assert len(result.steps) == 2
