"""How long an answer may be, and what is said beforehand of what a call may take."""

from __future__ import annotations

from mlxlab.core.policy import Sampling
from mlxlab.testing.policies.conformance.harness import AT_HAND, Harness
from mlxlab.testing.policies.conformance.records import LONG


class AnswerLimits(Harness):
    """No answer is longer than it may be."""

    def test_max_tokens(self) -> None:
        """The scaffold's `max_tokens` is kept, or a note says that it is not."""
        request = self.request(LONG, sampling=Sampling(max_tokens=4))
        bound = self.bound(request)
        done = self.wait(self.act(request))
        if bound != AT_HAND and not done.notes:
            tokens = done.usage.completion_tokens or 0
            assert tokens <= 4, f"{tokens} tokens, of at most 4, and no note"

    def test_the_budgets_limit(self) -> None:
        """`token_limit` is kept, whatever the scaffold asks for."""
        for sampling in (Sampling(), Sampling(max_tokens=2), Sampling(max_tokens=500)):
            request = self.request(LONG, sampling=sampling, token_limit=3)
            bound = self.bound(request)
            tokens = self.wait(self.act(request)).usage.completion_tokens or 0
            if bound != AT_HAND:
                assert tokens <= 3, f"{tokens} tokens, of at most 3, with {sampling}"

    def test_settings_of_sampling(self) -> None:
        """Usual settings of sampling are taken, or left out with a note."""
        for temperature, top_p in ((0.0, None), (0.0, 1.0), (0.7, 0.9), (1.5, None), (None, 0.1)):
            sampling = Sampling(temperature=temperature, top_p=top_p, max_tokens=8)
            done = self.ask("How warm is it?", sampling=sampling)
            if done.temperature is not None and temperature is not None and not done.notes:
                told = f"sampled at {done.temperature}, where {temperature} was asked for"
                assert done.temperature == temperature, told

    def test_what_a_call_takes_at_most(self) -> None:
        """What `bound` says is never passed, where the policy has one."""
        for fields in ({"sampling": Sampling(max_tokens=5)}, {"token_limit": 3}, {}):
            request = self.request(LONG, **fields)
            prompt, answer = bound = self.bound(request)
            used = self.wait(self.act(request)).usage
            if bound == AT_HAND:
                continue
            if prompt is not None and used.prompt_tokens is not None:
                assert used.prompt_tokens <= prompt, f"{used}, with a bound of {prompt}"
            if answer is not None and used.completion_tokens is not None:
                assert used.completion_tokens <= answer, f"{used}, with a bound of {answer}"
