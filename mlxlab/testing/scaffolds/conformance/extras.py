"""What a scaffold may offer besides: forms to fill in, and actions to choose from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from mlxlab.core.actions import Action
from mlxlab.core.policy import Form
from mlxlab.core.records import Completion, Decision
from mlxlab.core.scaffold import TRIED, Ask, Formed, Listing, Scaffold
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.conformance.harness import Harness
from mlxlab.testing.scaffolds.examples import ACTIONS, TEXTS
from mlxlab.testing.scaffolds.moments import ENDINGS, draws, grown

MOST = 60
"""So many of the listed actions are looked at."""


@runtime_checkable
class _Formed(Formed, Scaffold, Protocol):
    """A scaffold with forms."""


@runtime_checkable
class _Listing(Listing, Scaffold, Protocol):
    """A scaffold that lists its actions."""


class Forms(Harness):
    """For scaffolds with `form` and `written`; the others pass."""

    def test_forms_can_be_asked_for(self) -> None:
        """A form has a name that a tool may have, and fields that say what belongs there."""
        for scaffold, decision in self._formed():
            form: object = called(scaffold.form, decision)
            if form is None:
                continue
            assert isinstance(form, Form), f"form returns {type(form).__name__}"
            for name in (form.name, *form.fields):
                assert re.fullmatch(r"\w{1,64}", name, re.ASCII), f"no tool takes the name {name!r}"
            assert form.fields, "the form has no field"
            empty = [name for name, text in form.fields.items() if not text.strip()]
            assert not empty, f"nothing says what belongs into {', '.join(empty)}"

    def test_written_takes_any_fields(self) -> None:
        """Fields that are odd, empty or missing become text that `parse` takes."""
        for scaffold, decision in self._formed():
            form = called(scaffold.form, decision)
            for text in TEXTS if form is not None else ():
                assert form is not None
                for fields in ({}, dict.fromkeys(form.fields, text), {"no such field": text}):
                    wrote: object = called(scaffold.written, decision, fields)
                    assert isinstance(wrote, str), f"written returns {type(wrote).__name__}"
                    read = called(scaffold.parse, decision, Completion(text=wrote))
                    fits = isinstance(read, (Ask, *map(type, ACTIONS)))
                    assert fits, f"{wrote[:80]!r} is read as {read!r}"

    def _formed(self) -> Iterator[tuple[_Formed, Decision]]:
        scaffold = self.make()
        if isinstance(scaffold, _Formed):
            for _, decision, _ in self.decided(scaffold):
                yield scaffold, decision
                return


class Lists(Harness):
    """For scaffolds with `actions`, `near` and `plain`; the others pass."""

    def test_lists_the_same_each_time(self) -> None:
        """Two instances list the same actions, each of them once, and all of them allowed."""
        for scaffold, decision in self._listing():
            listed, again = list(scaffold.actions(decision)), self.make()
            assert isinstance(again, _Listing) and listed, "no action is listed"
            assert listed == list(again.actions(decision)), "two instances list different actions"
            assert _distinct(listed), "an action is listed twice"
            denied = sorted({a.type for a in listed} - set(decision.allowed))
            assert not denied, f"{', '.join(denied)} is listed and not allowed"

    def test_listed_actions_are_read_back(self) -> None:
        """`parse` reads every listed action, as `render` writes it, as the same one."""
        for scaffold, decision in self._listing():
            listed = scaffold.actions(decision)
            for action in listed[:: max(1, len(listed) // MOST)]:
                text = called(scaffold.render, decision, action)
                read = called(scaffold.parse, decision, Completion(text=text))
                assert read == action, f"{text!r} is read as {read!r}"

    def test_neighbours_are_listed(self) -> None:
        """What is near an action is listed, and is not the action itself."""
        for scaffold, decision in self._listing():
            listed = list(scaffold.actions(decision))
            for action in listed[:: max(1, len(listed) // 10)]:
                near = called(scaffold.near, decision, action)
                assert action not in near, f"{action!r} is near itself"
                strange = [other for other in near if other not in listed]
                assert not strange, f"{strange[0]!r} is near a listed action and not listed"

    def test_plain_actions_are_listed(self) -> None:
        """The plainest actions are a few of those that are listed."""
        for scaffold, decision in self._listing():
            listed, plain = list(scaffold.actions(decision)), called(scaffold.plain, decision)
            assert plain and _distinct(plain), "there is no plain action, or one twice"
            assert all(action in listed for action in plain), "a plain action is not listed"

    def test_tells_what_was_tried(self) -> None:
        """`extra["tried"]` pairs the text of each tried action with its public score."""
        scaffold = self.make()
        if not isinstance(scaffold, _Listing):
            return
        endings = ENDINGS["successes and failures"]
        tree = grown(self.make(), endings, self.task().info, more=self.actions)
        decision = called(scaffold.propose, tree, draws(tree))
        assert isinstance(decision, Decision), f"it proposes {decision!r}"
        tried = decision.extra.get(TRIED)
        assert isinstance(tried, list) and tried, f"after steps, {TRIED!r} holds {tried!r}"
        scores = {node.score for node in tree.nodes}
        for text, score in tried:
            read = called(scaffold.parse, decision, Completion(text=text))
            assert not isinstance(read, Ask), f"what was tried is no action: {text!r}"
            assert score in scores, f"{text!r} was tried with a score that nothing has: {score}"

    def _listing(self) -> Iterator[tuple[_Listing, Decision]]:
        scaffold = self.make()
        if isinstance(scaffold, _Listing):
            yield scaffold, self.first(scaffold)


def _distinct(actions: Sequence[Action]) -> bool:
    return len({repr(action) for action in actions}) == len(actions)
