"""The trainer `grpo`, on a tiny model and a bandit whose best arm is known."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.errors import MlxError, RecordError, UsageError
from mlxlab.core.trainer import TrainProgress
from mlxlab.core.training.states import State, Taken
from mlxlab.plugins.training.grpo import GRPO, GRPOConfig
from mlxlab.plugins.training.samples import read_samples
from tests.training.bandit import Bandit, job, likes_own_letter, pulled, state

pytestmark = pytest.mark.train

STATES = [state("a", said="aaaaaaa"), state("b", said="bbbbbbbbbb")]
SMALL: dict[str, Any] = {
    "steps": 4, "states_per_step": 2, "generations": 8, "max_completion_tokens": 3, "lr": 5e-3,
    "micro_batch": 8, "threads": 1,
}  # fmt: skip


@pytest.fixture
def bandit() -> Iterator[Bandit]:
    made = Bandit()
    yield made
    made.close()


def weights(out: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(out / "final" / "model.safetensors"))


def same(one: Path, other: Path) -> bool:
    import torch

    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def trained(out: Path, bandit: Bandit, **options: Any) -> list[TrainProgress]:
    told: list[TrainProgress] = []
    given = {**SMALL, **options}
    GRPO(GRPOConfig(**given)).train(job(out, STATES, bandit, tell=told.append))
    return told


def test_a_bandit_with_a_known_optimum_is_solved(tmp_path: Path, bandit: Bandit) -> None:
    options = {"generations": 64, "max_completion_tokens": 1, "save_steps": 60, "micro_batch": 64}
    # At a higher rate it depends on the processor's sums whether one letter is stuck.
    told = trained(tmp_path, bandit, **options, steps=120, lr=3e-3)
    assert [each.step for each in told] == list(range(1, 121))
    before, after = told[0].figures, [each.figures for each in told[-10:]]
    assert before["reward"] < 0.3
    assert sum(each["reward"] for each in after) / 10 > 0.95
    assert before["kl"] == pytest.approx(0, abs=1e-6)
    assert after[-1]["kl"] > 1
    assert after[-1]["entropy"] < before["entropy"] / 2


def test_every_step_has_its_figures_and_samples(tmp_path: Path, bandit: Bandit) -> None:
    told = trained(tmp_path, bandit)
    figures = told[-1].figures
    for name in ("reward", "valid", "improvement", "unique", "kl", "entropy", "loss", "lr"):
        assert name in figures
    for name in ("generate_s", "execute_s", "update_s", "step_s", "execution_s"):
        assert figures[name] > 0
    assert figures["executed"] == figures["actions"] == 16
    assert told[-1].total == 4
    samples = read_samples(tmp_path)
    assert [each.step for each in samples] == [step for step in range(1, 5) for _ in range(16)]
    assert sum(each.reward or 0 for each in samples[-16:]) / 16 == pytest.approx(figures["reward"])
    card = (tmp_path / "final" / "README.md").read_text()
    assert "Wall time" in card and f"{told[0].figures['loss']:.4g}" in card
    assert all(f"\n| {name} | " in card for name in ("reward", "loss", "entropy", "kl"))


def test_the_policy_local_would_be_asked_with_the_same_tokens(
    tmp_path: Path, bandit: Bandit
) -> None:
    """And the final folder draws what training drew: the best letter of each state."""
    import asyncio

    from mlxlab.core.policy import PolicyRequest
    from mlxlab.plugins.policies.local import Local, LocalConfig

    trained(tmp_path, bandit, steps=1)
    policy = Local(LocalConfig(path=str(tmp_path / "final"), max_tokens=3, threads=1))
    where = STATES[0]
    request = PolicyRequest(
        messages=tuple(where.messages()), decision=where.decision, task=where.info
    )

    async def ask() -> Any:
        try:
            return await policy.act(request)
        finally:
            await policy.close()

    from mlxlab.plugins.training.models import load
    from mlxlab.plugins.training.prompts import prompt_ids

    loaded = load(job(tmp_path, STATES, bandit), GRPOConfig(**SMALL))
    asked = asyncio.run(ask())
    assert list(asked.prompt_token_ids) == prompt_ids(loaded.tokenizer, where.messages())


def test_a_training_that_was_cut_off_ends_with_the_same_weights(
    tmp_path: Path, bandit: Bandit
) -> None:
    whole = trained(tmp_path / "whole", bandit, choose="variance")
    told: list[TrainProgress] = []

    def cut(progress: TrainProgress) -> None:
        told.append(progress)
        if len(told) == 2:
            raise KeyboardInterrupt

    parts = job(tmp_path / "parts", STATES, bandit, tell=cut)
    trainer = GRPO(GRPOConfig(**SMALL, choose="variance"))
    with pytest.raises(KeyboardInterrupt):
        trainer.train(parts)
    trainer.train(parts)
    assert [each.step for each in told] == [1, 2, 2, 3, 4]  # the second is told again, to be sure
    assert same(tmp_path / "whole", tmp_path / "parts")
    assert told[-1].figures["reward"] == whole[-1].figures["reward"]
    assert [s.text for s in read_samples(tmp_path / "whole")] == [
        s.text for s in read_samples(tmp_path / "parts")
    ]
    trainer.train(parts)  # all steps are done: it only writes the result again
    assert same(tmp_path / "whole", tmp_path / "parts")


def test_actions_that_are_used_twice_are_so_after_a_resume(tmp_path: Path, bandit: Bandit) -> None:
    """No checkpoint holds sampled actions, so none is written between their uses."""
    twice = {"num_iterations": 2, "steps": 6}
    whole = trained(tmp_path / "whole", bandit, **twice)
    told: list[TrainProgress] = []

    def cut(progress: TrainProgress) -> None:
        told.append(progress)
        if progress.step == 3 and len(told) == 3:
            raise KeyboardInterrupt

    parts = job(tmp_path / "parts", STATES, bandit, tell=cut)
    trainer = GRPO(GRPOConfig(**{**SMALL, **twice}))
    with pytest.raises(KeyboardInterrupt):
        trainer.train(parts)
    before = mark(tmp_path / "parts")
    trainer.train(parts)
    assert same(tmp_path / "whole", tmp_path / "parts")
    assert [s.text for s in read_samples(tmp_path / "whole")] == [
        s.text for s in read_samples(tmp_path / "parts")
    ]
    assert [each.figures["transitions"] for each in whole] == [16, 16, 32, 32, 48, 48]
    assert told[-1].figures["transitions"] == 48
    assert mark(tmp_path / "parts")["seconds"] > before["seconds"] > 0


def mark(out: Path) -> dict[str, Any]:
    from mlxlab.plugins.training.grpo.ledger import newest

    found = newest(out / "checkpoints")
    assert found is not None
    return found[1]


def test_kl_is_measured_on_every_draw_of_actions(tmp_path: Path, bandit: Bandit) -> None:
    told = trained(tmp_path, bandit, num_iterations=2)
    assert told[0].figures["kl"] == pytest.approx(0, abs=1e-6)
    assert told[2].figures["kl"] > 1e-4


def test_a_torn_checkpoint_is_not_gone_on_from(tmp_path: Path, bandit: Bandit) -> None:
    trained(tmp_path / "whole", bandit)
    trained(tmp_path / "parts", bandit, steps=3)
    torn = tmp_path / "parts" / "checkpoints" / "checkpoint-3"
    (torn / "whole.json").unlink()
    (torn / "model.safetensors").write_bytes(b"half")
    told = trained(tmp_path / "parts", bandit)
    assert [each.step for each in told] == [2, 3, 4]
    assert same(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize(
    "options",
    [
        {"num_iterations": 2},
        {"beta": 0.1},
        {"lora": True, "lora_r": 4},
        {"lora": True, "lora_r": 4, "beta": 0.1, "loss_type": "dapo"},
        {"gradient_checkpointing": True, "choose": "task", "kl_rows": 0},
    ],
    ids=["iterations", "kl", "lora", "lora-kl", "checkpointing"],
)
def test_options_train(tmp_path: Path, bandit: Bandit, options: dict[str, Any]) -> None:
    told = trained(tmp_path, bandit, **options)
    assert [each.step for each in told] == [1, 2, 3, 4]
    assert (tmp_path / "final" / "config.json").is_file()
    assert ("kl" in told[-1].figures) == (options.get("kl_rows") != 0)
    drawn = len(read_samples(tmp_path))
    assert drawn == 4 * 16 // options.get("num_iterations", 1)


def test_a_bonus_keeps_the_entropy(tmp_path: Path, bandit: Bandit) -> None:
    last = [
        trained(tmp_path / str(bonus), bandit, entropy_bonus=bonus)[-1].figures["entropy"]
        for bonus in (0.0, 50.0)
    ]
    assert last[1] > last[0] + 0.005


@pytest.mark.parametrize(
    "options",
    [{}, {"loss_type": "dapo"}, {"scale_rewards": "batch"}],
    ids=["grpo", "dapo", "batch"],
)
def test_how_a_step_is_cut_into_passes_changes_nothing(
    tmp_path: Path, bandit: Bandit, options: dict[str, Any]
) -> None:
    """Passes that begin while other actions run add up to the same gradient."""
    import torch

    trained(tmp_path / "two", bandit, steps=2, max_completion_tokens=5, **options)
    trained(tmp_path / "one", bandit, steps=2, max_completion_tokens=5, micro_batch=16, **options)
    two, one = weights(tmp_path / "two"), weights(tmp_path / "one")
    for name in two:
        assert torch.allclose(two[name], one[name], atol=1e-4)


def test_an_engine_that_fails_for_some_actions_costs_only_these(tmp_path: Path) -> None:
    def sometimes(where: State, text: str) -> Taken:
        if where.task == "b":
            return Taken(action=None, observation=None, failed="the container is gone")
        return likes_own_letter(where, text)

    told: list[TrainProgress] = []
    warned: list[str] = []
    bandit = Bandit(sometimes)
    made = job(tmp_path, STATES, bandit, tell=told.append, warn=warned.append)
    GRPO(GRPOConfig(**SMALL)).train(made)
    bandit.close()
    assert [each.figures["failed"] for each in told] == [8.0] * 4
    assert [each.figures["empty_groups"] for each in told] == [1.0] * 4
    assert sum("container is gone" in line for line in warned) == 1


def test_a_reward_that_is_no_number_is_left_out_of_its_group(tmp_path: Path) -> None:
    """Among others that have one: these alone teach, and no weight becomes NaN."""
    import torch

    def broken(where: State, text: str) -> Taken:
        return pulled(float("nan"), text) if text[:1].isdigit() else likes_own_letter(where, text)

    told: list[TrainProgress] = []
    warned: list[str] = []
    bandit = Bandit(broken)
    made = job(tmp_path, STATES, bandit, tell=told.append, warn=warned.append)
    options = {**SMALL, "steps": 2, "generations": 64, "max_completion_tokens": 1}
    GRPO(GRPOConfig(**{**options, "micro_batch": 64})).train(made)
    bandit.close()
    for each in told:
        assert 0 < each.figures["unvalued"] < 64 and each.figures["empty_groups"] == 0
        assert math.isfinite(each.figures["loss"]) and each.figures["grad_norm"] > 0
    (line,) = warned
    assert "no reward to learn from" in line
    assert all(bool(torch.isfinite(weight).all()) for weight in weights(tmp_path).values())
    sampled = read_samples(tmp_path)
    groups = [sampled[begin : begin + 64] for begin in range(0, len(sampled), 64)]
    assert any({each.reward for each in group} > {None, 0.0} for group in groups)


def test_an_engine_that_is_gone_ends_in_one_line(tmp_path: Path) -> None:
    gone = Taken(action=None, observation=None, failed="the container is gone")
    bandit = Bandit(lambda *_: gone)
    with pytest.raises(MlxError, match=r"3 optimizer steps in a row .* the container is gone"):
        trained(tmp_path, bandit)
    bandit.close()


def test_what_breaks_in_the_arena_is_told_in_one_line(tmp_path: Path) -> None:
    def broken(where: State, text: str) -> Taken:
        raise ValueError("a bug")

    bandit = Bandit(broken)
    with pytest.raises(MlxError, match=r"ValueError: a bug.*Its checkpoints are kept"):
        trained(tmp_path, bandit)
    bandit.close()


def test_a_full_disk_keeps_what_was_saved(
    tmp_path: Path, bandit: Bandit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlxlab.plugins.training.grpo import ledger

    write = ledger._mark

    def full(folder: Path, content: dict[str, Any]) -> None:
        if content["step"] == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder, content)

    monkeypatch.setattr(ledger, "_mark", full)
    with pytest.raises(RecordError, match="No space left"):
        trained(tmp_path / "parts", bandit)
    monkeypatch.setattr(ledger, "_mark", write)
    told = trained(tmp_path / "parts", bandit)
    assert [each.step for each in told] == [2, 3, 4]
    trained(tmp_path / "whole", bandit)
    assert same(tmp_path / "whole", tmp_path / "parts")


def test_prompts_without_room_for_an_answer_are_left_out_and_counted(
    tmp_path: Path, bandit: Bandit
) -> None:
    long = state("long", said="a b c d " * 4000)
    warned: list[str] = []
    options = {**SMALL, "steps": 1, "states_per_step": 1}
    made = job(tmp_path, [*STATES, long], bandit, warn=warned.append)
    GRPO(GRPOConfig(**options)).train(made)
    assert any("A state is left out" in line for line in warned)
    with pytest.raises(UsageError, match="longer context"):
        GRPO(GRPOConfig(**options)).train(
            replace(made, corpus=job(tmp_path, [long], bandit).corpus)
        )


def test_ideas_are_kept_or_taken_out_of_the_prompts(tmp_path: Path, bandit: Bandit) -> None:
    from mlxlab.core.planning import woven
    from mlxlab.plugins.training.choosing import recorded

    plain = state("a").info.model_copy(update={"description": "Sort letters."})
    info = woven(plain, ["count them", "draw them"])
    where = replace(state("a", said=info.description), info=info)
    made = job(tmp_path, [where, replace(where, id="a/1")], bandit)
    kept, taken = (recorded(made, how)[0].messages()[0].content for how in ("keep", "strip"))
    assert "count them" in kept
    assert taken.strip() == "Sort letters."
