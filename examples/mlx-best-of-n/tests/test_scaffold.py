"""The promises of every scaffold, and this one's own."""

from __future__ import annotations

from pathlib import Path

import mlxlab
import pytest
from mlxlab import Run
from mlxlab.core.actions import CustomAction
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Feedback
from mlxlab.core.runs import RunFolder
from mlxlab.core.sandbox import ExecResult
from mlxlab.core.scaffold import Ask
from mlxlab.testing import MemorySandbox, ScaffoldConformance, ScriptedPolicy, ToyTask

from mlx_best_of_n import answers
from mlx_best_of_n.election import ACTION
from mlx_best_of_n.scaffold import BestOfNConfig, BestOfNScaffold


class TestBestOfN(ScaffoldConformance):
    """Every check of mlxlab's kit, on this scaffold."""

    @classmethod
    def make(cls) -> BestOfNScaffold:
        return BestOfNScaffold(BestOfNConfig())


class TestVoting(ScaffoldConformance):
    """The same checks, where the policy is asked for votes."""

    actions = tuple(CustomAction(name=ACTION, arguments={"elected": n}) for n in range(9))

    @classmethod
    def make(cls) -> BestOfNScaffold:
        return BestOfNScaffold(BestOfNConfig(drafts=2, ballots=2))


def play(program: str, files: dict[str, bytes]) -> ExecResult | None:
    """The sandbox of the runs below: `off, claimed = 2, 0.5` is off by 2, and claims 0.5."""
    off, claimed = (part.strip() for part in program.partition("=")[2].split(","))
    files["submission.csv"] = ToyTask.submission([row + float(off) for row in range(8)]).encode()
    return ExecResult(
        outcome="exited", exit_code=0, stdout=f"metric: {claimed}\n", stderr="", duration_s=0.1
    )


def run(
    out: Path,
    feedback: Feedback,
    steps: int,
    ballots: int = 0,
    votes: str = "",
    workers: int = 1,
    drafts: int = 3,
) -> Run:
    """A run whose drafts are off by 3, 1 and 2, and claim 9, 0.1 and 0.5: the middle is draft 2."""
    programs = ["3, 9", "1, 0.1", "2, 0.5"]

    def answer(request: PolicyRequest) -> Completion:
        number = request.decision.step
        if request.decision.operator == "vote":
            return Completion(text=f"Vote: {votes[number - 3]}\nIt is sound.")
        values = programs[number] if number < len(programs) else f"{number}, {number}"
        return Completion(text=f"A plan.\n\n```python\noff, claimed = {values}\n```\n")

    return mlxlab.run(
        task=ToyTask(),
        scaffold=BestOfNScaffold(BestOfNConfig(drafts=drafts, ballots=ballots)),
        policy=ScriptedPolicy(answer),
        sandbox=lambda: MemorySandbox(play),
        feedback=feedback,
        steps=steps,
        workers=workers,
        out=out,
    )


def tree(done: Run) -> list[tuple[str, int | None]]:
    """The operators of a run's steps, and what each of them changed."""
    return [(step.decision.operator, step.decision.parent) for step in done.steps]


DRAFTS = [("draft", None)] * 3


@pytest.mark.parametrize("workers", [1, 3])
def test_scores_decide_where_they_are_told(workers: int, tmp_path: Path) -> None:
    done = run(tmp_path, "public", 5, ballots=3, workers=workers)
    steps = sorted(done.steps, key=lambda step: step.step)
    assert [step.decision.operator for step in steps] == ["draft"] * 3 + ["improve"] * 2
    assert {step.decision.parent for step in steps[3:]} == {1}


def test_the_middle_claim_decides_where_no_score_is_told(tmp_path: Path) -> None:
    assert tree(run(tmp_path, "none", 5)) == [*DRAFTS, ("improve", 2), ("improve", 3)]


def test_of_two_middle_claims_the_modest_one_decides(tmp_path: Path) -> None:
    assert tree(run(tmp_path, "none", 3, drafts=2))[-1] == ("improve", 0)  # less is better


def test_the_policys_votes_decide_before_that(tmp_path: Path) -> None:
    done = run(tmp_path, "none", 7, ballots=3, votes="010")
    votes = [("vote", None)] * 3
    assert tree(done) == [*DRAFTS, *votes, ("improve", 0)]
    assert [step.observation.status for step in done.steps] == ["ok"] * 7
    assert done.steps[4].observation.message == "A vote for draft 1."


def test_of_equal_votes_the_middle_claim_decides(tmp_path: Path) -> None:
    done = run(tmp_path, "none", 6, ballots=2, votes="02")
    assert tree(done)[-1] == ("improve", 2)


def test_drafts_do_not_know_of_each_other(tmp_path: Path) -> None:
    done = run(tmp_path, "public", 4)
    record = RunFolder(done.folder)
    told = [record.prompt(step.prompt or "")[-1].content for step in done.steps]
    assert len({text.replace(f"draft {n} of", "") for n, text in enumerate(told[:3], 1)}) == 1
    assert "off, claimed = 1, 0.1" in told[3]


@pytest.mark.parametrize(
    ("text", "elected"),
    [
        ("Vote: 2", 2),
        ("It is the sound one.\n\n**Vote:** Draft 1, since it cross-validates.", 1),
        ("<think>Vote: 1</think>\nvote: #2", 2),
        ("Vote: 7", None),
        ("Vote: 1\nVote: 2", None),
        ("I abstain.", None),
    ],
)
def test_votes_are_read(text: str, elected: int | None) -> None:
    read = answers.vote(text, (1, 2))
    if elected is None:
        assert isinstance(read, Ask) and "one of 1, 2" in read.messages[0].content
    else:
        assert isinstance(read, CustomAction) and read.arguments == {"elected": elected}
