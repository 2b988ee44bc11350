"""Episodes go as runs go: the same seed, the same decisions, actions and scores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import mlxlab
from mlxlab.core.errors import MlxError, PolicyError
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.records import Completion, Step
from mlxlab.core.registry import Registry
from mlxlab.core.runs import RunFolder
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.episodes import Answer, Episode, Start, play
from mlxlab.core.watch import LIMIT, watching
from tests.core.training import worlds

TASK = "generated:linear/1"


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    made = Registry.installed()
    reward = made.create("reward", "ml-agent").instance
    editor = made.create("policy", "catalog").instance
    kept = {"editor": editor, "keep_states": True, "folder": tmp_path}
    with Arena({"ml-agent": reward}, workers=1, **kept) as arena:  # cores stand in prompts
        yield arena


def answering(policy: Policy) -> Answer:
    """A policy as what answers rounds; its failures end the episodes that they belong to."""

    async def act(request: PolicyRequest) -> Completion | MlxError:
        try:
            return await policy.act(request)
        except MlxError as error:
            return error

    async def answer(requests: Sequence[PolicyRequest]) -> Sequence[Completion | MlxError]:
        return await asyncio.gather(*map(act, requests))

    return answer


def played(arena: Arena, starts: Sequence[Start], policy: str, steps: int) -> list[Episode]:
    answer = answering(Registry.installed().create("policy", policy).instance)
    return asyncio.run(play(starts, answer, arena, steps=steps))


def shown(step: Step) -> tuple[object, ...]:
    """What a step is, but for where it ran, how long it took and where its prompt is kept."""
    decision = step.decision
    left_out = {"prompt", "sandbox", "limits", "data_hash", "scaffold"}
    seen = step.observation
    return (
        decision.model_dump(exclude=left_out),
        step.action,
        seen.status,
        seen.public_score,
        None if step.probe is None else (step.probe.status, step.probe.score),
        step.next_state,
        {name: value.value for name, value in step.rewards.items()},
    )


@pytest.mark.parametrize(
    ("scaffold", "policy", "steps"),
    [("recipe", "climb", 4), ("aide", "catalog", 2), ("linear", "catalog", 4)],
)
def test_an_episode_is_a_run(
    arena: Arena, tmp_path: Path, scaffold: str, policy: str, steps: int
) -> None:
    told = {"task": TASK, "scaffold": scaffold, "policy": policy}
    result = mlxlab.run(**told, steps=steps, seed=3, out=tmp_path / "runs", workers=1)
    recorded = RunFolder(result.folder)
    (episode,) = played(arena, [Start(TASK, scaffold, 3)], policy, steps)
    assert episode.problem == ""
    assert [shown(turn.step) for turn in episode.turns] == [shown(s) for s in recorded.steps()]
    for turn, step in zip(episode.turns, recorded.steps(), strict=True):
        if scaffold != "linear":  # a run of it says how much of its half hour is left
            assert turn.state.messages() == recorded.prompt(step.decision.prompt or "")
    best, chosen = recorded.manifest().best, episode.best()
    assert (best and best.step) == (chosen and chosen.step.step)


def test_what_fails_costs_its_own_episode(arena: Arena) -> None:
    """A policy that fails, a task that there is none of, and an answer without an action."""
    failing, wrong = Start(TASK, "recipe", 1), Start("generated:nothing/1", "recipe", 1)
    talking = Start(TASK, "recipe", 2)

    async def answer(requests: Sequence[PolicyRequest]) -> Sequence[Completion | MlxError]:
        rounds.append(len(requests))
        fails = [request.decision.seed == 1 for request in requests]
        return [PolicyError("It is down.") if fail else Completion(text="hello") for fail in fails]

    rounds: list[int] = []
    episodes = asyncio.run(play([failing, wrong, talking], answer, arena, steps=2))
    assert [len(episode.turns) for episode in episodes] == [0, 0, 2]
    assert episodes[0].problem == "It is down."
    assert "nothing" in episodes[1].problem
    assert episodes[2].problem == "" and episodes[2].best() is None
    assert {turn.step.observation.status for turn in episodes[2].turns} == {"invalid_action"}
    assert rounds == [2, 1]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raises", "propose failed: KeyError: 'odd'"),
        ("hangs", "propose took longer than 1 s"),
        ("a text", "proposed a str, no Decision (tree.decide(...)), Wait or Stop."),
        ("a wait", "wants to wait, though no step is being taken"),
        ("another step", "proposed step 5 where step 0 comes next"),
        ("no message", "prompt returned str as a message"),
    ],
)
def test_a_scaffold_that_breaks_its_promise_is_named(
    how: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    starts = [Start("toy", f"wrong?how={how}", 0), Start("toy", "json", 0)]

    async def answer(requests: Sequence[PolicyRequest]) -> Sequence[Completion]:
        return [Completion(text="nothing") for _ in requests]

    with watching(), worlds.arena() as toy:
        known = worlds.registry()
        wrong, other = asyncio.run(play(starts, answer, toy, steps=1, registry=known))
    assert wrong.turns == () and wrong.problem.startswith("scaffold 'wrong' of tests 0")
    assert said in wrong.problem
    assert (len(other.turns), other.problem) == (1, "")


def test_a_final_answer_ends_an_episode(arena: Arena) -> None:
    said = 'Action: Final Answer\nAction Input: {"final_answer": "done"}'

    async def answer(requests: Sequence[PolicyRequest]) -> Sequence[Completion]:
        return [Completion(text=said) for _ in requests]

    (episode,) = asyncio.run(play([Start(TASK, "linear", 0)], answer, arena, steps=3))
    assert [turn.taken.action and turn.taken.action.type for turn in episode.turns] == [
        "final_answer"
    ]
