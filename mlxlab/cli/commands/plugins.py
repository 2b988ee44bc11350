"""`mlx plugins`: what is installed, what it takes, whether it loads."""

from __future__ import annotations

import argparse

_NAME = "a name, kind.name, distribution::name, or a distribution"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "List, describe and check installed components and hook modules."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="everything installed, without importing it")
    listing.add_argument("--kind", metavar="K", help="one kind: task, scaffold, policy, ...")
    show = commands.add_parser("show", help="what a component is, and its options")
    show.add_argument("name", metavar="NAME", help=_NAME)
    check = commands.add_parser("check", help="load it in a process of its own; 1 if it fails")
    check.add_argument("name", metavar="NAME", help=_NAME)
    for command in (listing, show, check):
        command.add_argument("--json", action="store_true", help="print JSON, nothing else")


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    if args.action == "list":
        from mlxlab.cli.plugins.listing import list_plugins

        return list_plugins(args.kind, args.json)
    if args.action == "show":
        from mlxlab.cli.plugins.show import show

        return show(args.name, args.json)
    from mlxlab.cli.plugins.check import check

    return check(args.name, args.json)
