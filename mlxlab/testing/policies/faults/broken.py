"""Connections that break off, and servers that keep one waiting."""

from __future__ import annotations

import socket

from mlxlab.core.errors import PolicyError
from mlxlab.core.records import Completion
from mlxlab.testing.loopback import Reply, message
from mlxlab.testing.policies.faults.harness import Harness

_BODY = message("Too late.").body


class Broken(Harness):
    """All of it is worth another try, and nothing takes longer than the call's limit."""

    def test_silence(self) -> None:
        """A server that says nothing is given up when the call's time is over."""
        self.retryable(Reply(hang_s=60, body=_BODY), "silence", self.short_s)

    def test_slow_bytes(self) -> None:
        """A server that sends a byte now and then is given up: the limit is on the whole call."""
        slow = Reply(drip_s=0.05, body=_BODY + b" " * 10_000)
        self.retryable(slow, "slow bytes", self.short_s)

    def test_dropped(self) -> None:
        """A connection that breaks off, wherever in the answer, is worth another try."""
        broken = {
            "without a word": Reply(drop=True),
            "after the headers": Reply(body=_BODY, send=0),
            "within the body": Reply(body=_BODY, send=40),
            "before its last byte": Reply(body=_BODY, send=len(_BODY) - 1),
        }
        for what, reply in broken.items():
            self.retryable(reply, what)

    def test_no_server(self) -> None:
        """An address where nobody listens is a PolicyError, and worth another try."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        policy = self.reach(f"http://127.0.0.1:{port}/v1", self.usual_s)

        async def asked() -> Completion | PolicyError:
            try:
                return await self.comes_to(policy, self.usual_s)
            finally:
                await policy.close()

        problem = self._runner.run(asked())
        assert isinstance(problem, PolicyError), f"nobody answered with {problem}"
        assert problem.retryable, f"no other try is made after: {problem}"
