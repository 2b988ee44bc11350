"""The study of step-wise reinforcement learning at desk scale: three seeds of four policies.

    python studies/tiny_study.py [--seeds 0 1 2] [--out DIR] [--ablations]

Each seed is one pipeline (tiny_study.toml) in OUT/seed-N; what was carried out is shared in
OUT/transitions. The same command again takes up what was interrupted or killed. `--ablations` adds
the arms of tiny_ablations.toml to the same folders. Written are OUT/results.json, OUT/results.md
and pictures, these to DIR where `--pictures DIR` says so; `--summary` writes them of what is there.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from summary import summarize

from mlxlab.api.pipeline import PipelineSpec, Plan, plan_pipeline, run_pipeline
from mlxlab.api.pipeline.reading import pipeline_of
from mlxlab.api.training import TrainFolder
from mlxlab.cli.pipeline.lines import LineView
from mlxlab.core.errors import MlxError

HERE = Path(__file__).parent
STUDY, ABLATIONS = HERE / "tiny_study.toml", HERE / "tiny_ablations.toml"
STEPWISE, EPISODES, TIMED = "grpo", "episodes-equal-transitions", "episodes-equal-time"


def main() -> int:
    """Run every seed, then sum up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("studies-out/tiny"))
    parser.add_argument("--ablations", action="store_true", help="more arms in the same folders")
    parser.add_argument("--summary", action="store_true", help="sum up what is there, run nothing")
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="where pictures go; default: OUT"
    )
    args = parser.parse_args()
    folders = {seed: args.out / f"seed-{seed}" for seed in args.seeds}
    try:
        for seed, folder in folders.items():
            if not args.summary:
                print(f"seed {seed} in {folder}", file=sys.stderr, flush=True)
                run_seed(seed, folder, args.out / "transitions", args.ablations)
    except MlxError as error:
        print(f"study: {error}\nThe same command goes on.", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("study: interrupted. The same command goes on.", file=sys.stderr)
        return 130
    summarize(folders, args.out, args.pictures or args.out)
    return 0


def run_seed(seed: int, folder: Path, cache: Path, ablations: bool) -> None:
    """One seed's pipeline, to its end."""
    values = tomllib.loads(STUDY.read_text())
    if not ablations:
        run_pipeline(planned(values, seed, folder, cache))
        return
    more = tomllib.loads(ABLATIONS.read_text())
    values = merged(values, more)
    first = {**values, "rl": [arm for arm in values["rl"] if arm["name"] != TIMED]}
    plan = planned(first, seed, folder, cache)
    for stage in plan.stages:  # what both arms take says how many steps are as much time
        run_pipeline(plan, only=stage.name)
        if stage.name == EPISODES:
            break
    run_pipeline(planned(timed(values, folder), seed, folder, cache))


def merged(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The study's tables with those of the ablations behind them."""
    found = dict(values)
    for name, tables in more.items():
        before = values.get(name, [])
        found[name] = [*([before] if isinstance(before, dict) else before), *tables]
    return found


def timed(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The episode-wise arm with as many steps as take the step-wise arm's time."""
    each = {arm: TrainFolder(folder / arm) for arm in (STEPWISE, EPISODES)}
    wall = {arm: found.manifest().wall_s for arm, found in each.items()}
    steps = len(each[EPISODES].progress())
    chosen = max(1, round(wall[STEPWISE] / (wall[EPISODES] / steps)))
    arms = [
        {**arm, "trainer": arm["trainer"].replace("STEPS", str(chosen))} for arm in values["rl"]
    ]
    return {**values, "rl": arms}


def planned(values: Mapping[str, Any], seed: int, folder: Path, cache: Path) -> Plan:
    """A seed's pipeline with the shared cache."""
    spec: PipelineSpec = pipeline_of({**values, "cache": str(cache.resolve())}, STUDY.name)
    return plan_pipeline(spec, out=folder, seed=seed, watch=LineView())


if __name__ == "__main__":
    sys.exit(main())
