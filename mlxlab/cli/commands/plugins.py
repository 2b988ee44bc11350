"""`mlx plugins`: what is installed, what it takes, whether it loads; a new one."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlxlab.cli.parser import seconds

_KINDS = ("scaffold", "policy", "sandbox", "reward", "task", "trainer", "command")
_NAME = "a name, kind.name, distribution::name, or a distribution"

conformance = {"arguments": ("list",)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "List, describe, check and begin components and hook modules."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="everything installed, without importing it")
    listing.add_argument("--kind", metavar="K", help="one kind: task, scaffold, policy, ...")
    show = commands.add_parser("show", help="what a component is, and its options")
    show.add_argument("name", metavar="NAME", help=_NAME)
    check = commands.add_parser("check", help="put it to the checks of its kind; 1 if one fails")
    _check(check)
    new = commands.add_parser("new", help="write a package with a component of your own")
    new.add_argument("name", metavar="NAME", help="of the package: my-plugin")
    new.add_argument("--kind", required=True, choices=_KINDS, help="what it brings")
    new.add_argument("--out", type=Path, metavar="DIR", help="its folder (default: NAME)")
    for command in (listing, show, check, new):
        command.add_argument("--json", action="store_true", help="print JSON, nothing else")


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    if args.action == "list":
        from mlxlab.cli.plugins.listing import list_plugins

        return list_plugins(args.kind, args.json)
    if args.action == "show":
        from mlxlab.cli.plugins.show import show

        return show(args.name, args.json)
    if args.action == "new":
        from mlxlab.cli.plugins.new.command import new

        return new(args.kind, args.name, args.out, args.json)
    from mlxlab.cli.plugins.check import check

    return check(args.name, args.json, args.kind, args.timeout, args.load, args.strict, args.only)


def _check(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Load a component, then put it to one check for each promise: of all components, and of "
        "its kind. Each runs in another process; a policy is really asked, a sandbox really used. "
        "A gap is a check that the component's known_gaps declare."
    )
    parser.add_argument("name", metavar="NAME", help=f"{_NAME}; with options: docker?image=x")
    parser.add_argument("--kind", metavar="K", help="only what is of this kind")
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=120.0,
        metavar="TIME",
        help="what loading, and each check, may take: 90s, 5m (default: 2m)",
    )
    parser.add_argument("--load", action="store_true", help="only load it")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="only this check, or all whose ids begin so: sandbox.memory; may be repeated",
    )
    parser.add_argument(
        "--strict", action="store_true", help="1 also if something could not be checked here"
    )
