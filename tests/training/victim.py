"""A training to be killed: `python -m tests.training.victim OUT STEPS`, a line for each step."""

from __future__ import annotations

import sys
from pathlib import Path

from mlxlab.core.trainer import TrainProgress
from mlxlab.plugins.training.grpo import GRPO, GRPOConfig
from tests.training.bandit import Bandit, job, state

STATES = [state(letter, said=letter * 7) for letter in "abcdef"]


def main(out: Path, steps: int) -> None:
    """Train, and write the number of each step that is safe once into `train.jsonl`."""
    log = out / "train.jsonl"
    told = [0, *(TrainProgress.model_validate_json(line).step for line in lines(log))]

    def tell(progress: TrainProgress) -> None:
        if progress.step > told[-1]:
            told.append(progress.step)
            with log.open("a") as file:
                file.write(progress.model_dump_json() + "\n")

    bandit = Bandit()
    config = GRPOConfig(
        steps=steps, states_per_step=2, generations=8, max_completion_tokens=3, lr=5e-3, threads=1
    )
    GRPO(config).train(job(out, STATES, bandit, tell=tell))
    bandit.close()


def lines(log: Path) -> list[str]:
    """The whole lines of a file that may be there."""
    return log.read_text().split("\n")[:-1] if log.is_file() else []


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
