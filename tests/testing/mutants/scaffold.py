"""For each check of scaffolds a scaffold that breaks its promise, and what the check says of it."""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import numpy as np
from pydantic import TypeAdapter

from mlxlab.core.actions import Action, RunCode
from mlxlab.core.policy import Form
from mlxlab.core.records import CLEAN, Completion, Decision, Message
from mlxlab.core.scaffold import TRIED, Ask, Pace, Stop, Wait
from mlxlab.core.tree import TreeView

ACTIONS: TypeAdapter[Any] = TypeAdapter(Action)
LISTED = [RunCode(code=f"value = {number}\n") for number in range(6)]


class Good:
    """Grows the best program, in JSON; two steps at a time."""

    needs_score: ClassVar[bool] = False
    max_asks = 1
    pace = Pace(steps=5, time_s=60.0)

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        if len(tree.in_flight) > 1:
            return Wait()
        if tree.task.submission.form == "file":
            return Stop(reason="This is no table.")
        best = tree.best()
        parent = best if best is not None and best.state is not None else None
        tried = [[self.render(None, n.action), n.score] for n in tree.nodes if n.action]
        return tree.decide(
            "grow",
            parent,
            start=(parent.state if parent else None) or CLEAN,
            allowed=("run_code", "edit_file"),
            extra={TRIED: tried, "draw": rng.random()},
        )

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        due, scores = tree.task.submission, [node.score for node in tree.nodes]
        text = f"{tree.task.description} {due.path}: {due.id_column}, {due.columns}. {scores}"
        return [Message(role="user", content=text)]

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        try:
            read: Action = ACTIONS.validate_json(completion.text)
        except ValueError:
            message = Message(role="user", content="Send one action as JSON.")
            return Ask(messages=(message,), reason="no action")
        return read

    def render(self, decision: Decision | None, action: Action) -> str:
        return json.dumps(action.model_dump(mode="json"))

    def form(self, decision: Decision) -> Form | None:
        return Form(name="answer", description="An action.", fields={"action": "Its JSON."})

    def written(self, decision: Decision, fields: Mapping[str, str]) -> str:
        return fields.get("action", "")

    def actions(self, decision: Decision) -> list[Action]:
        return list(LISTED)

    def near(self, decision: Decision, action: Action) -> list[Action]:
        return [other for other in LISTED if other != action]

    def plain(self, decision: Decision) -> list[Action]:
        return LISTED[:2]


def proposing(choose: Callable[[Any, TreeView, Any], Any], **more: Any) -> type[Good]:
    """What is proposed, as a function of what should be."""

    def propose(self: Good, tree: TreeView, rng: Random) -> Any:
        return choose(self, tree, Good.propose(self, tree, rng))

    return type("Mutant", (Good,), {"propose": propose, **more})


def deciding(**update: Callable[[Any, TreeView], object]) -> type[Good]:
    """Fields of decisions, as functions of the scaffold and the tree."""

    def choose(self: Good, tree: TreeView, choice: Any) -> Any:
        if not isinstance(choice, Decision):
            return choice
        return choice.model_copy(update={key: say(self, tree) for key, say in update.items()})

    return proposing(choose)


def prompting(say: Callable[[Any, Decision, TreeView, str], str]) -> type[Good]:
    """The text of the prompt, as a function of what it should be."""

    def prompt(self: Good, decision: Decision, tree: TreeView) -> list[Message]:
        text = Good.prompt(self, decision, tree)[0].content
        return [Message(role="user", content=say(self, decision, tree, text))]

    return type("Mutant", (Good,), {"prompt": prompt})


def parsing(read: Callable[[Any, Decision, str, Any], Any]) -> type[Good]:
    """What is read, as a function of what should be."""

    def parse(self: Good, decision: Decision, completion: Completion) -> Any:
        return read(self, decision, completion.text, Good.parse(self, decision, completion))

    return type("Mutant", (Good,), {"parse": parse})


def having(**attributes: Any) -> type[Good]:
    return type("Mutant", (Good,), attributes)


class Counting(Good):
    """Numbers its own proposals."""

    def __init__(self) -> None:
        self.made = itertools.count()

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        choice = super().propose(tree, rng)
        if not isinstance(choice, Decision):
            return choice
        return choice.model_copy(update={"extra": {**choice.extra, "made": next(self.made)}})


class Numbering(Good):
    """Numbers the prompts of all its instances."""

    made = itertools.count()

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        return [*super().prompt(decision, tree), Message(role="user", content=f"{next(self.made)}")]


