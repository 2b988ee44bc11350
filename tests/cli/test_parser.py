from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.cli.parser import Parser, dollars, positive, seconds, size
from mlxlab.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("0.5h", 1800)],
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_parts_of_a_duration_add_up(hours: int, minutes: int, rest: int) -> None:
    assert seconds(f"{hours}h{minutes}m{rest}s") == hours * 3600 + minutes * 60 + rest


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "m", "nan", "inf", "1d", "5m5h", "1e400"])
def test_no_durations(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no duration"):
        seconds(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", ""])
def test_no_whole_numbers(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        positive(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x"])
def test_no_money(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        dollars(text)


def test_money() -> None:
    assert dollars("$2.5") == dollars("2.5") == 2.5


def _parser() -> Parser:
    parser = Parser(prog="mlx thing")
    below = parser.add_subparsers(dest="action", required=True).add_parser("show")
    below.add_argument("--private", action="store_true")
    return parser


def test_the_nearest_option_is_named_also_in_a_subcommand() -> None:
    with pytest.raises(UsageError, match=r"mlx thing show has no option '--privat'.*--private"):
        _parser().parse_args(["show", "--privat"])


def test_errors_are_raised_in_one_line() -> None:
    with pytest.raises(UsageError, match=r"mlx thing: .*required"):
        _parser().parse_args([])


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("1048576", 1 << 20), ("500M", 500 << 20), ("1.5g", 3 << 29), ("2 GiB", 2 << 30)],
)  # fmt: skip
def test_sizes(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1X", "0.1", "9" * 40])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        size(text)


def test_the_nearest_of_few_choices_is_named() -> None:
    parser = Parser(prog="mlx x")
    parser.add_argument("--feedback", choices=("public", "none"))
    with pytest.raises(UsageError, match=r"Did you mean 'public'\?"):
        parser.parse_args(["--feedback", "Pubic"])
    with pytest.raises(UsageError, match="'mlx x --help' says more"):
        parser.parse_args(["--feedback", "zzz"])
