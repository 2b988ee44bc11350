"""`mlx tasks`: which tasks are installed and what they ask for."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "List tasks and show what they ask for."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="every installed task, without importing it")
    show = commands.add_parser("show", help="metric, rows, baseline, reference, description")
    show.add_argument("task", metavar="TASK", help="a task's name or a folder")
    for command in (listing, show):
        command.add_argument("--json", action="store_true", help="print JSON, nothing else")


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    if args.action == "list":
        from mlxlab.cli.plugins.listing import list_plugins

        return list_plugins("task", args.json)
    from mlxlab.cli.task import show_task

    return show_task(args.task, args.json)
