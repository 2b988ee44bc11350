"""For each check of commands a command that breaks its promise, and what the check says of it."""

from __future__ import annotations

import argparse
import json


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


class Proud(Good):
    @staticmethod
    def run(args: argparse.Namespace) -> int:
        print("Done:")
        return Good.run(args)


MUTANTS = {
    "configure_only_declares": ("command:Chatty", "configure prints: 'configuring"),
    "has_configure_and_run": ("command:Waiting", "run is async"),
    "help_says_what_it_does": ("command:Terse", "without a help text: mlx tried --loud"),
    "json_is_all_of_stdout": ("command:Proud", "with --json it prints 'Done:"),
    "loads_quietly": ("loud:Good", "it prints while it is loaded"),
    "run_returns_a_status": ("command:Empty", "run returned None, which is no exit status"),
    "wrong_option_is_refused": ("command:Greedy", "'--no-such-option' is taken as"),
}
