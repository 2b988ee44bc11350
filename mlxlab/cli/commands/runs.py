"""`mlx runs`: list, show and export what was recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "List, show and export recorded runs."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="every run in one line, the newest last")
    _common(listing)
    show = commands.add_parser("show", help="one run: what it is made of, its tree, its steps")
    show.add_argument("run", metavar="RUN", help="a run's folder, id, or beginning of its id")
    show.add_argument("--step", type=int, metavar="N", help="one step: prompt, answer, outcome")
    show.add_argument("--private", action="store_true", help="also the private scores")
    _common(show)
    export = commands.add_parser("export", help="one row a step, for training and analysis")
    export.add_argument("runs", nargs="+", metavar="RUN", help="as in 'show'")
    export.add_argument("--format", choices=("jsonl", "parquet"), default="jsonl")
    export.add_argument("--output", type=Path, metavar="FILE", help="default: stdout (jsonl)")
    export.add_argument("--private", action="store_true", help="also the private scores")
    _out(export)


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    from mlxlab.api import find_run

    if args.action == "list":
        from mlxlab.cli.records.listing import list_all

        return list_all(args.out, args.json)
    if args.action == "export":
        return _export(args)
    folder = find_run(args.run, args.out)
    if args.step is not None:
        from mlxlab.cli.records.step import show_step

        return show_step(folder, args.step, args.private, args.json)
    from mlxlab.cli.records.show import show_run

    return show_run(folder, args.private, args.json)


def _export(args: argparse.Namespace) -> int:
    from mlxlab.api import find_run
    from mlxlab.cli.records.export import export
    from mlxlab.cli.text import count

    folders = [find_run(name, args.out) for name in args.runs]
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
