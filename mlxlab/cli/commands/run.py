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
--resume takes it up again. 'mlx run --print-config > exp.toml' makes a file to
edit for --config; paths in it are relative to the folder that mlx starts in."""
_SPECS = ("task", "scaffold", "policy", "sandbox", "rewards", "editor")
_FIXED = (
    *("time_s", "exec_timeout_s", "max_cost_usd", "max_tokens", "max_state_bytes"),
    *("seed", "workers", "gpus", "feedback", "cache", "ideas"),
)
"""What a run has decided for good; its specs but the sandbox too, unless it is a stranger's."""
_ALL = (*_SPECS, *_FIXED, "steps", "patience_s", "out")
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
    _file(parser.add_argument_group("all of it as a file"))
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
    from mlxlab.cli import drive
    from mlxlab.cli.signals import terminable

    show = drive.Show(json=args.json, quiet=args.quiet)
    given = {name: value for name in _ALL if (value := getattr(args, name)) is not None}
    if args.print_schema:
        from mlxlab.api.configuring import RunConfig
        from mlxlab.cli.config import print_schema

        return print_schema(RunConfig)
    with terminable():
        if args.resume is not None:
            for name in ("dry_run", "config", "print_config"):
                if getattr(args, name):
                    word = f"--{name.replace('_', '-')}"
                    raise UsageError(f"{word} is for a new run.", f"Leave out --resume or {word}.")
            return _resume(args.resume, given, show)
        options = _options({**_configured(args.config, given), **given})
        if args.print_config:
            return _print_config(options)
        return (drive.rehearse if args.dry_run else drive.start)(options, show)


def _resume(named: str, given: dict[str, Any], show: Any) -> int:
    """Take up a run; of what it has decided nothing can be said, unless it is a stranger's."""
    from mlxlab.api import find_run, recorded_here
    from mlxlab.cli import drive

    steps, patience_s = given.pop("steps", None), given.pop("patience_s", None)
    out = given.pop("out", Path("runs"))
    folder = find_run(named, out)
    own = recorded_here(folder.manifest())
    if tuple(given.get("ideas", ())) == folder.manifest().ideas:
        given.pop("ideas", None)
    sandbox = given.pop("sandbox", None) if own else None
    _refuse_changes([name for name in given if own or name in _FIXED])
    specs = _options({**given, "out": out}) if given else None
    return drive.resume(folder, steps, specs, show, sandbox, patience_s)


def _configured(path: Path | None, given: dict[str, Any]) -> dict[str, Any]:
    """What a file says, by the names of the options."""
    if path is None:
        return {}
    from mlxlab.api.arguments import NAMED
    from mlxlab.api.configuring import RunConfig
    from mlxlab.cli.config import from_file

    return from_file(path, RunConfig, NAMED, given)


def _print_config(options: Any) -> int:
    """Print a run's options as a file that gives the same ones."""
    from mlxlab.api.arguments import NAMED
    from mlxlab.api.configuring import RunConfig
    from mlxlab.cli.config import print_config

    keys = RunConfig.model_fields
    values = {key: getattr(options, NAMED.get(key, key)) for key in keys}
    return print_config(values, RunConfig)


def _options(given: dict[str, Any]) -> Any:
    from mlxlab.api import RunOptions

    found = {**given, "out": Path(given.get("out", "runs"))}
    if "cache" in found:
        found["cache"] = found["out"] if found["cache"] in ("", True) else found["cache"] or None
    for several in ("rewards", "ideas"):
        if several in found:
            found[several] = tuple(found[several])
    if isinstance(found.get("gpus"), str):
        from mlxlab.core.cores import gpu_indices

        found["gpus"] = gpu_indices(found["gpus"])
    return RunOptions(**found)


def _refuse_changes(given: list[str]) -> None:
    if given:
        named = ", ".join(_WRITTEN.get(name, f"--{name}") for name in given)
        raise UsageError(
            f"A resumed run keeps what it was started with: leave out {named}.",
            "Only --steps can be raised, --sandbox and --patience changed; start a new run for "
            "anything else.",
        )


def _file(group: Any) -> None:
    add = group.add_argument
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="a run as TOML; what is said beside it on the command line wins",
    )
    add(
        "--print-config",
        action="store_true",
        help="print the whole run as such a file, with every option of its components and what "
        "it means; start nothing",
    )
    add(
        "--print-schema",
        action="store_true",
        help="print a JSON schema of such a file, with the options of what is installed: an "
        "editor completes and checks by it, after a first line '#:schema ./FILE'",
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
