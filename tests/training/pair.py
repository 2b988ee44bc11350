"""One of the processes of a training: `accelerate launch ... -m tests.training.pair OUT`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from mlxlab.core.trainer import PolicyRef, TrainJob
from mlxlab.plugins.training.card import Facts
from mlxlab.plugins.training.final import save_final
from mlxlab.plugins.training.grpo import GRPO, GRPOConfig, trainer
from mlxlab.plugins.training.models import Loaded
from tests.training.bandit import Bandit, job, state

STATES = [state(letter, said=letter * 7) for letter in "abcdef"]


def main(out: Path) -> None:
    """Train on a bandit, and write the sum of this process' weights where the result is saved."""

    def told(job: TrainJob, loaded: Loaded, facts: Facts, **more: Any) -> PolicyRef:
        (out / f"weights-{os.environ['RANK']}").write_text(digest(loaded.model.state_dict()))
        return save_final(job, loaded, facts, **more)

    vars(trainer)["save_final"] = told
    bandit = Bandit()
    options = GRPOConfig(
        steps=3, states_per_step=2, generations=32, max_completion_tokens=1, lr=5e-3, threads=1
    )
    GRPO(options).train(job(out, STATES, bandit))
    bandit.close()


def digest(weights: Mapping[str, Any]) -> str:
    """Equal for equal weights."""
    found = sha256()
    for name in sorted(weights):
        found.update(name.encode() + weights[name].detach().cpu().numpy().tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
