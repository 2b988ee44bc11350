"""The study of step-wise reinforcement learning at desk scale: three seeds of four policies.

    python studies/tiny_study.py [--seeds 0 1 2] [--out DIR]
    python studies/tiny_study.py --ablations [--seeds 0 1] [--out DIR]

Each seed is one pipeline: tiny_study.toml in OUT/study/seed-N; with `--ablations` its fine-tuning,
its GRPO arm and what tiny_ablations.toml compares them with, in OUT/ablations/seed-N. What was
carried out is shared in OUT/transitions. The same command again takes up what was interrupted or
killed. Written are results.json, results.md and pictures beside the seeds, pictures to DIR where
`--pictures DIR` says so; `--summary` writes them of what is there.
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
from mlxlab.cli.pipeline.lines import LineView
from mlxlab.core.errors import MlxError

HERE = Path(__file__).parent
STUDY, ABLATIONS = HERE / "tiny_study.toml", HERE / "tiny_ablations.toml"
STEPWISE = "grpo"
"""The arm of the study that ablations of step-wise training are compared with."""


def main() -> int:
    """Run every seed, then sum up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("studies-out"))
    parser.add_argument("--ablations", action="store_true", help="run these, not the study")
    parser.add_argument("--summary", action="store_true", help="sum up what is there, run nothing")
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="where pictures go; default: OUT"
    )
    args = parser.parse_args()
    out = args.out / ("ablations" if args.ablations else "study")
    folders = {seed: out / f"seed-{seed}" for seed in args.seeds}
    try:
        for seed, folder in folders.items():
            if not args.summary:
                print(f"seed {seed} in {folder}", file=sys.stderr, flush=True)
                cache = args.out / "transitions"
                run_pipeline(planned(tables(args.ablations), seed, folder, cache))
    except MlxError as error:
        print(f"study: {error}\nThe same command goes on.", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("study: interrupted. The same command goes on.", file=sys.stderr)
        return 130
    summarize(folders, out, args.pictures or out)
    return 0


def tables(ablations: bool) -> dict[str, Any]:
    """What is run: the study, or the stages of it that ablations are compared with, and these."""
    found = tomllib.loads(STUDY.read_text())
    if not ablations:
        return found
    found["rl"] = [arm for arm in found["rl"] if arm["name"] == STEPWISE]
    for name, more in tomllib.loads(ABLATIONS.read_text()).items():
        before = found.get(name, [])
        found[name] = [*([before] if isinstance(before, dict) else before), *more]
    return found


def planned(values: Mapping[str, Any], seed: int, folder: Path, cache: Path) -> Plan:
    """A seed's pipeline with the shared cache."""
    spec: PipelineSpec = pipeline_of({**values, "cache": str(cache.resolve())}, STUDY.name)
    return plan_pipeline(spec, out=folder, seed=seed, watch=LineView())


if __name__ == "__main__":
    sys.exit(main())
