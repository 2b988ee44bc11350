"""What every policy must do, as tests that anybody's policy can be put to."""

from __future__ import annotations

from mlxlab.testing.policies.conformance.answers import Answers
from mlxlab.testing.policies.conformance.components import Components
from mlxlab.testing.policies.conformance.life import Life
from mlxlab.testing.policies.conformance.limits import AnswerLimits
from mlxlab.testing.policies.conformance.messages import Messages
from mlxlab.testing.policies.conformance.records import Records


class PolicyConformance(Answers, Messages, Records, AnswerLimits, Life, Components):
    """The whole suite: subclass it and say how a policy is made; nothing else is needed.

        class TestMine(PolicyConformance):
            @classmethod
            def make(cls) -> Policy:
                return Mine(MineConfig())

    `make` is called more than once: each policy is fresh, and reaches what it asks. A subclass may
    override more, and what it claims is tried too:

        spec            the policy on the command line: the record must make it again
        request         a request that it has an answer to, where it does not take any
        seeded          True: the same request has the same answer
        echoes          True: the answer repeats the last message
        timed           True: `latency_s` is measured
        key_variable    the environment variable without which making it is a UsageError
        most_chars      the longest message that it is tried on
        free            models that cost nothing, where it asks others that cost money
        at_once         how many calls are in flight together
        call_s          what one call may take, in seconds
        known_gaps      ids of checks that it fails, each with the reason
    """
