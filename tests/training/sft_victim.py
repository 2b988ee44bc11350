"""A fine-tuning to be killed: `python -m tests.training.sft_victim OUT STEPS`."""

from __future__ import annotations

import sys
from pathlib import Path

from mlxlab.core.trainer import TrainProgress
from mlxlab.plugins.training.sft import SFT, SFTConfig
from tests.training.toy import corpus, job


def main(out: Path, steps: int) -> None:
    """Train, and add a line to `told.jsonl` for each step that is told of."""

    def tell(progress: TrainProgress) -> None:
        with (out / "told.jsonl").open("a") as file:
            file.write(progress.model_dump_json() + "\n")

    config = SFTConfig(steps=steps, batch=8, eval_steps=5, threads=1)
    SFT(config).train(job(out, corpus(), tell=tell))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