class Knowing(Good):
    """Reads answers to its own prompts alone."""

    def __init__(self) -> None:
        self.asked: set[int] = set()

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        self.asked.add(decision.step)
        return super().prompt(decision, tree)

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        if decision.step not in self.asked:
            return Ask(messages=(Message(role="user", content="What?"),), reason="never asked")
        return super().parse(decision, completion)


class Wavering(Good):
    """Prompts in another voice every other time."""

    def __init__(self) -> None:
        self.turn = 0

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        self.turn += 1
        return [*super().prompt(decision, tree), Message(role="user", content=f"{self.turn % 2}")]


class Tiring(Good):
    """Asks less and less."""

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        self.max_asks = 0
        return super().parse(decision, completion)


class Unordered(Good):
    """Words its prompt in the order of a set."""

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        words = " ".join({"plan", "code", "check", "write", "read", "score", "fit", "join"})
        return [*super().prompt(decision, tree), Message(role="user", content=words)]


def leaking(tree: TreeView) -> str:
    return " ".join(str(node._public_score) for node in tree.nodes)


def failing(self: Good, tree: TreeView, choice: Any) -> Any:
    assert all(node.action for node in tree.nodes[-2:])
    return choice


def tired(self: Good, tree: TreeView, choice: Any) -> Any:
    return Wait() if len(tree.nodes) > 5 else choice


def asks(**update: Any) -> type[Good]:
    return parsing(
        lambda self, decision, text, read: (
            read.model_copy(update=update) if isinstance(read, Ask) else read
        )
    )


def swap(choice: Any, wrong: Any) -> Any:
    return wrong if isinstance(choice, Decision) else choice


