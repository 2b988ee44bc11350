"""What holds for every completion, whatever was asked: it is recorded, counted and trained on."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import ClassVar

from mlxlab.core.errors import PolicyError
from mlxlab.core.jsonl import scrubbed
from mlxlab.core.policy import PolicyRequest, Price, Priced, Sampling, Varying
from mlxlab.core.records import Completion
from mlxlab.testing.kit.differing import difference
from mlxlab.testing.policies.conformance.answers import FORM
from mlxlab.testing.policies.conformance.harness import AT_HAND, Answer, Harness

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
SLACK = 1.01
"""A provider rounds, and counts a token of its own here and there."""


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
            # Of several models one may be free, and refused or recorded answers cost nothing.
            nothing = answer.bound == AT_HAND or done.model in self.free or done.reused
            if cost == 0 and done.finish_reason != "content_filter" and not nothing:
                # Who says nothing of a price is believed: it may ask several models.
                assert free or not priced, (
                    f"a cost of 0 by {done.model!r}, where the price is {price}; name models that "
                    "cost nothing in `free`"
                )

    def test_what_is_at_hand_costs_nothing(self) -> None:
        """Where `bound` says (0, 0) nothing is paid, unless a recorded cost is told again."""
        for _, done, _, bound in self.answers():
            if bound == AT_HAND and not done.reused:
                assert not done.cost_usd, f"a cost of {done.cost_usd}, with a bound of {bound}"

    def test_a_cost_fits_its_price(self) -> None:
        """No cost is above what the answer's tokens cost at the dearest price it knows."""
        most = self.dearest()
        if most is None:
            return
        prompt_usd = max(most.prompt_usd, most.cached_prompt_usd or 0.0)
        nothing = not (prompt_usd or most.completion_usd)
        for _, done, _, _ in self.answers():
            used, cost = done.usage, done.cost_usd
            unknown = None in (used.prompt_tokens, used.completion_tokens)
            if cost is None or done.reused or (unknown and not nothing):
                continue
            highest = (used.prompt_tokens or 0) * prompt_usd
            highest += (used.completion_tokens or 0) * most.completion_usd
            told = f"{used} costs at most {highest:.6g} at {most}, and {cost:.6g} was paid"
            assert cost <= highest * SLACK + 1e-12, told

    def test_token_ids_fit_together(self) -> None:
        """`token_ids` come with their prompt's, as many as are counted, a logarithm for each."""
        for answer in self.answers():
            _tokens(answer.completion)

    def test_the_time_it_took(self) -> None:
        """`latency_s` is the time of this call; a policy that is `timed` measures it."""
        for request, done, waited_s, _ in self.answers():
            took_s = done.latency_s
            assert isfinite(took_s) and took_s >= 0, f"it took {took_s} s"
            if done.reused is None:  # a record tells of another time
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
            assert again == plain, f"read back from JSON it differs: {difference(plain, again)}"

    def answers(self) -> list[Answer]:
        """The answers to all requests that are not refused."""
        if not self._answers:
            type(self)._answers = self.wait(self._asked())
        return self._answers

    def price(self) -> Price | None:
        """What the policy says that it costs."""
        return self.price_of(self.policy)

    def dearest(self) -> Price | None:
        """The most that the policy says that it may cost."""
        if isinstance(self.policy, Varying):
            return self.wait(self.policy.dearest())
        return self.price()

    def requests(self) -> Iterator[PolicyRequest]:
        """Requests of every kind."""
        for text in ("Hello?", LONG, "Think: what is 6 times 7?", "a \ud800 b", "ä€😀 \x00"):
            yield self.request(text)
        for sampling in (Sampling(max_tokens=4), Sampling(temperature=0.0, max_tokens=16)):
            yield self.request(LONG, sampling=sampling)
        yield self.request(LONG, token_limit=3)
        yield self.request("Fill it in.", form=FORM)
        yield self.request("", "What came of it?", role="summary")
        later = self.request("And now?", index=2, seed=11)
        yield later
        yield later.model_copy(update={"decision": later.decision.model_copy(update={"step": 7})})

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
