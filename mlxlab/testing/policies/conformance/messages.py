"""Messages that people and programs do write."""

from __future__ import annotations

from mlxlab.core.errors import ContextTooLong, PolicyError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Message, Role
from mlxlab.testing.policies.conformance.harness import Harness, one_line

ODD = (
    *(
        " ",
        "\n\n\n",
        "ä€😀 中文 עברית",
        "e\u0301 \u200b \u202e",
        "a\tb\r\nc",
        "\x00\x01\x1b[31m\x7f",
    ),
    *("{'a': 1}", '"\\"', "<|im_end|>", "```python\nprint(1)", "[INST]", "<b>&amp;</b>", "\ufffe"),
)
HALVES = ("a \ud800 b", "\udcff", "\ud83d")


class Messages(Harness):
    """Whatever a message holds, it is answered, or refused in one line for good."""

    def test_odd_contents(self) -> None:
        """Blanks, any script, control characters and words of templates are answered or refused."""
        for content in ODD:
            self._tried(self.request(content), content)

    def test_half_characters(self) -> None:
        """A lone surrogate, which cannot be encoded, is replaced, and the rest is asked."""
        for content in HALVES:
            done = self.ask(content)
            if self.echoes and "a" in content:
                assert done.text.split()[0] == "a" and done.text.split()[-1] == "b", done.text

    def test_empty_contents(self) -> None:
        """An empty message, alone or beside others, is answered or refused for good."""
        self._tried(self.request(""), "one empty message")
        self._tried(self.request("", "Hello?"), "an empty one first")
        self._tried(self.request("Hello?", ""), "an empty one last")

    def test_unusual_orders(self) -> None:
        """System only, assistant last, two of a role: any order is answered or refused for good."""
        for roles in (("system",), ("user", "assistant"), ("system", "system", "user", "user")):
            spoken: tuple[Message, ...] = tuple(
                Message(role=role, content=f"I am {role}.") for role in roles
            )
            self._tried(self.request(messages=spoken), str(roles))

    def test_a_long_message(self) -> None:
        """A message of any length is answered, or told to be too long by ContextTooLong."""
        line = "one more line of a table, 1.25, 3\n"
        text = line * (self.most_chars // len(line))
        try:
            self.ask(text)
        except ContextTooLong as error:
            one_line(error)
        self.assert_usable()

    def test_every_role_of_a_call(self) -> None:
        """Calls of every role, the editor's and the summary's too, are taken like the agent's."""
        roles: tuple[Role, ...] = ("policy", "editor", "summary", "repair")
        for role in roles:
            self._tried(self.request("Hello?", role=role), role)

    def _tried(self, request: PolicyRequest, what: str) -> Completion | None:
        try:
            return self.wait(self.act(request))
        except PolicyError as error:
            assert not error.retryable, f"{what!r} would be tried for ever: {error}"
            one_line(error)
            self.assert_usable()
            return None
