"""The closing summary: what was spent, as far as it is known, and what to do next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlxlab.cli.lines import Silent
from mlxlab.cli.result import Result, Values
from mlxlab.cli.summary import call_rows, print_summary, spent_rows
from mlxlab.core.totals import Totals
from tests.support import manifest, ref


@pytest.mark.parametrize(
    ("scaffold", "command"),
    [
        ("aide", "mlx run --task toy --policy deepseek-r1"),
        ("linear", "mlx run --task toy --scaffold linear --policy deepseek-r1"),
        ("aide?drafts=2", "mlx run --task toy --scaffold 'aide?drafts=2' --policy deepseek-r1"),
    ],
)
def test_a_model_is_proposed_under_the_scaffold_of_the_run(
    scaffold: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {"task": "toy", "scaffold": scaffold, "policy": "catalog", "sandbox": "local"}
    made = manifest().model_copy(
        update={"status": "done", "components": {kind: ref(kind, n) for kind, n in parts.items()}}
    )
    print_summary(Result(Path("runs/run"), made, None, {}, {}))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ", 1)[1].strip() for line in lines if line.startswith("next ")] == [
        command
    ]


def rows(spent: Totals, max_tokens: int | None = None) -> dict[str, str]:
    return {label: value for label, value, _ in call_rows(spent, max_tokens)}


def test_a_mean_says_of_how_many_steps_it_is() -> None:
    judged = {"haste": Values.among([None, 0.25, 0.5]), "all": Values.among([1.0, 0.0, 0.5]),
              "none": Values.among([None])}  # fmt: skip
    found = spent_rows(Result(Path("runs/run"), manifest(), None, {}, judged))
    told = {label: value for label, value, _ in found}["mean reward"]
    assert told == "haste 0.375 (2 of 3 steps), all 0.5, none - (0 of 1 step)"


def test_an_unknown_price_is_never_left_out() -> None:
    some = Totals(calls=5, cost_usd=None, known_cost_usd=0.12, unpriced_calls=3)
    assert rows(some)["cost"] == "at least $0.120, and 3 calls at an unknown price"
    none = Totals(calls=1, cost_usd=None, unpriced_calls=1)
    assert rows(none)["cost"] == "unknown: 1 call at an unknown price"
    cut = Totals(calls=1, failed_calls=1, cut_off_calls=1, cost_usd=None)
    assert rows(cut)["cost"] == "unknown: 1 call cut off"
    paid = cut.model_copy(update={"calls": 3, "cut_off_calls": 2, "known_cost_usd": 0.5})
    assert rows(paid)["cost"] == "at least $0.500, and 2 calls cut off"
    assert rows(paid)["cut off"] == "2 calls: nobody knows whether they were billed"
    earlier = Totals(calls=1, cost_usd=None)
    assert rows(earlier)["cost"] == "unknown"
    assert rows(Totals(calls=2, cost_usd=0.5, known_cost_usd=0.5))["cost"] == "$0.500"


def test_tries_and_what_nobody_knows_are_told() -> None:
    spent = Totals(
        calls=9, failed_calls=3, retries=2, cut_off_calls=1, prompt_tokens=900,
        completion_tokens=70,
        reasoning_tokens=30, cached_prompt_tokens=400, latency_s=75.0,
    )  # fmt: skip
    found = rows(spent, max_tokens=960)
    assert found["calls"] == "6 answered, 3 failed, 2 retries"
    assert found["cut off"] == "1 call: nobody knows whether it was billed"
    assert found["tokens"] == (
        "900 in, 70 out, 30 of them thinking, 400 in from the provider's cache, 10 over the limit: "
        "the provider took more than it was allowed, 9 calls, 1m 15s of waiting for answers"
    )
    assert list(rows(Totals(calls=2, prompt_tokens=4))) == ["tokens", "cost"]
    uncounted = rows(Totals(calls=3, uncounted_calls=3, latency_s=5))
    assert uncounted["tokens"] == "unknown, for 3 calls, 5.0s of waiting for answers"
    some = rows(Totals(calls=3, uncounted_calls=1, prompt_tokens=4))
    assert some["tokens"] == "4 in, 0 out, and 1 call that nobody counted, 3 calls"


def test_a_pause_is_one_line_for_those_who_want_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view = Silent()
    for second in (10, 20):
        until = datetime(2030, 1, 1, 12, 0, second, tzinfo=UTC)
        view.mlx_run_paused("the server \x1b[31m is down.", until)
    view.mlx_run_resumed()
    paused, resumed = capsys.readouterr().err.splitlines()
    assert paused.startswith("Paused: the server \\x1b[31m is down. Next try at ")
    assert resumed.startswith("The provider answers again; the run goes on after 0.")


def test_longer_waits_are_told_too_with_the_end_of_the_patience(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view = Silent(1800.0)
    for seconds in (4, 8, 8, 16, 30, 30, 30):
        view.mlx_run_paused("Server disconnected", datetime.now(UTC) + timedelta(seconds=seconds))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "Paused", *["Still paused after 0.0s"] * 3
    ]  # fmt: skip
    assert ": Server disconnected. Next try at " in lines[0]
    assert all(". Patience lasts until about " in line for line in lines)
    view.mlx_run_resumed()
    view.mlx_run_paused("Again!", datetime.now(UTC) + timedelta(seconds=1))
    assert "\nPaused: Again! Next try at " in capsys.readouterr().err
