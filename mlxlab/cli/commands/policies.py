"""`mlx policies`: which models there are, and what a run needs to ask one."""

from __future__ import annotations

import argparse

from mlxlab.cli.parser import positive

conformance = {"arguments": ("list",)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "Policies and presets: their models, keys and prices; a trial of one."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="every policy and preset; asks nobody")
    trial = commands.add_parser("test", help="one real call: latency, price, what the model can")
    trial.add_argument("spec", metavar="SPEC", help="a policy as --policy takes it")
    trial.add_argument(
        "--max-tokens", metavar="N", type=positive, default=1024, help="limit of the answer (1024)"
    )
    for command in (listing, trial):
        command.add_argument("--json", action="store_true", help="print JSON, nothing else")


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    if args.action == "test":
        from mlxlab.cli.policies.trying import try_policy

        return try_policy(args.spec, args.max_tokens, args.json)
    from mlxlab.cli.policies.listing import list_policies

    return list_policies(args.json)
