"""Policies beside reference lines, on a toy whose every figure can be told in the head."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mlxlab.api.evaluating import FILE, Evaluation, Measuring, Part, Subject, evaluate
from mlxlab.api.evaluating.asking import answers, request_of
from mlxlab.api.evaluating.grids import constants
from mlxlab.api.evaluating.lines import PROBES
from mlxlab.api.evaluating.record import Mean
from mlxlab.api.evaluating.sampling import sample
from mlxlab.api.evaluating.scale import Scale
from mlxlab.api.evaluating.swapping import partners
from mlxlab.core.errors import PolicyError, UsageError
from tests.api.offsets import Always, Broken, Offsets, Other, Toy, registry, state
from tests.recorded import task

STATES = (state(0, None), state(1, 2.0), state(2, None, "other"), state(3, 0.75, "other"))
SMALL = Measuring(states=4, samples=2, steps=2, seeds=2, swap=False, expert=None, random=None)


def run(out: Path, policies: dict[str, str], **more: Any) -> Evaluation:
    given: dict[str, Any] = {
        "parts": (Part("held-in", STATES, ("toy", "other")),),
        "training": STATES,
        "scaffold": "offsets",
        "out": out,
        "options": SMALL,
        "sandbox": "memory",
        "registry": registry(),
    }
    return evaluate(policies, **{**given, **more})


def subject(found: Evaluation, name: str) -> Subject:
    one = found.subject(name)
    assert one is not None
    return one


def figure(found: Evaluation, name: str, what: str) -> float:
    return subject(found, name).singles["held-in"].figures[what].mean


def curve(found: Evaluation, name: str) -> list[float]:
    return [mean.mean for mean in subject(found, name).loops["held-in"].curve]


def test_policies_and_lines_have_the_figures_that_the_head_tells(tmp_path: Path) -> None:
    found = run(tmp_path, {"one": "always:1.0", "none": "always:nothing"})
    # 1.0 beats no score, 2.0 and again no score, and not 0.75.
    assert figure(found, "one", "improvement") == 0.75
    assert figure(found, "one", "valid") == 1.0
    assert figure(found, "one", "unique") == 0.25  # one action among four on each task
    assert figure(found, "none", "valid") == 0.0
    assert figure(found, "none", "v2") == -1.0
    # Of five actions, all beat no score, two beat 2.0, one beats 0.75.
    assert figure(found, "random valid", "improvement") == pytest.approx((5 + 2 + 5 + 1) / 20)
    assert figure(found, "ceiling", "improvement") == 1.0
    assert figure(found, "best constant", "improvement") == 1.0  # 0.5 is best everywhere
    assert subject(found, "best constant").spec == "0.5"
    # The ceiling is 0.5, the start 3: 1.0 closes 2 of 2.5.
    assert curve(found, "one") == [0.8, 0.8]
    assert curve(found, "none") == [0.0, 0.0]
    assert curve(found, "ceiling") == [1.0, 1.0]
    assert curve(found, "best constant") == [1.0, 1.0]
    assert curve(found, "probes + random")[0] == 0.0  # 4.0 is worse than the start
    for line in PROBES:  # what a study pairs by task
        assert set(subject(found, line).loops["held-in"].by_task) == {"toy", "other"}
    free = curve(found, "free probes + random")
    assert free[0] >= curve(found, "probes + random")[1] and free == sorted(free)
    loops = subject(found, "one").loops["held-in"]
    assert (loops.figures["executions"].mean, loops.figures["repeats"].mean) == (2.0, 1.0)
    assert loops.values == {"other": (0.8, 0.8), "toy": (0.8, 0.8)}


def test_what_was_measured_before_is_not_measured_again(tmp_path: Path) -> None:
    first = run(tmp_path, {"one": "always:1.0"})
    asked = Always.asked
    again = run(tmp_path, {"one": "always:1.0"})
    assert Always.asked == asked
    assert again.subjects[0] == first.subjects[0]
    assert Evaluation.model_validate_json((tmp_path / FILE).read_bytes()) == again
    other = run(tmp_path, {"one": "always:2.0"})
    assert Always.asked > asked
    assert other.subjects[0] != first.subjects[0]


def test_without_a_grid_no_line_comes_from_one(tmp_path: Path) -> None:
    found = run(tmp_path, {"one": "always:1.0"}, options=SMALL.model_copy(update={"grid": False}))
    assert [each.name for each in found.subjects] == ["one"]
    assert "m_best" in found.scale and found.notes
    assert curve(found, "one") == pytest.approx([2 / 3, 2 / 3])  # m_best is 0


BROKEN = {"gone": "broken:as it may", "odd": "broken:as it must not", "open": "broken:in closing"}


def test_a_policy_that_fails_costs_its_own_figures_alone(tmp_path: Path) -> None:
    options = SMALL.model_copy(update={"expert": "broken:as it may", "random": "always:2.0"})
    found = run(tmp_path, {**BROKEN, "one": "always:1.0"}, options=options)
    names = [each.name for each in found.subjects]
    assert names[:3] == ["open", "one", "random search"] and "ceiling" in names
    assert figure(found, "one", "improvement") == figure(found, "open", "improvement") == 0.75
    gone, odd, closing, expert = found.notes
    assert gone == "gone: not measured. The server is gone."
    assert odd.startswith("odd: not measured. policy 'broken' of tests 0: act failed: KeyError")
    assert closing.startswith("open: measured, but not closed. policy 'broken'")
    assert expert == "expert: not measured. The server is gone."
    assert Evaluation.model_validate_json((tmp_path / FILE).read_bytes()) == found
    kept = sorted(path.stem for path in (tmp_path / "subjects").iterdir())
    assert kept == ["one", "open", "random_search"]


def test_a_failure_cancels_what_is_left_to_ask() -> None:
    made = registry().create("policy", "broken:as it may").instance
    Broken.asked = 0
    requests = [request_of(STATES[0], 0, number) for number in range(100)]
    with pytest.raises(PolicyError, match="server is gone"):
        asyncio.run(answers(made, Offsets(), requests, at_once=2))
    assert Broken.asked <= 4


def test_an_empty_name_shows_no_line(tmp_path: Path) -> None:
    options = SMALL.model_copy(update={"grid": False, "expert": "", "random": ""})
    found = run(tmp_path, {"one": "always:1.0"}, options=options)
    assert [each.name for each in found.subjects] == ["one"] and len(found.notes) == 1


def test_nothing_to_measure_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither states nor tasks"):
        run(tmp_path, {}, parts=(Part("held-in", (), ()),))


def test_scores_below_the_start_count_as_the_start() -> None:
    info, scale = Toy().info, Scale({"toy": 0.5})
    assert scale.value("toy", info, 0.5, 0.4) == 1.0
    assert scale.value("toy", info, 9.0, 9.0) == 0.0
    assert scale.value("toy", info, None, None) == 0.0
    assert scale.value("toy", info, 3.5, 2.9) == pytest.approx(-0.2)  # what public scores misled to
    unknown = info.model_copy(update={"m_init": None})
    assert scale.value("toy", unknown, 1.0, 1.0) is None


def test_a_sample_takes_turns_among_tasks_and_repeats() -> None:
    many = [state(n, None) for n in range(6)] + [state(n, None, "other") for n in range(2)]
    chosen = sample(many, 4, seed=3)
    assert sorted(each.task for each in chosen) == ["other", "other", "toy", "toy"]
    assert chosen == sample(reversed(many), 4, seed=3)
    assert len(sample(many, 100, seed=3)) == 8


def test_the_best_constant_is_the_best_on_average_of_each_type() -> None:
    values = {"a": {"x": 1.0, "y": 0.6}, "b": {"x": 0.0, "y": 0.6}, "c": {"z": 1.0}}
    kinds = {"a": "one", "b": "one", "c": "two"}
    assert constants(values, kinds) == {"": "y", "one": "y", "two": "z"}


def test_swapped_descriptions_are_those_of_a_task_that_is_scored_alike() -> None:
    infos = {"toy": Toy().info, "other": Other().info, "far": task("far")}
    found = partners(infos)
    assert found["toy"].id == "other" and found["other"].id == "toy"
    assert found["far"].id in {"toy", "other"}


def test_a_mean_without_values_is_none() -> None:
    assert Mean.of([[], []]) is None
    one = Mean.of([[0.5]])
    assert one is not None and one.low is None
