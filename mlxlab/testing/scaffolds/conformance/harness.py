"""A scaffold, made anew where a check wants one, and the moments that it is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from mlxlab.core.actions import Action
from mlxlab.core.records import Completion, Decision, Message
from mlxlab.core.scaffold import Scaffold, Stop, Wait
from mlxlab.core.task import SubmissionContract, TaskInfo
from mlxlab.core.tree import TreeView
from mlxlab.testing.kit import Conformance
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.examples import SHORT, TEXTS, own
from mlxlab.testing.scaffolds.moments import ENDINGS, crowded, draws, grown
from mlxlab.testing.tasks.toy import ToyTask, toy_task

Choice = Decision | Wait | Stop


class Harness(Conformance, ABC):
    """Makes scaffolds and shows them moments; what an author may say of one is here too."""

    prefix: ClassVar[str] = "scaffold"
    basics = (
        *("begins_with_a_decision", "allows_actions_that_there_are", "has_something_to_say"),
        *("prompts_are_messages", "proposes_at_every_moment", "reads_any_text"),
        "remembers_nothing",
    )
    actions: ClassVar[Sequence[Action]] = ()
    """Actions that the scaffold can say, where none of the ordinary ones is one of them."""
    declarable = ("actions", "task")
    _kept: ClassVar[dict[str, TreeView]]

    @classmethod
    @abstractmethod
    def make(cls) -> Scaffold:
        """A new scaffold."""

    @classmethod
    def task(cls) -> ToyTask:
        """The task that it is shown: by default one of two tables, with a lower-better metric."""
        return toy_task(steps=20)

    @classmethod
    def moments(cls) -> dict[str, TreeView]:
        """What it is asked at, by names; each was grown by an instance of its own."""
        if "_kept" not in vars(cls):
            cls._kept = cls._grown()
        return cls._kept

    @classmethod
    def _grown(cls) -> dict[str, TreeView]:
        info = cls.task().info
        found = {
            name: grown(cls.make(), endings, info, more=cls.actions)
            for name, endings in ENDINGS.items()
        }
        mixed = "successes and failures"
        found["many in flight"] = crowded(cls.make(), found["nothing recorded"], 8)
        found["some in flight"] = crowded(cls.make(), found[mixed], 3)
        for name, left in {"the last step": 1, "no limit of steps": None}.items():
            found[name] = grown(cls.make(), ENDINGS[mixed], info, more=cls.actions, left=left)
        for name, other in odd_tasks(info).items():
            found[name] = grown(cls.make(), ENDINGS[mixed], other, more=cls.actions)
        return found

    def decided(self, scaffold: Scaffold | None = None) -> Iterator[tuple[str, Decision, TreeView]]:
        """Each moment at which the scaffold decides, with what it decides."""
        whose = scaffold or self.make()
        for name, tree in self.moments().items():
            choice = called(whose.propose, tree, draws(tree), at=name)
            if isinstance(choice, Decision):
                yield name, choice, tree

    def first(self, scaffold: Scaffold) -> Decision:
        """What it decides where nothing is recorded."""
        tree = grown(scaffold, (), self.task().info)
        choice = called(scaffold.propose, tree, draws(tree), at="nothing recorded")
        kind, fits = type(choice).__name__, isinstance(choice, Decision | Wait | Stop)
        assert fits, f"propose returns {kind} at the moment 'nothing recorded'"
        assert isinstance(choice, Decision), f"it begins with {choice!r}"
        return choice


def odd_tasks(info: TaskInfo) -> dict[str, TaskInfo]:
    """The task without what some tasks do not have."""
    higher = info.metric.model_copy(update={"direction": "maximize", "low": None})
    bare = dict.fromkeys(("baseline", "reference", "m_init", "m_best"))
    file = SubmissionContract(path="model.bin", form="file", sample="")
    return {
        "a file to hand in": info.model_copy(update={"submission": file}),
        "higher is better": info.model_copy(update={"metric": higher, **bare}),
        "no public rows": info.model_copy(update={"public_rows": 0, "private_rows": 8}),
    }


def session(scaffold: Scaffold, moments: dict[str, TreeView]) -> dict[str, dict[str, Any]]:
    """All that a scaffold says, by moments, in words that JSON holds and that can be compared."""
    said: dict[str, dict[str, Any]] = {}
    some: Decision | None = None
    for name, tree in moments.items():
        choice = called(scaffold.propose, tree, draws(tree), at=name)
        said[name] = {"choice": repr(choice)}
        if isinstance(choice, Decision):
            said[name]["messages"] = _words(called(scaffold.prompt, choice, tree, at=name))
            some = choice
    answers = [Completion(text=text) for text in TEXTS[:SHORT]] if some is not None else []
    read = [repr(called(scaffold.parse, some, answer)) for answer in answers]
    return {**said, "answers": {"parsed": read}}


def _words(prompt: object) -> object:
    """A prompt message by message; what is none, as it is written."""
    if isinstance(prompt, list) and all(type(each) is Message for each in prompt):
        return [each.model_dump() for each in prompt]
    return repr(prompt)


def sayable(scaffold: Scaffold, decision: Decision, more: Sequence[Action]) -> list[Action]:
    """The examples that a scaffold can say; there must be one."""
    found = own(scaffold, decision, more)
    assert found, (
        f"none of the actions that it allows ({', '.join(decision.allowed)}) is read back as it "
        "was rendered; name some of its own in `actions`"
    )
    return found
