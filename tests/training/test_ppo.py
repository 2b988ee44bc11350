"""The trainer `ppo`, on a tiny model and a bandit whose best arm is known."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.errors import RecordError, UsageError
from mlxlab.core.records import RewardValue
from mlxlab.core.trainer import TrainProgress
from mlxlab.core.training.states import State, Taken
from mlxlab.plugins.training import checkpoints
from mlxlab.plugins.training.ppo import PPO, PPOConfig
from mlxlab.plugins.training.ppo.update import minibatches
from mlxlab.plugins.training.samples import read_samples
from tests.training.bandit import REWARD, Bandit, job, likes_own_letter, pulled, state

pytestmark = pytest.mark.train

STATES = [state("a", said="aaaaaaa"), state("b", said="bbbbbbbbbb")]
LETTER = "\ufffd"
"""What a byte that is no letter is read as; many actions of a model without training begin so."""
SMALL: dict[str, Any] = {
    "steps": 4, "states_per_step": 2, "generations": 8, "max_completion_tokens": 3, "lr": 5e-3,
    "critic_lr": 5e-3, "threads": 1,
}  # fmt: skip


@pytest.fixture
def bandit() -> Iterator[Bandit]:
    made = Bandit()
    yield made
    made.close()


def trained(out: Path, bandit: Bandit, **options: Any) -> list[TrainProgress]:
    told: list[TrainProgress] = []
    PPO(PPOConfig(**{**SMALL, **options})).train(job(out, STATES, bandit, tell=told.append))
    return told


def weights(out: Path, name: str = "final") -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(out / name / "model.safetensors"))


def same(one: Path, other: Path) -> bool:
    import torch

    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


@pytest.mark.parametrize("critic", ["separate", "shared"])
def test_a_bandit_with_a_known_optimum_is_solved(
    tmp_path: Path, bandit: Bandit, critic: str
) -> None:
    options = {"steps": 80, "generations": 48, "max_completion_tokens": 1, "save_steps": 40}
    told = trained(tmp_path, bandit, **options, critic=critic, minibatches=2)
    assert [each.step for each in told] == list(range(1, 81))
    before, after = told[0].figures, [each.figures for each in told[-5:]]
    assert before["reward"] < 0.3
    assert sum(each["reward"] for each in after) / 5 > 0.9
    assert before["kl"] == pytest.approx(0, abs=1e-6) and after[-1]["kl"] > 1
    assert after[-1]["entropy"] < before["entropy"] / 2


def test_every_step_has_its_figures_and_samples(tmp_path: Path, bandit: Bandit) -> None:
    told = trained(tmp_path, bandit)
    figures = told[-1].figures
    for name in (
        "reward", "valid", "improvement", "unique", "kl", "entropy", "loss", "lr", "value_loss",
        "value_explained_variance", "clip_fraction", "returns", "grad_norm", "critic_grad_norm",
    ):  # fmt: skip
        assert name in figures
    for name in ("generate_s", "execute_s", "update_s", "step_s", "execution_s"):
        assert figures[name] > 0
    assert figures["actions"] == 16
    assert [each.figures["transitions"] for each in told] == [16, 32, 48, 64]
    samples = read_samples(tmp_path)
    assert [each.step for each in samples] == [step for step in range(1, 5) for _ in range(16)]
    assert sum(each.reward or 0 for each in samples[-16:]) / 16 == pytest.approx(figures["reward"])


def test_portions_change_nothing(tmp_path: Path, bandit: Bandit) -> None:
    """The loss of a minibatch is its own, whatever is computed at a time."""
    import torch

    for rows in (3, 16):
        trained(tmp_path / str(rows), bandit, steps=1, micro_batch=rows, generations=16)
    one, other = weights(tmp_path / "3"), weights(tmp_path / "16")
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=2e-4)


def test_an_action_without_a_reward_is_told(tmp_path: Path) -> None:
    """That it teaches nothing is worked out in test_ppo_by_hand."""

    def pays_a_alone(where: State, text: str) -> Taken:
        return likes_own_letter(where, text) if where.task == "a" else pulled(None, text)

    told: list[str] = []
    bandit = Bandit(pays_a_alone)
    given = job(tmp_path, STATES, bandit, warn=told.append)
    PPO(PPOConfig(**{**SMALL, "steps": 1})).train(given)
    bandit.close()
    assert len(told) == 1 and told[0].startswith("8 actions of a step have no reward")


def test_a_reward_that_is_no_number_ruins_nothing(tmp_path: Path) -> None:
    import torch

    def broken(where: State, text: str) -> Taken:
        if not text.startswith(LETTER):
            return likes_own_letter(where, text)
        nan = RewardValue(value=float("nan"), reason="a division by zero")
        return replace(pulled(1.0, text), rewards={REWARD: nan})

    bandit, warned = Bandit(broken), list[str]()
    told: list[TrainProgress] = []
    given = job(tmp_path, STATES, bandit, tell=told.append, warn=warned.append)
    PPO(PPOConfig(**{**SMALL, "steps": 1, "generations": 32})).train(given)
    bandit.close()
    nans = sum(text.startswith(LETTER) for _, text in bandit.submitted)
    assert 0 < nans < 64
    assert told[0].figures["unvalued"] == nans
    assert all(each == each for each in told[0].figures.values())
    assert all(bool(torch.isfinite(each).all()) for each in weights(tmp_path).values())
    begun = weights(tmp_path, "base")
    assert any(not torch.equal(each, begun[name]) for name, each in weights(tmp_path).items())
    assert len(warned) == 1 and "a division by zero" in warned[0]


def test_a_state_that_does_not_fit_is_left_out(tmp_path: Path, bandit: Bandit) -> None:
    told: list[str] = []
    long = state("c", said="".join(map(chr, range(33, 120))))
    given = job(tmp_path, [*STATES, long], bandit, warn=told.append)
    options = {**SMALL, "steps": 3, "states_per_step": 1, "max_prompt_tokens": 40}
    PPO(PPOConfig(**options)).train(given)
    assert {name for name, _ in bandit.submitted} == {"a/0", "b/0"}
    assert len(told) == 1 and told[0].startswith("A state is left out") and "c/0: " in told[0]
    with pytest.raises(UsageError, match="None of 2 recorded states"):
        PPO(PPOConfig(**{**SMALL, "max_prompt_tokens": 1})).train(
            job(tmp_path / "b", STATES, bandit)
        )


def test_the_papers_settings() -> None:
    config = PPOConfig.model_validate({"preset": "ml-agent"})
    assert (config.steps, config.states_per_step, config.generations) == (39, 256, 1)
    assert (config.lr, config.critic_lr, config.beta) == (1e-6, 1e-5, 0.001)
    assert (config.epsilon, config.gamma, config.lam, config.kl_place) == (0.2, 1.0, 1.0, "reward")
    assert PPOConfig.model_validate({"preset": "ml-agent", "steps": 5}).steps == 5
    assert PPOConfig().critic_rate(1e-6) == pytest.approx(1e-5)


def test_minibatches_hold_each_action_once_and_states_whole() -> None:
    parts = list(minibatches(24, 4, 3, "seed"))
    assert sorted(row for part in parts for row in part) == list(range(24))
    assert [len(part) for part in parts] == [8, 8, 8]
    assert all(part[place] // 4 == part[0] // 4 for part in parts for place in range(4))
    assert parts != list(minibatches(24, 4, 3, "other"))
    assert [len(part) for part in minibatches(2, 1, 4, "seed")] == [1, 1]


def test_the_start_policy_is_asked_as_the_policy_is(
    tmp_path: Path, bandit: Bandit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bfloat16 too: there is no KL before the first update."""
    from accelerate.state import AcceleratorState

    from mlxlab.plugins.training import learning

    load = learning.load
    monkeypatch.setattr(learning, "load", lambda *given: replace(load(*given), bf16=True))
    AcceleratorState._reset_state()
    try:
        told = trained(tmp_path, bandit, steps=1)
    finally:
        AcceleratorState._reset_state()
    assert told[0].figures["kl"] == 0


