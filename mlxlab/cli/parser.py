"""Option parsing: errors in one line with what comes near, and the types of option values.

Standard library only: every command's help goes through it.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from typing import NoReturn

from mlxlab.core.amounts import bytes_of, seconds_of
from mlxlab.core.errors import UsageError
from mlxlab.core.near import did_you_mean, nearest

_CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)")
"""How argparse tells of a value that is none of a few."""
_WORD = re.compile(r"'([^']*)'")


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are UsageError: one line, and the nearest option."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuse what is unknown here, where a subcommand's own options are at hand."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            raise UsageError(f"{self.prog} has no option '{unknown[0]}'.", self._near(unknown[0]))
        return found, []

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        hint = f"'{self.prog} --help' says more."
        if wrong := _CHOICE.search(message):
            hint = did_you_mean(wrong[1], _WORD.findall(wrong[2]), hint)
        raise UsageError(f"{self.prog}: {message}.", hint)

    def _near(self, option: str) -> str:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        near = nearest(option.partition("=")[0], known, 0.5)
        return f"Did you mean {near}?" if near else f"'{self.prog} --help' lists what it has."


def seconds(text: str) -> float:
    """An option's duration in seconds; see `seconds_of`."""
    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def positive(text: str) -> int:
    """An option's whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of 1 or more")
    return value


def days(text: str) -> float:
    """An option's number of days, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 100 * 365:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of days")
    return value


def size(text: str) -> int:
    """An option's amount of memory in bytes; see `bytes_of`."""
    try:
        return bytes_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def dollars(text: str) -> float:
    """An option's amount of money in US dollars, more than none."""
    try:
        value = float(text.removeprefix("$"))
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is no amount of dollars above 0")
    return value
