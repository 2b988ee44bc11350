"""The contract of a scaffold: pure functions of what is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import ClassVar, Protocol, runtime_checkable

from mlxlab.core.actions import Action
from mlxlab.core.policy import Form
from mlxlab.core.records import Completion, Decision, Message, Record, Role
from mlxlab.core.tree import TreeView


class Wait(Record):
    """Nothing to decide until a step in flight has ended."""


class Stop(Record):
    """The scaffold has nothing more to do."""

    reason: str


class Ask(Record):
    """One more call for the same step: the completion cannot be used as it is.

    `messages` are appended to the conversation after the completion.
    """

    role: Role = "repair"
    messages: tuple[Message, ...]
    reason: str


@runtime_checkable
class Scaffold(Protocol):
    """What to ask a policy, and which node to grow. No method reads anything but its arguments.

    The Runner owns the loop, the workers, retries, the budget, recording and resuming.
    """

    needs_score: ClassVar[bool]
    """Whether choosing a node takes a score; a run with feedback "none" is then refused."""
    max_asks: int
    """How many further calls one step may make after an unusable completion."""

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        """Choose the next node to grow; made with `tree.decide(...)`."""
        ...

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        """The messages for a decision."""
        ...

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        """Read an action out of a completion; never raises, whatever the text is."""
        ...

    def render(self, decision: Decision, action: Action) -> str:
        """Write an action as the text that `parse` reads back as the same action."""
        ...


class Pace(Record):
    """How long a scaffold runs where the user does not say; None leaves it to the task."""

    steps: int | None = None
    time_s: float | None = None


@runtime_checkable
class Paced(Protocol):
    """A scaffold that states its own default budget; optional."""

    pace: Pace


@runtime_checkable
class Formed(Protocol):
    """A scaffold whose answers have parts that a model may fill in as a form; optional."""

    def form(self, decision: Decision) -> Form | None:
        """The form of an answer to this decision's prompt; None where it has to be text."""
        ...

    def written(self, decision: Decision, fields: Mapping[str, str]) -> str:
        """A filled-in form as the text that `parse` reads; never raises, whatever the fields."""
        ...


TRIED = "tried"
"""Where a Listing scaffold's `Decision.extra` holds what was tried: a list of (text, score)."""


@runtime_checkable
class Listing(Protocol):
    """A scaffold whose actions can be listed, for policies that search; optional.

    `render` writes each of them as the text that `parse` reads back, and `Decision.extra["tried"]`
    lists what was tried before: pairs of such a text and its public score, None without one.
    """

    def actions(self, decision: Decision) -> Sequence[Action]:
        """Every edit that a search may choose from at this decision, the same each time."""
        ...

    def near(self, decision: Decision, action: Action) -> Sequence[Action]:
        """The listed edits that differ from one in a single setting."""
        ...

    def plain(self, decision: Decision) -> Sequence[Action]:
        """The few plainest of them, which anybody would try unasked: the free probes."""
        ...
