"""What a policy is told: `prompt` for every decision."""

from __future__ import annotations

from mlxlab.core.records import Decision, Feedback, Message
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.conformance.harness import Harness
from mlxlab.testing.scaffolds.moments import PRIVATE, PUBLIC, Ending, draws, grown

_TOLD: dict[Feedback, tuple[float, ...]] = {
    "public": (PRIVATE,),
    "self": (PRIVATE, PUBLIC),
    "none": (PRIVATE, PUBLIC),
}
"""By feedback mode: the scores that the agent must not learn."""


class Prompting(Harness):
    """The prompt is all that a policy knows, and nothing that it must not know."""

    def test_prompts_are_messages(self) -> None:
        """A prompt is a list of messages with text in them, one of a user at least."""
        for name, messages in self._prompts():
            assert isinstance(messages, list) and messages, (
                f"the prompt at '{name}' is {messages!r}"
            )
            for message in messages:
                assert isinstance(message, Message), f"{message!r} at '{name}' is no Message"
                assert message.content.strip(), f"a message at '{name}' is empty"
            assert any(m.role == "user" for m in messages), f"nobody asks at '{name}'"

    def test_prompts_are_made_at_every_moment(self) -> None:
        """Whatever is recorded, printed or missing, a prompt can be made of it."""
        assert list(self._prompts())

    def test_prompts_hide_scores(self) -> None:
        """No private score is in a prompt or a decision, and no public one that is not fed back."""
        for feedback, hidden in _TOLD.items():
            if feedback == "none" and self.make().needs_score:
                continue
            for decision, text in self._after_scores(feedback):
                for score in hidden:
                    digits = str(score)[2:7]
                    assert digits not in text, f"the prompt tells {score} (feedback {feedback})"
                    said = decision.model_dump_json(exclude={"score"})
                    assert digits not in said, f"the decision holds {score} (feedback {feedback})"

    def test_prompts_tell_the_task(self) -> None:
        """The first prompt has the task's description."""
        text, info = self._first(), self.task().info
        assert info.description in text, "the description is not in the prompt"

    def test_prompts_tell_what_to_hand_in(self) -> None:
        """The first prompt names the file to hand in and the columns to predict."""
        text, due = self._first(), self.task().info.submission
        for name in (due.path, due.id_column, *due.columns):
            assert name in text, f"'{name}' is not in the prompt"

    def _prompts(self) -> list[tuple[str, list[Message]]]:
        scaffold = self.make()
        return [
            (name, called(scaffold.prompt, decision, tree, at=name))
            for name, decision, tree in self.decided(scaffold)
        ]

    def _first(self) -> str:
        scaffold = self.make()
        decision = self.first(scaffold)
        return _text(called(scaffold.prompt, decision, grown(scaffold, (), self.task().info)))

    def _after_scores(self, feedback: Feedback) -> list[tuple[Decision, str]]:
        scaffold, endings = self.make(), [Ending("ok", PUBLIC, printed=1.5)] * 7
        found = []
        for count in range(1, len(endings) + 1):
            tree = grown(
                self.make(), endings[:count], self.task().info, feedback, more=self.actions
            )
            choice = called(scaffold.propose, tree, draws(tree), at=f"{count} successes")
            if isinstance(choice, Decision):
                found.append((choice, _text(called(scaffold.prompt, choice, tree))))
        return found


def _text(messages: list[Message]) -> str:
    return "\n".join(message.content for message in messages)
