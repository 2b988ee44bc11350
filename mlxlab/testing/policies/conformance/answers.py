"""A question and its answer, one at a time and many at once."""

from __future__ import annotations

import asyncio

from mlxlab.core.given import lacked
from mlxlab.core.policy import Form, Sampling
from mlxlab.core.records import Completion, Message
from mlxlab.testing.found import output
from mlxlab.testing.kit.differing import difference
from mlxlab.testing.policies.conformance.harness import Harness, said

FORM = Form(
    name="answer",
    description="A thought and what comes of it.",
    fields={"plan": "What shall be done.", "code": "A program."},
)


class Answers(Harness):
    """Requests are answered, each with its own answer."""

    def test_it_is_a_policy(self) -> None:
        """A policy has every method of the protocol: `act` and `close`."""
        told = lacked("policy", self.policy)
        assert not told, told

    def test_an_answer(self) -> None:
        """A request is answered once, by a model that is named."""
        done = self.ask("Say something, please.")
        assert said(done), f"an answer that says nothing: {done}"
        assert done.model, "who answered is not said: model is empty"
        assert done.attempts == 1, f"a policy does not try {done.attempts} times"
        if self.echoes:
            assert "something," in done.text, done.text

    def test_prints_nothing(self) -> None:
        """Stdout belongs to who asks: an answer is returned, and a note goes into `notes`."""
        with output() as printed:
            self.ask("Say something, please.")
        assert not printed[0], f"act printed {printed[0][:200]!r}"

    def test_a_conversation(self) -> None:
        """Every role may speak, and the last message is what is answered."""
        turns = (("system", "Be brief."), ("user", "One?"), ("assistant", "1"), ("user", "Two?"))
        messages = tuple(Message(role=role, content=text) for role, text in turns)
        done = self.ask(messages=messages)
        assert said(done), f"an answer that says nothing: {done}"
        if self.echoes:
            assert done.text == "Two?", f"'Two?' was answered with {done.text!r}"

    def test_many_at_once(self) -> None:
        """Calls in flight together are answered, and no answer goes to another's question."""
        questions = [f"number-{number} please" for number in range(self.at_once)]

        async def together() -> list[Completion]:
            return await asyncio.gather(*(self.act(self.request(text)) for text in questions))

        for question, done in zip(questions, self.wait(together()), strict=True):
            assert said(done), f"an answer that says nothing: {done}"
            if self.echoes:
                assert done.text.split()[:1] == question.split()[:1], (question, done.text)

    def test_the_same_request_again(self) -> None:
        """A request may come twice; a policy that is `seeded` answers in the same words."""
        sampling = Sampling(temperature=1.0, max_tokens=16)
        first, second = (self.ask("Again.", sampling=sampling, seed=7) for _ in range(2))
        if self.seeded:
            for name in ("text", "action", "token_ids"):
                one, other = getattr(first, name), getattr(second, name)
                assert one == other, f"the same request again: {difference(one, other, name)}"

    def test_a_form(self) -> None:
        """A form's fields are filled in, all of them and no others, or left alone."""
        done = self.ask("Fill it in.", form=FORM)
        assert said(done), f"an answer that says nothing: {done}"
        if done.fields is not None:
            assert set(done.fields) == set(FORM.fields), f"other fields: {done.fields}"
            assert all(isinstance(value, str) for value in done.fields.values()), done.fields
        assert self.ask("Hello?").fields is None, "fields that nobody asked for"

    def test_thinking_is_apart(self) -> None:
        """A model's thoughts stand in `reasoning`, and no tag of theirs in the text."""
        done = self.ask("What is 6 times 7? Think about it.")
        assert "<think>" not in done.text and "</think>" not in done.text, done.text
        assert done.reasoning is None or done.reasoning.strip(), "reasoning without words"
