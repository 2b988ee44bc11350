"""`mlx train`: make a better policy of recorded runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxlab.cli.parser import dollars, positive, seconds, size
from mlxlab.core.errors import UsageError

if TYPE_CHECKING:
    from mlxlab.cli.train.drive import Request
    from mlxlab.core.trainer import Machine

_EPILOG = """\
Alone it takes the runs in ./runs and, with no model named, a tiny Qwen2 that is
made from nothing: SFT first, then step-wise reinforcement learning. 'mlx plugins
show grpo' lists a trainer's options: --trainer 'grpo?steps=50&lr=1e-4'. The same
command again takes up what was interrupted or killed."""
_OPTIONS = (
    *("trainer", "model", "rewards", "sandbox", "editor", "workers", "exec_timeout_s"),
    *("cache", "seed", "tasks"),
)
_NAMED = {"reward": "rewards", "exec_timeout": "exec_timeout_s"}
"""The options whose key in a file has another name."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options; None everywhere means: not said."""
    parser.description = "Train a policy on recorded steps."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "runs", nargs="*", type=Path, metavar="RUN", help="runs, or folders of runs (default: runs)"
    )
    _file(parser.add_argument_group("all of it as a file"))
    _components(parser.add_argument_group("what is trained"))
    _place(parser.add_argument_group("where it goes"))
    _machine(parser.add_argument_group("the machine of a dry run"))


def run(args: argparse.Namespace) -> int:
    """Drive the training, or usage errors before anything starts."""
    from mlxlab.cli.drive import Show
    from mlxlab.cli.signals import terminable
    from mlxlab.cli.train import drive

    show = Show(json=args.json, quiet=args.quiet)
    if args.print_schema:
        from mlxlab.api.configuring import TrainConfig
        from mlxlab.cli.config import print_schema

        return print_schema(TrainConfig)
    given = {name: value for name in _OPTIONS if (value := getattr(args, name)) is not None}
    with terminable():
        if args.resume is not None:
            said = sorted({*given} - {"workers"}) + [
                n for n in ("out", "steps", "config", "print_config") if getattr(args, n)
            ]
            if said or args.runs or args.trust:
                raise UsageError(
                    "A resumed training keeps what it was begun with.",
                    "Beside --resume DIR only --workers can be said.",
                )
            return drive.resume(args.resume, args.workers, show)
        request = _request(args, given)
        if args.print_config:
            return _print_config(request)
        if args.dry_run:
            return drive.rehearse(request, machine_of(args), show)
        return drive.start(request, show)


def _request(args: argparse.Namespace, given: dict[str, Any]) -> Request:
    """What is asked for: what a file says, and before it the command line."""
    from mlxlab.cli.train.drive import Request

    said = dict(given)
    said |= {n: value for n in ("runs", "steps", "out") if (value := getattr(args, n))}
    if args.config is not None:
        from mlxlab.api.configuring import TrainConfig
        from mlxlab.cli.config import from_file

        said = {**from_file(args.config, TrainConfig, _NAMED, said), **said}
    if "cache" in said:
        said["cache"] = Path(said["cache"])
    runs, steps, out = said.pop("runs", ()), said.pop("steps", None), said.pop("out", None)
    return Request(said, tuple(map(Path, runs)), steps, out and Path(out), args.trust)


def _print_config(request: Request) -> int:
    """Print what is asked for as a file that asks for the same."""
    from mlxlab.api.configuring import TrainConfig
    from mlxlab.api.training import TrainOptions
    from mlxlab.cli.config import print_config

    options = TrainOptions(runs=request.runs, out=request.out or Path(), **request.given)
    keys = TrainConfig.model_fields
    values = {key: getattr(options, _NAMED.get(key, key), None) for key in keys}
    values |= {"runs": request.runs or None, "steps": request.steps, "out": request.out}
    return print_config(values, TrainConfig)


def machine_of(args: argparse.Namespace) -> Machine:
    """The machine that a dry run is for: this one's processors, and the GPUs that are named."""
    from mlxlab.cli.train.machines import machine
    from mlxlab.core.cores import processors

    memory = args.gpu_memory / 2**30 if args.gpu_memory else None
    return machine(
        len(processors()), args.gpus, args.gpu, memory, args.gpu_tflops, args.usd_per_hour
    )


def _file(group: Any) -> None:
    add = group.add_argument
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="a training as TOML; what is said beside it on the command line wins",
    )
    add(
        "--print-config",
        action="store_true",
        help="print the training as such a file, with every option and what it means; start "
        "nothing",
    )
    add("--print-schema", action="store_true", help="print a JSON schema of it, for editors")


def _components(group: Any) -> None:
    add = group.add_argument
    add("--trainer", metavar="T", help="how, with its options (default: grpo; sft, ppo, ...)")
    add(
        "--model",
        metavar="M",
        help="where it begins: a model's folder, a training's, or tiny (default: tiny)",
    )
    add("--steps", type=positive, metavar="N", help="optimizer steps, as the trainer's own option")
    add("--reward", dest="rewards", metavar="R", help="what is trained for (default: ml-agent)")
    add(
        "--task",
        dest="tasks",
        action="append",
        metavar="T",
        help="only steps of this task; may be repeated",
    )
    add("--sandbox", metavar="B", help="where actions run (default: local)")
    add("--editor", metavar="P", help="who makes delegated edits (default: nobody; they fail)")
    add("--workers", type=positive, metavar="K", help="executions at one time (default: all cores)")
    add(
        "--exec-timeout",
        dest="exec_timeout_s",
        type=seconds,
        metavar="D",
        help="duration of one execution (default: as each task says)",
    )
    add("--seed", type=int, metavar="N", help="seed of every choice (default: 0)")
    add(
        "--trust",
        action="store_true",
        help="carry out actions on the tasks of runs that somebody else recorded",
    )


def _place(group: Any) -> None:
    add = group.add_argument
    told = "the training's folder (default: trained/TIME-TRAINER)"
    add("--out", type=Path, metavar="DIR", help=told)
    add("--resume", type=Path, metavar="DIR", help="take up the training in this folder")
    add(
        "--cache",
        type=Path,
        metavar="DIR",
        help="outcomes of executions that several trainings share (default: DIR/transitions)",
    )
    add("--dry-run", action="store_true", help="check everything, estimate, start nothing")
    add("--json", action="store_true", help="print one JSON object, nothing else")
    add("--quiet", action="store_true", help="show no progress")


def _machine(group: Any) -> None:
    add = group.add_argument
    add("--gpus", type=positive, metavar="N", help="how many GPUs (default: none)")
    add("--gpu", metavar="NAME", help="which: A100, H100, ...")
    add("--gpu-memory", type=size, metavar="SIZE", help="memory of one (default: by its name)")
    add("--gpu-tflops", type=dollars, metavar="N", help="its speed in bf16 (default: by its name)")
    add("--usd-per-hour", type=dollars, metavar="USD", help="what the machine costs an hour")
