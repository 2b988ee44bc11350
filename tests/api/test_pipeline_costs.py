"""What a dry run says of policies that are paid: tokens, US dollars, or that nobody knows."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

from mlxlab.api.pipeline import plan_pipeline
from mlxlab.api.pipeline.estimating import estimates
from mlxlab.core.entries import Entry
from mlxlab.core.errors import UsageError
from mlxlab.core.policy import PolicyRequest, Price
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.trainer import Estimate
from tests.api.test_pipeline import write

PAID = """\
tasks = ["generated:linear/0-1"]
held_out = ["generated:rings/0"]
editor = "unstated"
[explore]
policy = "dear"
candidates = 60
[collect]
policy = "dear"
steps = 3
trajectories = 5
[[rl]]
[evaluate]
states = 10
samples = 4
steps = 5
seeds = 2
expert = "dear"
"""


class Unstated:
    """States no price."""

    async def act(self, request: PolicyRequest) -> Completion:
        raise AssertionError("a dry run asks nobody")

    async def close(self) -> None:
        pass


class Dear(Unstated):
    """One dollar a million tokens of a prompt, two of an answer."""

    async def price(self) -> Price:
        return Price(prompt_usd=1e-6, completion_usd=2e-6)


class Keyless(Unstated):
    """Cannot be made here."""

    def __init__(self) -> None:
        raise UsageError("DEAR_KEY is not set.")


def rehearsed(folder: Path, text: str) -> dict[str, list[Estimate]]:
    """What a dry run says of a file, by stage."""
    made = {"dear": "Dear", "unstated": "Unstated", "keyless": "Keyless"}
    entries = [
        Entry("policy", name, target, "tests", "0", EntryPoint(f"policy.{name}", target, "x"))
        for name, target in ((name, f"{__name__}:{kind}") for name, kind in made.items())
    ]
    registry = Registry([*Registry.installed().entries, *entries])
    plan = plan_pipeline(write(folder, text), out=folder / "out", registry=registry)
    return estimates(plan)


def costs(folder: Path, text: str = PAID) -> dict[str, dict[str, str]]:
    """By stage, what is said of money and tokens."""
    found = {
        stage: {line.name: line.value for line in lines if " of " in line.name}
        for stage, lines in rehearsed(folder, text).items()
    }
    return {stage: lines for stage, lines in found.items() if lines}


def test_calls_are_counted_and_paid_for_where_a_price_is_stated(tmp_path: Path) -> None:
    found = costs(tmp_path)
    # 60 ideas take three calls a task; a call is guessed at 4000 + 4000 tokens: 1.2 cents.
    assert found["explore"] == {"tokens of dear": "24,000 + 24,000", "cost of dear": "$0.072"}
    # Two tasks x five runs x three steps, and as many edits at most.
    assert found["collect-expert"] == {
        "tokens of dear": "120,000 + 120,000",
        "cost of dear": "$0.36",
        "tokens of unstated": "120,000 + 120,000",
        "cost of unstated": "unknown",
    }
    assert found["grpo"] == {"cost of unstated": "unknown"}
    # 2 x 10 states x 4 samples + 3 tasks x 2 seeds x 5 steps are 110 answers of the expert.
    assert found["evaluate"]["cost of dear"] == "$1.32"
    assert found["evaluate"]["cost of unstated"] == "unknown"
    assert "cost of random" not in found["evaluate"]


def test_three_axes_are_asked_one_by_one(tmp_path: Path) -> None:
    found = costs(tmp_path, PAID.replace("candidates = 60", "candidates = 90\nversion = 2"))
    # 30 ideas of each of three axes take two calls each, on two tasks.
    assert found["explore"]["tokens of dear"] == "48,000 + 48,000"


def test_a_policy_that_cannot_be_made_here_has_an_unknown_cost_and_says_why(
    tmp_path: Path,
) -> None:
    text = PAID.replace('"dear"', '"keyless"').replace('editor = "unstated"\n', "")
    line = rehearsed(tmp_path, text)["collect-expert"][-1]
    assert (line.name, line.value) == ("cost of keyless", "unknown")
    assert line.basis == "DEAR_KEY is not set."


def test_free_policies_are_not_spoken_of(tmp_path: Path) -> None:
    text = PAID.replace('"dear"', '"climb"').replace('editor = "unstated"\n', "")
    assert costs(tmp_path, text) == {}
