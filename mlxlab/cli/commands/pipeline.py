"""`mlx pipeline`: from nothing to an evaluated policy, in one resumable command."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlxlab.cli.parser import positive

_EPILOG = """\
A pipeline file names tasks, how experts work on them, what is trained from it
and what is measured; docs/training.md describes it. The same command again
takes up what was interrupted or killed; a stage whose options have changed is
done again, and so are those after it."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "Explore, collect, fine-tune, reinforce, evaluate and report."
    commands = parser.add_subparsers(dest="what", metavar="COMMAND", required=True)
    run_ = commands.add_parser(
        "run",
        help="run a pipeline, or take it up where it ended",
        description="Run every stage of a pipeline that is not done yet.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = run_.add_argument
    add("file", type=Path, metavar="FILE", help="the pipeline, a TOML file")
    add("--out", type=Path, metavar="DIR", help="its folder (default: pipelines-out/NAME-SEED)")
    add("--seed", type=int, metavar="N", help="seed of every choice (default: the file's)")
    add("--workers", type=positive, metavar="K", help="executions at one time (default: all cores)")
    add("--only", metavar="STAGE", help="this stage alone: explore, collect, sft, rl, a name, ...")
    add("--dry-run", action="store_true", help="check everything, estimate, start nothing")
    add("--json", action="store_true", help="print one JSON object, nothing else")
    add("--quiet", action="store_true", help="show no progress")


def run(args: argparse.Namespace) -> int:
    """Drive the pipeline, or usage errors before anything starts."""
    from mlxlab.cli.drive import Show
    from mlxlab.cli.pipeline import drive
    from mlxlab.cli.signals import terminable

    request = drive.Request(args.file, args.out, args.seed, args.workers, args.only)
    show = Show(json=args.json, quiet=args.quiet)
    with terminable():
        return drive.rehearse(request, show) if args.dry_run else drive.start(request, show)
