"""Does improving beat drafting alone? Two arms of `mlx run`, several seeds, private scores.

    python benchmarks/improving.py [--steps 20] [--seeds 5] [--task TASK ...]

Arm "search" is scaffold aide as it is; arm "drafts" makes every step a draft. Printed is the share
of the gap between naive baseline and strong reference that the selected step closes on hidden rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

MLX = str(Path(sys.executable).with_name("mlx"))


def closed(task: str, scaffold: str, steps: int, seed: int, out: str) -> float:
    """The share of the gap that one run closes."""
    words = ["--task", task, "--scaffold", scaffold, "--steps", str(steps), "--seed", str(seed)]
    done = subprocess.run(
        [MLX, "run", *words, "--out", out, "--json"], capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout)
    gap = result["reference"] - result["baseline"]
    return float((result["best"]["private_score"] - result["baseline"]) / gap)


def main() -> None:
    """Run both arms and print a row a task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--task", action="append")
    args = parser.parse_args()
    arms = {"search": "aide", "drafts": f"aide?num_drafts={args.steps}"}
    print("task          arm      mean   each seed")
    for task in args.task or ["flights", "temperature", "mnist"]:
        for arm, scaffold in arms.items():
            with tempfile.TemporaryDirectory() as out:
                shares = [
                    closed(task, scaffold, args.steps, seed, out) for seed in range(args.seeds)
                ]
            each = " ".join(f"{share:.3f}" for share in shares)
            print(f"{task:13} {arm:8} {statistics.mean(shares):.3f}  {each}", flush=True)


if __name__ == "__main__":
    main()
