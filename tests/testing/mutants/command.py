"""For each check of commands a command that breaks its promise, and what the check says of it."""

from __future__ import annotations

import argparse
import json
import sys


class Good:
    """Greets."""

    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        parser.description = "Greet."
        parser.add_argument("--json", action="store_true", help="print JSON, nothing else")

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        print(json.dumps("hello") if args.json else "hello")
        return 0


class Waiting(Good):
    @staticmethod
    async def run(args: argparse.Namespace) -> int:  # type: ignore[override]
        return 0


class Chatty(Good):
    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        print("configuring")
        Good.configure(parser)


class Terse(Good):
    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        Good.configure(parser)
        parser.add_argument("--loud", action="store_true")


class Greedy(Good):
    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        Good.configure(parser)
        parser.error = lambda message: None  # type: ignore[method-assign, assignment]


class Empty(Good):
    @staticmethod
    def run(args: argparse.Namespace) -> int:
        return None  # type: ignore[return-value]


class Sure(Good):
    @staticmethod
    def run(args: argparse.Namespace) -> int:
        return True


class Leaving(Good):
    @staticmethod
    def run(args: argparse.Namespace) -> int:
        sys.exit(0)


class Percent(Good):
    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        Good.configure(parser)
        parser.add_argument("--share", help="how much, such as 100% of it")


class Once(Good):
    @staticmethod
    def configure(parser: argparse.ArgumentParser) -> None:
        parser.description = "Greet."
        parser.add_argument("--json", action=Single, nargs=0, help="print JSON, nothing else")
        parser.set_defaults(json=False)


class Single(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):  # type: ignore[no-untyped-def]
        if namespace.json:
            parser.error("--json is said twice")
        namespace.json = True


def run(args: argparse.Namespace) -> int:
    return 0


class Proud(Good):
    @staticmethod
    def run(args: argparse.Namespace) -> int:
        print("Done:")
        return Good.run(args)


MORE = [
    (
        "help_says_what_it_does",
        "Percent",
        "--share: its help text cannot be formatted (TypeError: %o format: an integer is required, "
        "not dict): % is written %% there",
    ),
    ("has_configure_and_run", "run", "a function, tests.testing.mutants.command:run; write tests"),
    ("run_returns_a_status", "Sure", "run returned True, which is no exit status"),
    ("run_returns_a_status", "Leaving", "run called sys.exit(0): return a status (at tests/"),
]
"""Other ways to break them."""
MUTANTS = {
    "configure_only_declares": ("command:Chatty", "configure prints: 'configuring"),
    "has_configure_and_run": ("command:Waiting", "run is async"),
    "help_says_what_it_does": ("command:Terse", "without a help text: mlx tried --loud"),
    "json_is_all_of_stdout": ("command:Proud", "with --json it prints 'Done:"),
    "loads_quietly": ("loud:Good", "it prints while it is loaded"),
    "run_returns_a_status": ("command:Empty", "run returned None, which is no exit status"),
    "wrong_option_is_refused": ("command:Greedy", "'--no-such-option' is taken as"),
}
