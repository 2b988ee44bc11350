"""Best of n with a vote: independent drafts, an election, and changes to the elected program.

A scaffold is pure: each method reads its arguments and nothing else. The loop, the workers, the
budget and the record are mlxlab's.
"""

from __future__ import annotations

from random import Random
from typing import ClassVar

from mlxlab.core.actions import Action
from mlxlab.core.records import Completion, Decision, Message
from mlxlab.core.scaffold import Ask, Stop, Wait
from mlxlab.core.tree import TreeView
from pydantic import BaseModel, ConfigDict, Field

from mlx_best_of_n import answers, prompts
from mlx_best_of_n.election import BALLOT, VOTE, candidates, elected, latest


class BestOfNConfig(BaseModel):
    """Options; the argument is n: `best-of-n:5`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "drafts"

    drafts: int = Field(
        3, ge=1, description="Programs written independently of one another before the vote."
    )
    ballots: int = Field(
        0,
        ge=0,
        description="Where no score is told: votes that the policy is asked for, a step each. 0: "
        "the draft is elected whose own measure lies in the middle of all.",
    )


class BestOfNScaffold:
    """Writes n programs that know nothing of each other, elects one, and improves it.

    Drafts can be written side by side by n workers. Where scores are told, the best one wins, and
    the best program so far is improved from then on. Where none is told, the policy votes, or the
    drafts' own measures do; see `election`.
    """

    needs_score: ClassVar[bool] = False
    max_asks: int = 2

    def __init__(self, config: BestOfNConfig) -> None:
        self.config = config

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        """A draft while there are too few, then a vote where one is needed, then a change."""
        made, flying = _count(tree, "draft")
        if made + flying < self.config.drafts:
            return tree.decide("draft", extra={"draft": made + flying + 1})
        if flying:
            return Wait()
        valid = candidates(tree)
        if not valid:  # one more at a time, until there is something to vote on
            return tree.decide("draft", extra={"draft": made + 1})
        best = tree.best()
        if best is not None:
            return tree.decide("improve", best)
        cast, flying = _count(tree, VOTE)
        if len(valid) > 1 and cast + flying < self.config.ballots:
            ballot = {BALLOT: [node.id for node in valid]}
            return tree.decide(VOTE, allowed=("custom",), extra=ballot)
        return Wait() if flying else tree.decide("improve", latest(tree, elected(tree)))

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        """The task, and what this kind of step has to know: a draft knows of no other one."""
        return prompts.prompt(decision, tree, self.config.drafts)

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        """The program or the vote of an answer, or what to ask for instead; never raises."""
        if decision.operator == VOTE:
            return answers.vote(completion.text, decision.extra.get(BALLOT, ()))
        return answers.program(completion.text)

    def render(self, decision: Decision, action: Action) -> str:
        """The text that `parse` reads back as the same action."""
        return answers.render(action)


def _count(tree: TreeView, operator: str) -> tuple[int, int]:
    """How many steps of a kind are recorded, and how many are in flight."""
    return (
        sum(node.operator == operator for node in tree.nodes),
        sum(made.operator == operator for made in tree.in_flight),
    )
