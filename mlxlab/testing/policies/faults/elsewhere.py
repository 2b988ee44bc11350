"""Servers that send one elsewhere, or send more than anybody wants."""

from __future__ import annotations

from mlxlab.core.errors import PolicyError
from mlxlab.testing.loopback import Loopback, Reply, message
from mlxlab.testing.policies.faults.harness import SECRET, Harness

_HUGE = 16 << 20


class Elsewhere(Harness):
    """A key stays where it was sent, and a large answer is an answer or an error."""

    def test_a_redirection_gets_no_key(self) -> None:
        """A key is not sent on to the host that a redirection names."""
        for status in (301, 302, 307, 308):
            with Loopback([message("I am somebody else.")]) as other:
                # 127.0.0.1 and localhost are two hosts, though one machine.
                to = other.url.replace("127.0.0.1", "localhost") + "/v1/chat/completions"
                came = self.meets(Reply(status=status, headers={"Location": to}))
                for seen in other.requests:
                    assert SECRET not in str(seen.headers), f"{status}: the key followed"
            if isinstance(came, PolicyError):
                assert not came.retryable, f"{status}: would be tried again: {came}"

    def test_a_huge_answer(self) -> None:
        """An answer of 16 MiB is read as a whole, or refused; the policy lives."""
        came = self.meets(message("x" * _HUGE))
        if not isinstance(came, PolicyError):
            assert len(came.text) == _HUGE, f"{len(came.text)} characters of {_HUGE} are left"

    def test_a_huge_header(self) -> None:
        """A header of 200 kB is read or refused; the policy lives."""
        good = message("hello").body
        came = self.meets(Reply(body=good, headers={"X-Long": "x" * 200_000}))
        assert isinstance(came, PolicyError) or came.text == "hello", came
