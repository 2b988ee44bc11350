"""Actions and answers that a scaffold is tried on: ordinary ones, and such as nobody expects."""

from __future__ import annotations

from collections.abc import Sequence

from mlxlab.core.actions import (
    Action,
    CopyFile,
    CustomAction,
    EditFile,
    EditScript,
    FinalAnswer,
    ListFiles,
    ReadFile,
    RequestInfo,
    RunCode,
    RunScript,
    UnderstandFile,
    Validate,
)
from mlxlab.core.records import Completion, Decision
from mlxlab.core.scaffold import Listing, Scaffold
from mlxlab.testing.scaffolds.calling import called

_FENCES = 'text = """\n```python\n~~~\n</think>\n"""\nprint(text, "{", \'"\')\n'
ACTIONS: tuple[Action, ...] = (
    RunCode(code="value = 1\nprint(value)\n", plan="Begin with a value."),
    RunCode(code=_FENCES, plan="Print what looks like markup."),
    RunCode(code="value = 2"),
    RunCode(code="value = 3\n", plan="Two lines:\n- a list\n- of steps"),
    EditFile(path="solution.py", content="value = 4\n", plan="Write it."),
    EditScript(path="solution.py", instruction="Set value to 5.", save_path="solution.py"),
    CopyFile(source="solution.py", destination="kept.py"),
    UnderstandFile(path="input/test.csv", question='Which "columns" does it have?'),
    RunScript(path="solution.py"),
    ReadFile(path="solution.py", first_line=1, last_line=20),
    ListFiles(path="."),
    Validate(),
    RequestInfo(topic="metric"),
    CustomAction(name="example", arguments={"of": "an action"}),
    FinalAnswer(text="Done."),
)
"""One or more of each type."""
LISTED = 6
"""Of the actions that a scaffold lists, so many serve as examples."""

TEXTS: tuple[str, ...] = (
    "",
    " \n\t\n",
    "I would rather not say.",
    "```",
    "```python\n",
    "```python\nx = (\n```",
    "```python\nx = 1\n```\n```python\ny = 2\n```",
    "````\n```python\nx = 1\n```\n````",
    "~~~python\nx = 1\n~~~",
    "<think>```python\nx = 1\n```",
    "</think></think><think>",
    "{}",
    "[]",
    "null",
    '{"type": "run_code"}',
    '{"type": "no such action", "code": 1}',
    '{"model": "linear"',
    '{"a": 1}{"a": 1}',
    "Action: Final Answer\nAction Input: {",
    "Action: Execute Script\nAction Input: [1, 2]\nObservation: all is well",
    "\x00\x01\x02\x7f\x80\xff",
    "\ud800\udfff lone surrogates \udc80",
    "\u202e\u200b\ufeff right to left",
    "a\r\nb\rc\x0b\x0c\x1c\x85\u2028d",
    "[" * 5_000,
    '{"a":' * 5_000,
    "`" * 20_000,
    "\\" * 20_000 + "```",
    "a " * 20_000,
    "```\n" * 2_000,
    "9" * 10_000,
)
"""Answers as models have given them, and worse ones: each is data."""
SHORT = 20
"""So many of the first ones are short."""


def own(scaffold: Scaffold, decision: Decision, more: Sequence[Action] = ()) -> list[Action]:
    """The examples that a decision allows and that the scaffold can say."""
    return [
        action
        for action in candidates(scaffold, decision, more)
        if action.type in decision.allowed and _read(scaffold, decision, action) == action
    ]


def candidates(scaffold: Scaffold, decision: Decision, more: Sequence[Action] = ()) -> list[Action]:
    """What a scaffold may be able to say: what it lists, what its author gave, one of each type."""
    listed = called(scaffold.actions, decision)[:LISTED] if isinstance(scaffold, Listing) else ()
    return [*listed, *more, *ACTIONS]


def _read(scaffold: Scaffold, decision: Decision, action: Action) -> object:
    text = called(scaffold.render, decision, action)
    return called(scaffold.parse, decision, Completion(text=text))
