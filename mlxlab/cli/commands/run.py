"""`mlx run`: run an agent on a task, or take up a run where it ended."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mlxlab.cli.parser import dollars, positive, seconds, size
from mlxlab.core.errors import UsageError

_EPILOG = """\
A component is written name, name:argument or name?key=value&key=value;
'mlx plugins list' shows what is installed, 'mlx plugins show NAME' the options
of one. Durations are written 90, 90s, 30m or 2h. Ctrl-C stops a run so that
--resume takes it up again."""
_SPECS = ("task", "scaffold", "policy", "sandbox", "rewards", "editor")
_FIXED = (
    *("time_s", "exec_timeout_s", "max_cost_usd", "max_tokens", "max_state_bytes"),
    *("seed", "workers", "gpus", "feedback", "cache", "ideas"),
)
"""What a run has decided for good; its specs but the sandbox too, unless it is a stranger's."""
_WRITTEN = {
    "rewards": "--reward",
    "ideas": "--idea",
    "time_s": "--time",
    "exec_timeout_s": "--exec-timeout",
    "max_cost_usd": "--max-cost",
    "max_tokens": "--max-tokens",
    "max_state_bytes": "--max-state",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options; None everywhere means: not said."""
    parser.description = "Run an agent on a task and record every step. Needs no option."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _components(parser.add_argument_group("what runs"))
    _budget(parser.add_argument_group("what it may spend"))
    record = parser.add_argument_group("where it goes")
    record.add_argument("--out", type=Path, metavar="DIR", help="folder of runs (default: runs)")
    record.add_argument(
        "--max-state",
        dest="max_state_bytes",
        type=size,
        metavar="SIZE",
        help="a workspace larger than this is not kept (default: 1G)",
    )
    record.add_argument(
        "--cache",
        nargs="?",
        const="",
        metavar="RUN|DIR",
        help="reuse answers that earlier runs got to identical requests (default: those in --out)",
    )
    record.add_argument("--resume", metavar="RUN", help="take up a recorded run where it ended")
    record.add_argument(
        "--dry-run", action="store_true", help="check everything, say what would run, start nothing"
    )
    record.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    record.add_argument("--quiet", action="store_true", help="show no progress")


def run(args: argparse.Namespace) -> int:
    """Drive the run, or usage errors before anything starts."""
    from mlxlab.api import find_run, recorded_here
    from mlxlab.cli import drive
    from mlxlab.cli.signals import terminable

    out = args.out or Path("runs")
    given = {n: value for n in (*_SPECS, *_FIXED) if (value := getattr(args, n)) is not None}
    show = drive.Show(json=args.json, quiet=args.quiet)
    with terminable():
        if args.resume is not None and args.dry_run:
            raise UsageError("--dry-run is for a new run.", "Leave out --resume or --dry-run.")
        if args.resume is not None:
            folder = find_run(args.resume, out)
            own = recorded_here(folder.manifest())
            if tuple(given.get("ideas", ())) == folder.manifest().ideas:
                given.pop("ideas", None)
            sandbox = given.pop("sandbox", None) if own else None
            _refuse_changes([name for name in given if own or name in _FIXED])
            specs = _options(given, None, out) if given else None
            return drive.resume(folder, args.steps, specs, show, sandbox, args.patience_s)
        begin = drive.rehearse if args.dry_run else drive.start
        if args.patience_s is not None:
            given["patience_s"] = args.patience_s
        return begin(_options(given, args.steps, out), show)


def _options(given: dict[str, Any], steps: int | None, out: Path) -> Any:
    from mlxlab.api import RunOptions

    if given.get("cache") == "":
        given = {**given, "cache": out}
    for several in ("rewards", "ideas"):
        if several in given:
            given = {**given, several: tuple(given[several])}
    if "gpus" in given:
        from mlxlab.core.cores import gpu_indices

        given = {**given, "gpus": gpu_indices(given["gpus"])}
    return RunOptions(**given, steps=steps, out=out)


def _refuse_changes(given: list[str]) -> None:
    if given:
        named = ", ".join(_WRITTEN.get(name, f"--{name}") for name in given)
        raise UsageError(
            f"A resumed run keeps what it was started with: leave out {named}.",
            "Only --steps can be raised, --sandbox and --patience changed; start a new run for "
            "anything else.",
        )


def _components(group: Any) -> None:
    add = group.add_argument
    add("--task", metavar="T", help="a task's name or a folder (default: flights)")
    add("--scaffold", metavar="S", help="how the agent searches (default: aide)")
    add("--policy", metavar="P", help="who writes the code (default: catalog, no model, no key)")
    add("--editor", metavar="P", help="who makes delegated edits (default: the policy itself)")
    add("--sandbox", metavar="B", help="where the code runs (default: local)")
    add(
        "--reward",
        dest="rewards",
        action="append",
        metavar="R",
        help="what judges each step; may be repeated (default: ml-agent)",
    )
    add(
        "--feedback",
        choices=("public", "self", "none", "private"),
        help="the score the agent is told: on public rows, as its program prints it, none, or "
        "the private one, which exposes the run (default: public where the task has it)",
    )
    add(
        "--idea",
        dest="ideas",
        action="append",
        metavar="TEXT",
        help="what the agent is told to try first; may be repeated (default: nothing)",
    )
    add("--seed", type=int, metavar="N", help="seed of every choice (default: 0)")


def _budget(group: Any) -> None:
    add = group.add_argument
    add("--steps", type=positive, metavar="N", help="steps in all (default: the task's own)")
    add("--time", dest="time_s", type=seconds, metavar="D", help="duration of the run")
    add(
        "--exec-timeout",
        dest="exec_timeout_s",
        type=seconds,
        metavar="D",
        help="duration of one execution (default: the task's own)",
    )
    add("--max-cost", dest="max_cost_usd", type=dollars, metavar="USD", help="money for models")
    add("--max-tokens", type=positive, metavar="N", help="tokens of prompts and answers in all")
    add(
        "--patience",
        dest="patience_s",
        type=seconds,
        metavar="D",
        help="how long a provider may fail before the run stops (default: 30m)",
    )
    add("--workers", type=positive, metavar="K", help="steps at one time (default: 1)")
    add("--gpus", metavar="LIST", help="GPUs that the workers share, as 0-3 or 0,2 (default: none)")