TIRED = proposing(tired)
DEAF = parsing(lambda self, decision, text, read: Good.parse(self, decision, Completion()))
MUTANTS: dict[str, tuple[type[Good], str]] = {
    "needs_score_is_stated": (having(needs_score="yes"), "needs_score is 'yes'"),
    "max_asks_is_stated": (Tiring, "max_asks was 1, and is 0"),
    "pace_is_a_budget": (having(pace=Pace(steps=0)), "0 steps"),
    "proposes_at_every_moment": (
        proposing(lambda self, tree, choice: choice if tree.nodes else None),
        "NoneType at the moment 'nothing recorded'",
    ),
    "begins_with_a_decision": (
        proposing(lambda self, tree, choice: choice if tree.nodes else Stop(reason="No.")),
        "it begins with Stop",
    ),
    "never_waits_for_nothing": (TIRED, "where nothing is in flight"),
    "goes_on_after_failures": (
        proposing(lambda self, tree, choice: choice if tree.best() or not tree.nodes else Wait()),
        "after failures it proposes Wait",
    ),
    "stops_with_a_reason": (
        proposing(lambda self, tree, choice: swap(choice, Stop(reason=" "))),
        "without a reason",
    ),
    "decides_within_the_context": (
        deciding(seed=lambda self, tree: 7),
        "seed is 7, not 0",
    ),
    "grows_what_is_recorded": (
        deciding(parent=lambda self, tree: len(tree.nodes)),
        "is unknown at",
    ),
    "allows_actions_that_there_are": (
        deciding(allowed=lambda self, tree: ("run_code", "dance")),
        "no action dance",
    ),
    "decisions_are_read_back": (
        deciding(extra=lambda self, tree: {"pair": (1, 2)}),
        "reads back as",
    ),
    "says_whether_it_needs_scores": (
        proposing(
            lambda self, tree, choice: (
                Stop(reason="No score.")
                if tree.nodes and all(node.score is None for node in tree.nodes)
                else choice
            )
        ),
        "without feedback it proposes Stop",
    ),
    "prompts_are_messages": (prompting(lambda *_: " "), "is empty"),
    "prompts_are_made_at_every_moment": (
        prompting(
            lambda self, decision, tree, text: "".join(
                [text, *(node.observation.stdout.encode().decode() for node in tree.nodes)]
            )
        ),
        "surrogates not allowed at the moment 'odd output'",
    ),
    "prompts_hide_scores": (
        prompting(lambda self, decision, tree, text: text + leaking(tree)),
        "the prompt tells",
    ),
    "prompts_tell_the_task": (
        prompting(lambda self, decision, tree, text: text.replace("Predict", "Foretell")),
        "the description is not in the prompt",
    ),
    "prompts_tell_what_to_hand_in": (
        prompting(lambda self, decision, tree, text: text.replace("submission.csv", "it")),
        "'submission.csv' is not in the prompt",
    ),
    "reads_any_text": (
        parsing(lambda self, decision, text, read: text.encode() and read),
        "parse raises UnicodeEncodeError",
    ),
    "asks_in_words": (asks(messages=()), "nothing is asked"),
    "reads_whatever_ended_it": (
        having(
            parse=lambda self, decision, answer: (
                Good.parse(self, decision, answer)
                if answer.finish_reason in (None, "stop", "length")
                else {}[answer.finish_reason]
            )
        ),
        "KeyError: 'content_filter', for finish_reason content_filter",
    ),
    "renders_any_action": (
        having(render=lambda self, decision, action: json.dumps({"code": action.code})),
        "raises AttributeError: 'EditFile' object has no attribute 'code'",
    ),
    "has_something_to_say": (DEAF, "none of the actions that it allows (run_code, edit_file)"),
    "reads_what_it_renders": (
        having(
            render=lambda self, decision, action: action.model_copy(
                update={"plan": ""} if hasattr(action, "plan") else {}
            ).model_dump_json()
        ),
        "and read as RunCode",
    ),
    "forms_can_be_asked_for": (
        having(form=lambda *_: Form(name="an answer", description="", fields={"action": "It."})),
        "no tool takes the name 'an answer'",
    ),
    "written_takes_any_fields": (
        having(written=lambda self, decision, fields: fields["action"]),
        "raises KeyError: 'action'",
    ),
    "lists_the_same_each_time": (
        having(actions=lambda *_: [*LISTED, LISTED[0]]),
        "an action is listed twice",
    ),
    "listed_actions_are_read_back": (
        having(
            actions=lambda *_: [*LISTED, RunCode(code="no")],
            render=lambda self, decision, action: (
                Good.render(self, decision, action) if getattr(action, "code", "") != "no" else "no"
            ),
        ),
        "'no' is read as Ask",
    ),
    "neighbours_are_listed": (having(near=lambda *_: [*LISTED]), "is near itself"),
    "plain_actions_are_listed": (
        having(plain=lambda *_: [RunCode(code="plain")]),
        "a plain action is not listed",
    ),
    "tells_what_was_tried": (
        deciding(extra=lambda self, tree: {TRIED: [["what?", None]] if tree.nodes else []}),
        "what was tried is no action",
    ),
    "says_the_same_again": (Wavering, "it says other things at"),
    "remembers_nothing": (Counting, "it says other things at"),
    "draws_from_what_it_is_given": (
        deciding(operator=lambda self, tree: os.environ["HOME"].rpartition("/")[2]),
        "elsewhere",
    ),
    "says_the_same_in_a_fresh_process": (Unordered, "messages["),
    "looks_at_nothing_else": (
        prompting(lambda self, decision, tree, text: text + Path(os.devnull).read_text()),
        "open '/dev/null'",
    ),
    "changes_nothing_around_it": (
        deciding(operator=lambda self, tree: f"grow{random.seed(tree.context.seed) or ''}"),
        "it changed the global random numbers",
    ),
    "leaves_its_arguments_alone": (
        prompting(lambda self, decision, tree, text: text + str(decision.extra.pop("draw", 0))),
        "prompt changed its decision",
    ),
    "a_run_records_every_step": (TIRED, "waits although no step is in flight"),
    "a_run_takes_actions": (DEAF, "no action was taken"),
    "a_run_repeats": (Numbering, "step 0, then again: decision"),
    "a_run_resumes": (Counting, "then again: decision"),
    "a_run_of_many_workers_ends": (
        proposing(lambda self, tree, choice: choice if not tree.in_flight else tree.nodes[0]),
        "IndexError",
    ),
    "a_run_without_usable_answers_ends": (proposing(failing), "AssertionError"),
    "recorded_answers_are_read_anew": (Knowing, "is read as Ask"),
    "recorded_prompts_are_made_anew": (Numbering, "is another one now"),
}
"""By the check's id, without the kind."""
MORE: tuple[tuple[str, type[Good], str], ...] = (
    (
        "draws_from_what_it_is_given",
        deciding(operator=lambda self, tree: str(datetime.now().date())),
        "at 'nothing recorded': choice at char",
    ),
    (
        "draws_from_what_it_is_given",
        deciding(operator=lambda self, tree: time.strftime("%d %B %Y %H")),
        "at 'nothing recorded': choice at char",
    ),
    (
        "changes_nothing_around_it",
        deciding(operator=lambda self, tree: f"grow{np.random.seed(0) or ''}"),
        "it changed numpy's global random numbers",
    ),
)
"""Other ways to break the same promises."""
