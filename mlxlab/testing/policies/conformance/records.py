"""What holds for every completion, whatever was asked: it is recorded, counted and trained on."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import ClassVar

from mlxlab.core.errors import PolicyError
from mlxlab.core.jsonl import scrubbed
from mlxlab.core.policy import PolicyRequest, Price, Priced, Sampling
from mlxlab.core.records import Completion
from mlxlab.testing.policies.conformance.answers import FORM
from mlxlab.testing.policies.conformance.harness import Answer, Harness

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"


class Records(Harness):
    """Asks a dozen different requests once for a class, and looks at one side of all answers."""

    _answers: ClassVar[list[Answer]] = []

    @classmethod
    def setup_class(cls) -> None:
        """Begin without answers."""
        cls._answers = []
        super().setup_class()

    def test_tokens_are_counted_or_unknown(self) -> None:
        """Counts of tokens are None or at least 0, and no part is larger than its whole."""
        for answer in self.answers():
            usage = answer.completion.usage
            for name, value in usage.model_dump().items():
                assert value is None or value >= 0, f"{name} is {value}"
            for part, whole in (
                (usage.reasoning_tokens, usage.completion_tokens),
                (usage.cached_prompt_tokens, usage.prompt_tokens),
            ):
                assert part is None or whole is None or part <= whole, usage

    def test_a_cost_is_known_or_none(self) -> None:
        """A cost is in US dollars; None, not 0, where the policy's price is not known."""
        priced, price = isinstance(self.policy, Priced), self.price()
        free = price is not None and not (price.prompt_usd or price.completion_usd)
        for answer in self.answers():
            done, cost = answer.completion, answer.completion.cost_usd
            assert cost is None or (isfinite(cost) and cost >= 0), f"a cost of {cost}"
            if cost == 0 and done.finish_reason != "content_filter" and not done.reused:
                # Who says nothing of a price is believed: it may ask several models.
                assert free or not priced, f"a cost of 0, where the price is {price}"

    def test_token_ids_fit_together(self) -> None:
        """`token_ids` come with their prompt's, as many as are counted, a logarithm for each."""
        for answer in self.answers():
            _tokens(answer.completion)

    def test_the_time_it_took(self) -> None:
        """`latency_s` is the time of this call; a policy that is `timed` measures it."""
        told = self.price() == Price()  # a record tells of another time
        for request, done, waited_s in self.answers():
            took_s = done.latency_s
            assert isfinite(took_s) and took_s >= 0, f"it took {took_s} s"
            if not told and done.reused is None:
                assert took_s <= waited_s + 1, f"{took_s} s, of which {waited_s} s were waited"
            assert took_s > 0 or not self.timed, f"no time for {request.messages}"

    def test_notes_are_lines(self) -> None:
        """A note is one line for people, and not empty."""
        for answer in self.answers():
            for note in answer.completion.notes:
                assert note.strip() and "\n" not in note, f"not a line: {note!r}"

    def test_it_can_be_recorded(self) -> None:
        """An answer reads back from JSON as it was, lone surrogates aside."""
        for answer in self.answers():
            try:
                plain = Completion.model_validate(scrubbed(answer.completion.model_dump()))
                plain.text.encode()
                again = Completion.model_validate_json(plain.model_dump_json())
            except ValueError as error:  # pydantic's are of this kind
                raise AssertionError(f"it cannot be recorded: {error}") from error
            assert again == plain, f"{plain} reads back as {again}"

    def answers(self) -> list[Answer]:
        """The answers to all requests that are not refused."""
        if not self._answers:
            type(self)._answers = self.wait(self._asked())
        return self._answers

    def price(self) -> Price | None:
        """What the policy says that it costs."""
        return self.wait(self.policy.price()) if isinstance(self.policy, Priced) else None

    def requests(self) -> Iterator[PolicyRequest]:
        """Requests of every kind."""
        for text in ("Hello?", LONG, "Think: what is 6 times 7?", "a \ud800 b", "ä€😀 \x00"):
            yield self.request(text)
        for sampling in (Sampling(max_tokens=4), Sampling(temperature=0.0, max_tokens=16)):
            yield self.request(LONG, sampling=sampling)
        yield self.request(LONG, token_limit=3)
        yield self.request("Fill it in.", form=FORM)
        yield self.request("", "What came of it?", role="summary")

    async def _asked(self) -> list[Answer]:
        answers = []
        for number, request in enumerate(self.requests()):
            try:
                answers.append(await self.timed_act(request))
            except PolicyError:
                if number == 0:
                    raise
        return answers


def _tokens(done: Completion) -> None:
    ids, logprobs, prompt = done.token_ids, done.logprobs, done.prompt_token_ids
    if logprobs is not None:
        assert ids is not None and len(ids) == len(logprobs), (ids, logprobs)
        assert all(isfinite(value) and value <= 0 for value in logprobs), logprobs
    if ids is None:
        return
    assert prompt, "token_ids without the prompt_token_ids that they follow"
    assert all(token >= 0 for token in (*ids, *prompt)), (ids, prompt)
    counted = done.usage
    assert counted.completion_tokens in (None, len(ids)), (counted, len(ids))
    assert counted.prompt_tokens in (None, len(prompt)), (counted, len(prompt))
