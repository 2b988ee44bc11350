"""`mlx sandboxes`: what sandboxes made outside run folders, and removing what crashes left."""

from __future__ import annotations

import argparse

conformance = {"arguments": ("list",)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "Containers, machines and processes that sandboxes made."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="what there is, and whether its run still lives")
    prune = commands.add_parser("prune", help="remove what killed runs left; 1 if that fails")
    for command in (listing, prune):
        command.add_argument("--json", action="store_true", help="print JSON, nothing else")


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    from mlxlab.cli.sandboxes.sweeping import sweep_all

    return sweep_all(remove=args.action == "prune", as_json=args.json)
