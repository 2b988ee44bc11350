"""What an optimizer step of step-wise training costs beside its model and its programs.

    python benchmarks/training.py RUN... --model FOLDER [--trainers grpo ppo] [--steps 20]

Each trainer takes the same steps three times: with the cache of outcomes off, on, and on once more,
when everything is known. All take the same actions, so the last one's model time is that of a model
that shares its processors with nobody. A step's wall time, its checkpoint included, is divided by
the larger of model time and (seconds of programs, summed / processors). Markdown is printed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

from versus.places import machine

from mlxlab.api.training import TrainOptions, TrainPlan, plan_training
from mlxlab.api.training.running import trained
from mlxlab.core.cores import processors
from mlxlab.core.trainer import TrainProgress
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.cache import TransitionCache

SIZE = "states_per_step=16&generations=8&lr=3e-4&max_completion_tokens=48&threads=1"
CACHES = ("off", "on", "on, all known")


@dataclass(frozen=True)
class Timed:
    """What a step told, and the seconds since the step before told of itself."""

    told: TrainProgress
    wall_s: float


@dataclass(frozen=True)
class Cost:
    """Seconds of one optimizer step.

    Args:
        wall: from the step before, so that checkpoints and records count.
        model: sampling and update.
        programs: summed over what was executed, divided by the processors.
    """

    wall: float
    model: float
    programs: float

    @classmethod
    def of(cls, step: Timed, cores: int) -> Cost:
        """The cost that a step tells of itself."""
        figures = step.told.figures
        model = figures["generate_s"] + figures["update_s"]
        return cls(step.wall_s, model, figures["execution_s"] / cores)

    def ratio(self, alone: float) -> float:
        """Wall time by the larger of model (`alone`) and programs."""
        return self.wall / max(alone, self.programs)


def main() -> None:
    """Measure and print the table as Markdown."""
    options = _options()
    cores = len(processors())
    print(f"{machine()}\n", flush=True)
    print("| trainer | cache | hits | wall, s | model, s | programs, s | ratio | median of steps |"
          " ratio to the model alone |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in options.trainers:
        with tempfile.TemporaryDirectory(prefix="mlxlab-training-") as folder:
            found = _measured(options, name, Path(folder))
        alone = [Cost.of(step, cores).model for step in found[CACHES[-1]]]
        for cache, steps in found.items():
            print(_row(name, cache, steps, [Cost.of(step, cores) for step in steps], alone))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="run folders, and folders of runs")
    parser.add_argument("--model", required=True, help="a fine-tuned model's folder")
    parser.add_argument("--trainers", nargs="+", default=["grpo", "ppo"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", default=SIZE, help="the trainers' other options")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--task", dest="tasks", action="append", help="only steps of this task")
    return parser.parse_args()


def _measured(options: argparse.Namespace, name: str, folder: Path) -> dict[str, list[Timed]]:
    """The steps of one trainer, by cache."""
    found = {}
    for number, cache in enumerate(CACHES):
        plan = plan_training(
            TrainOptions(
                runs=tuple(options.runs),
                out=folder / str(number),
                trainer=f"{name}?steps={options.steps}&{options.size}",
                model=options.model,
                seed=options.seed,
                tasks=None if options.tasks is None else tuple(options.tasks),
            )
        )
        kept = None if cache == "off" else TransitionCache(folder / "transitions")
        found[cache] = _steps(plan, kept)
    return found


def _steps(plan: TrainPlan, cache: TransitionCache | None) -> list[Timed]:
    """Train, and return what each step told."""
    told: list[Timed] = []
    last = 0.0

    def tell(step: TrainProgress) -> None:
        nonlocal last
        now = perf_counter()
        told.append(Timed(step, now - last if last else step.figures["step_s"]))
        last = now

    plan.folder.mkdir(parents=True)
    assert plan.parts.reward is not None
    rewards = {plan.parts.reward_name: plan.parts.reward.instance}
    with Arena(rewards, cache=cache, folder=plan.folder / "scratch") as arena:
        trained(plan, replace(plan.job(), arena=arena, tell=tell))
    if cache is not None:
        cache.close()
    return told


def _row(
    name: str,
    cache: str,
    steps: Sequence[Timed],
    costs: Sequence[Cost],
    alone: Sequence[float],
) -> str:
    whole = Cost(*(sum(values) for values in zip(*map(_parts, costs), strict=True)))
    each = [cost.ratio(cost.model) for cost in costs]
    cells = [
        name,
        cache,
        _hits(steps),
        *(f"{seconds:.1f}" for seconds in _parts(whole)),
        f"**{whole.ratio(whole.model):.2f}**",
        f"{median(each):.2f} (at most {max(each):.2f})",
        f"{whole.ratio(sum(alone)):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _parts(cost: Cost) -> Iterator[float]:
    yield from (cost.wall, cost.model, cost.programs)


def _hits(steps: Sequence[Timed]) -> str:
    """The share of actions that ran a program and were known."""
    cached, executed = (
        sum(step.told.figures[name] for step in steps) for name in ("cached", "executed")
    )
    return f"{cached / (cached + executed):.0%}" if cached + executed else "-"


if __name__ == "__main__":
    main()
