"""`mlx runs`: list, show, audit, export and prune what was recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mlxlab.cli.parser import days

conformance = {"arguments": ("list",)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "List, show, audit, export and prune recorded runs."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="every run in one line, the newest last")
    _common(listing)
    show = commands.add_parser("show", help="one run: what it is made of, its tree, its steps")
    show.add_argument(
        "run", metavar="RUN", help="a run's folder, id, or beginning of its id; latest: the newest"
    )
    show.add_argument("--step", type=int, metavar="N", help="one step: prompt, answer, outcome")
    show.add_argument("--private", action="store_true", help="also the private scores")
    _common(show)
    _audit(commands.add_parser("audit", help="signs of cheating in what was recorded"))
    export = commands.add_parser("export", help="one row a step, for training and analysis")
    export.add_argument("runs", nargs="+", metavar="RUN", help="as in 'show'")
    export.add_argument(
        "--format",
        metavar="FORMAT",
        default="jsonl",
        help="jsonl (default), parquet, or a folder that another trainer reads: verl, with options "
        "as in verl?reward=improvement",
    )
    export.add_argument("--output", type=Path, metavar="FILE", help="default: stdout (jsonl)")
    export.add_argument("--private", action="store_true", help="also the private scores")
    _out(export)
    _prune(commands.add_parser("prune", help="free what states and killed runs take on the disk"))


def _audit(parser: Any) -> None:
    parser.description = (
        "Look for signs of cheating: answers read, predictions or scores that stand in a program, "
        "the network, escapes, scores too good. Exit status 1 if there is a violation; what is "
        "only suspicious leaves it 0."
    )
    told = "as in 'show', or a folder of runs, or a bench"
    parser.add_argument("runs", nargs="+", metavar="RUN", help=told)
    _common(parser)


def _prune(parser: Any) -> None:
    parser.description = (
        "Say what would be removed; --yes removes it. Records, prompts and best solutions stay. "
        "Of runs that are done, the states go; of others, which can be resumed, only what killed "
        "processes left, unless they are named."
    )
    add = parser.add_argument
    add("runs", nargs="*", metavar="RUN", help="as in 'show' (default: every run)")
    add(
        "--keep",
        choices=("best", "none", "all"),
        default="best",
        help="the states that stay: on the path to the best step, none, or all, so that only "
        "scratch folders and half written files go (default: best)",
    )
    add("--older-than", type=days, metavar="DAYS", help="only runs that began before that")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--yes", action="store_true", help="remove it")
    how.add_argument("--dry-run", action="store_true", help="only say it, as without --yes")
    _common(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    from mlxlab.api import find_run

    if args.action == "list":
        from mlxlab.cli.records.listing import list_all

        return list_all(args.out, args.json)
    if args.action == "export":
        return _export(args)
    if args.action == "audit":
        from mlxlab.cli.records.audit import audit_runs

        return audit_runs(args.runs, args.out, args.json)
    if args.action == "prune":
        from mlxlab.cli.records.pruning import prune_runs

        named = [find_run(name, args.out) for name in args.runs]
        return prune_runs(args.out, named, args.keep, args.older_than, args.yes, args.json)
    folder = find_run(args.run, args.out)
    if args.step is not None:
        from mlxlab.cli.records.step import show_step

        return show_step(folder, args.step, args.private, args.json)
    from mlxlab.cli.records.show import show_run

    return show_run(folder, args.private, args.json)


def _export(args: argparse.Namespace) -> int:
    from mlxlab.api import find_run
    from mlxlab.cli.records.export import export, export_states
    from mlxlab.cli.text import count

    folders = [find_run(name, args.out) for name in args.runs]
    if args.format not in ("jsonl", "parquet"):
        written = export_states(folders, args.format, args.output)
        print(f"{count(written, 'state')} written to {args.output}", file=sys.stderr)
        return 0
    rows, columns = export(folders, args.format, args.output, args.private)
    if args.output is not None:
        told = f"{count(rows, 'row')} of {columns} columns written to {args.output}"
        print(told, file=sys.stderr)
    return 0


def _common(parser: Any) -> None:
    _out(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value, nothing else")


def _out(parser: Any) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), metavar="DIR", help="folder of runs"
    )
