"""A policy from its making to its closing, and what happens when calls are cancelled."""

from __future__ import annotations

import asyncio

from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import Policy
from mlxlab.testing.policies.conformance.harness import Harness, said

_BEGIN_S = (0.0, 0.001, 0.02, 0.2)


class Life(Harness):
    """Making, cancelling, closing."""

    def test_closing_twice(self) -> None:
        """The second `close` does nothing, whether the policy was used or not."""
        for used in (False, True):
            policy = self.make()
            if used:
                self.ask("Hello?", policy=policy)
            for _ in range(2):
                self.close(policy)

    def test_closing_with_calls_in_flight(self) -> None:
        """Calls in flight at `close` end in an answer, a PolicyError or a cancellation."""

        async def closed(policy: Policy, begin_s: float) -> list[object]:
            calls = [asyncio.create_task(policy.act(self.request("Hello?"))) for _ in range(4)]
            await asyncio.sleep(begin_s)
            await policy.close()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            await policy.close()
            return list(ends)

        for begin_s in _BEGIN_S:
            for end in self.wait(closed(self.make(), begin_s)):
                known = (PolicyError, asyncio.CancelledError)
                fine = not isinstance(end, BaseException) or isinstance(end, known)
                assert fine, f"a call in flight at close() raised {end!r}"

    def test_cancelled_calls(self) -> None:
        """A cancelled call is over, and the policy answers others, also those beside it."""

        async def cancelled(begin_s: float) -> None:
            calls = [asyncio.create_task(self.act(self.request(f"call-{n} x"))) for n in range(4)]
            await asyncio.sleep(begin_s)
            for call in calls[::2]:
                call.cancel()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            for number, end in enumerate(ends):
                if number % 2 and isinstance(end, BaseException):
                    raise end
                if isinstance(end, BaseException):
                    assert isinstance(end, asyncio.CancelledError), repr(end)
                elif self.echoes:
                    assert f"call-{number}" in end.text, (number, end.text)

        for begin_s in _BEGIN_S:
            self.wait(cancelled(begin_s))
            self.assert_usable()

    def test_one_event_loop_after_the_other(self) -> None:
        """A closed policy can be used again, in another event loop too: two runs of a program."""
        policy = self.make()
        for _ in range(2):
            with asyncio.Runner() as runner:
                try:
                    done = runner.run(self.act(self.request("Hello?"), policy))
                    assert said(done), f"an answer that says nothing: {done}"
                finally:
                    runner.run(policy.close())

    def test_two_do_not_meet(self) -> None:
        """To close one policy leaves another as it was."""
        one, other = self.make(), self.make()

        async def both() -> None:
            await asyncio.gather(*(self.act(self.request("Hello?"), p) for p in (one, other)))
            await one.close()

        self.wait(both())
        try:
            self.assert_usable(other)
        finally:
            self.close(other)
