"""From tasks to diverse ideas to runs that try them: offline, resumed, and refused."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest

from mlxlab.api import RunFolder
from mlxlab.api.exploring import AXES, Explored, Idea, TaskIdeas, collect, explore
from mlxlab.api.exploring.calls import Calls
from mlxlab.api.exploring.collecting import ideas_of
from mlxlab.core.errors import PolicyError, RecordError, UsageError
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry

TASK = "generated:rings/1"
QUIET = {"policy": "climb", "scaffold": "recipe", "tell": str}


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    return explore([TASK], out=tmp_path_factory.mktemp("ideas"), **QUIET)


def test_version_1_keeps_ten_of_a_hundred_and_they_are_more_diverse(explored):
    found = explored.tasks[TASK]
    assert len(found.candidates) >= 100
    assert len(found.kept) == 10
    assert set(found.kept) < set(found.candidates)
    assert found.after > found.before
    assert (found.calls, found.cost_usd) == (5, 0.0)
    assert (explored.embedder, explored.version) == ("tfidf", 1)


def test_version_2_keeps_some_of_each_axis(tmp_path):
    options = {"version": 2, "candidates": 30, "per_axis": 4}
    found = explore([TASK], out=tmp_path, **options, **QUIET).tasks[TASK]
    assert Counter(idea.axis for idea in found.kept) == dict.fromkeys(AXES, 4)
    assert Counter(idea.axis for idea in found.candidates)["Data"] >= 10
    texts = [{i.text for i in found.candidates if i.axis == axis} for axis in AXES]
    assert texts[0] != texts[1]


def test_the_same_again_asks_nobody(tmp_path, monkeypatch):
    first = explore([TASK], out=tmp_path, candidates=30, **QUIET)
    lines = (tmp_path / "ideas.jsonl").read_bytes()
    assert lines.count(b"\n") == first.tasks[TASK].calls

    async def never(self, *_):
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(Calls, "_tried", never)
    assert explore([TASK], out=tmp_path, candidates=30, **QUIET) == first
    assert Explored.read(tmp_path) == first
    assert (tmp_path / "ideas.jsonl").read_bytes() == lines


def test_what_was_paid_before_a_failure_is_not_paid_again(tmp_path, monkeypatch):
    policy = type(Registry.installed().create("policy", "climb").instance)
    answered, asked = policy.act, []

    async def act(self, request):
        asked.append(request.decision.step)
        if len(asked) == 2:
            raise PolicyError("No credit is left.")
        return (await answered(self, request)).model_copy(update={"cost_usd": 0.5})

    monkeypatch.setattr(policy, "act", act)
    with pytest.raises(PolicyError, match="No credit is left"):
        explore([TASK], out=tmp_path, candidates=40, **QUIET)
    lines = (tmp_path / "ideas.jsonl").read_text().splitlines()
    assert [json.loads(line)["error"] for line in lines] == [None, "No credit is left."]
    torn = (tmp_path / "ideas.jsonl").open("a")
    torn.write('{"schema": 1, "task": "gener')  # a kill in the middle of a line
    torn.close()
    found = explore([TASK], out=tmp_path, candidates=40, **QUIET)
    assert asked == [1, 2, 2]
    assert found.tasks[TASK].cost_usd == 1.0


def test_a_policy_that_repeats_itself_ends_and_one_without_ideas_is_told_of(tmp_path, monkeypatch):
    policy = type(Registry.installed().create("policy", "climb").instance)
    told = []

    async def same(self, request):
        return Completion(text="[advice] Scale it.\n[advice] Grow a tree.")

    async def nothing(self, request):
        return Completion(text="No.")

    monkeypatch.setattr(policy, "act", same)
    options = QUIET | {"tell": told.append}
    found = explore([TASK], out=tmp_path / "same", **options).tasks[TASK]
    assert [idea.text for idea in found.kept] == ["Scale it.", "Grow a tree."]
    assert (found.calls, found.cost_usd) == (2, None)
    assert "2 ideas (of 100 wanted)" in told[0]
    monkeypatch.setattr(policy, "act", nothing)
    with pytest.raises(UsageError, match="gave no idea"):
        explore([TASK], out=tmp_path / "none", **QUIET)


def test_a_folder_is_of_one_policy_and_one_seed(tmp_path):
    explore([TASK], out=tmp_path, candidates=10, **QUIET)
    with pytest.raises(UsageError, match="holds ideas of the policy 'climb' with seed 0"):
        explore([TASK], out=tmp_path, candidates=10, seed=1, **QUIET)
    with pytest.raises(RecordError, match="holds no exploration"):
        Explored.read(tmp_path / "elsewhere")
    (tmp_path / "ideas.json").write_text('{"schema": 1}')
    with pytest.raises(RecordError, match=r"ideas\.json cannot be read"):
        Explored.read(tmp_path)


def test_one_to_three_ideas_are_drawn_and_distinct_axes_where_there_are_any():
    plain = [Idea(text=f"idea {n}") for n in range(10)]
    axes = [Idea(text=f"{axis} {n}", axis=axis) for axis in AXES for n in range(4)]
    facts = {"task": "t", "data_hash": "", "candidates": (), "calls": 1, "cost_usd": None}
    one, three = (
        TaskIdeas(kept=tuple(kept), before=None, after=None, **facts) for kept in (plain, axes)
    )
    for found in (one, three):
        drawn = [found.drawn(Random(seed)) for seed in range(600)]
        shares = Counter(map(len, drawn))
        assert set(shares) == {1, 2, 3}
        assert all(150 < count < 250 for count in shares.values())
        assert all(len(set(ideas)) == len(ideas) for ideas in drawn)
    for ideas in (three.drawn(Random(seed)) for seed in range(100)):
        assert len({idea.split()[0] for idea in ideas}) == len(ideas)
    firsts = Counter(three.drawn(Random(seed))[0].split()[0] for seed in range(600))
    assert all(150 < count < 250 for count in firsts.values())


def test_a_task_that_was_not_explored_is_named(explored):
    with pytest.raises(UsageError, match=r"no ideas for the task 'flights'.*generated:rings/1"):
        ideas_of(explored, "flights", 0, 0)


def test_trajectories_are_recorded_with_their_ideas_and_not_again(explored, tmp_path):
    told = []
    options = {
        "explored": explored, "scaffold": "recipe", "policy": "climb", "sandbox": "local",
        "rewards": ("ml-agent",), "steps": 2, "trajectories": 2, "seed": 5, "workers": 2,
        "out": tmp_path, "exec_timeout_s": 10.0, "tell": told.append,
    }  # fmt: skip
    runs = collect([TASK], **options)
    manifests = [RunFolder(run).manifest() for run in runs]
    assert len({manifest.seed for manifest in manifests}) == 2
    assert len(told) == 2
    for number, (run, manifest) in enumerate(zip(runs, manifests, strict=True)):
        assert manifest.status == "done"
        assert manifest.ideas == ideas_of(explored, TASK, 5, number)
        first = RunFolder(run).steps()[0]
        prompt = "\n".join(message.content for message in RunFolder(run).prompt(first.prompt))
        assert all(idea in prompt for idea in manifest.ideas)
    assert collect([TASK], **options) == runs
    more = collect([TASK], **(options | {"trajectories": 3}))
    assert more[:2] == runs
    assert len(more) == 3
    with pytest.raises(UsageError, match="holds another bench"):
        collect([TASK], **(options | {"explored": None}))