def test_trackers_hear_of_every_step(tmp_path: Path, bandit: Bandit) -> None:
    from accelerate.tracking import GeneralTracker, register_tracker_class

    heard: list[Any] = []

    class Notebook(GeneralTracker):  # type: ignore[misc]
        name = "notebook"
        requires_logging_directory = False
        tracker = None

        def __init__(self, project: str) -> None:
            heard.append(project)

        def store_init_configuration(self, values: dict[str, Any]) -> None:
            heard.append(values["minibatches"])

        def log(self, values: dict[str, Any], step: int | None = None, **_: Any) -> None:
            heard.append((step, values["reward"]))

        def finish(self) -> None:
            heard.append("closed")

    register_tracker_class(Notebook)
    told = trained(tmp_path, bandit, steps=2, report_to="notebook")
    steps = [(each.step, each.figures["reward"]) for each in told]
    assert heard == ["ppo", 4, *steps, "closed"]
    for name, words in (("nobody", "no tracker 'nobody'"), ("wandb", "'wandb' is not installed")):
        with pytest.raises(UsageError, match=words):
            trained(tmp_path / name, bandit, report_to=name)


def test_a_full_disk_keeps_what_was_saved(
    tmp_path: Path, bandit: Bandit, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = checkpoints._write

    def full(folder: Path, *rest: Any) -> None:
        if "00000003" not in folder.name:
            write(folder, *rest)
            return
        (folder / "policy.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "_write", full)
    with pytest.raises(RecordError, match=r"step-00000003 .* No space left on device") as ended:
        trained(tmp_path / "parts", bandit)
    assert "\n" not in str(ended.value)
    monkeypatch.setattr(checkpoints, "_write", write)
    assert [each.step for each in trained(tmp_path / "parts", bandit)] == [2, 3, 4]
    trained(tmp_path / "whole", bandit)
    assert same(tmp_path / "whole", tmp_path / "parts")


KILLED = """
import sys
from pathlib import Path
import tests.training.test_ppo as there
from tests.training.bandit import Bandit
there.trained(Path(sys.argv[1]), Bandit(), steps=6, choose="variance")
"""


def test_a_killed_training_ends_with_the_same_weights(tmp_path: Path, bandit: Bandit) -> None:
    """kill -9 at any moment after the second step; the rest is as if nothing had happened."""
    whole = trained(tmp_path / "whole", bandit, steps=6, choose="variance")
    cut = tmp_path / "cut"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(cut)], env=environment)
    deadline = time.monotonic() + 120
    while not (cut / "checkpoints" / "step-00000002").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (cut / "final").exists()
    told = trained(cut, bandit, steps=6, choose="variance")
    assert told[0].step >= 2 and told[-1].step == 6
    assert told[0].figures["reward"] == whole[told[0].step - 1].figures["reward"]
    assert same(tmp_path / "whole", cut)
    assert [s.text for s in read_samples(tmp_path / "whole")] == [s.text for s in read_samples(cut)]
    assert [each.step for each in trained(cut, bandit, steps=6, choose="variance")] == [6]
    assert same(tmp_path / "whole", cut)
