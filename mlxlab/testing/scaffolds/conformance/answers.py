"""From an answer to an action and back: `parse` and `render`."""

from __future__ import annotations

from mlxlab.core.records import Completion
from mlxlab.core.scaffold import Ask
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.conformance.harness import Harness, sayable
from mlxlab.testing.scaffolds.examples import ACTIONS, TEXTS, candidates

_REASONS = ("stop", "length", "content_filter", None)


class Answers(Harness):
    """Whatever a model writes is an action or a question; what an action says is read back."""

    def test_reads_any_text(self) -> None:
        """Empty, huge, binary-like or nested: `parse` returns an action or an Ask, never raises."""
        for text, read in self._readings():
            kind = type(read).__name__
            fits = isinstance(read, (Ask, *map(type, ACTIONS)))
            assert fits, f"parse returns {kind} for {text[:60]!r}"

    def test_asks_in_words(self) -> None:
        """An Ask has a reason and messages for the model, none of them empty."""
        for text, read in self._readings():
            if isinstance(read, Ask):
                assert read.reason.strip(), f"no reason why {text[:60]!r} cannot be used"
                contents = [message.content.strip() for message in read.messages]
                assert contents and all(contents), f"nothing is asked after {text[:60]!r}"

    def test_reads_whatever_ended_it(self) -> None:
        """An answer that was cut off, filtered or empty of text is read too."""
        scaffold = self.make()
        decision = self.first(scaffold)
        for reason in _REASONS:
            for text in ("", "```python\nx = 1", TEXTS[2]):
                answer = Completion(text=text, finish_reason=reason, reasoning="Hm.")
                called(scaffold.parse, decision, answer, of=f"finish_reason {reason}")

    def test_renders_any_action(self) -> None:
        """`render` writes text for every type of action, for those it cannot say too."""
        scaffold = self.make()
        for name, decision, _ in self.decided(scaffold):
            for action in candidates(scaffold, decision, self.actions):
                text: object = called(scaffold.render, decision, action, at=name)
                assert isinstance(text, str), f"render returns {type(text).__name__}"

    def test_has_something_to_say(self) -> None:
        """Of the actions that a decision allows, one at least is read back as it was rendered."""
        scaffold = self.make()
        for _, decision, _ in self.decided(scaffold):
            sayable(scaffold, decision, self.actions)

    def test_reads_what_it_renders(self) -> None:
        """A rendered action that is allowed reads back the same, or as an Ask: as no other one."""
        scaffold = self.make()
        for name, decision, _ in self.decided(scaffold):
            for action in candidates(scaffold, decision, self.actions):
                if action.type not in decision.allowed:
                    continue
                text = called(scaffold.render, decision, action, at=name)
                read = called(scaffold.parse, decision, Completion(text=text), at=name)
                same = read == action or isinstance(read, Ask)
                assert same, f"{action!r} was rendered as {text!r} and read as {read!r}"

    def _readings(self) -> list[tuple[str, object]]:
        scaffold = self.make()
        decision = self.first(scaffold)
        return [
            (text, called(scaffold.parse, decision, Completion(text=text), of=repr(text[:60])))
            for text in TEXTS
        ]
