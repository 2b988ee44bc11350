"""What an agent can do: a closed, typed union, told apart by `type`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunCode(_Action):
    """Write a whole program over the entrypoint and run it."""

    type: Literal["run_code"] = "run_code"
    code: str
    plan: str = ""


class EditFile(_Action):
    """Replace the content of one file of the workspace; nothing is run."""

    type: Literal["edit_file"] = "edit_file"
    path: str
    content: str
    plan: str = ""


class EditScript(_Action):
    """Have the run's editor change one script as instructed and save the result; nothing is run.

    A script that is not there yet is written from nothing. `save_path` may name another file.
    """

    type: Literal["edit_script"] = "edit_script"
    path: str
    instruction: str
    save_path: str


class CopyFile(_Action):
    """Copy one file of the workspace or of `input/`."""

    type: Literal["copy_file"] = "copy_file"
    source: str
    destination: str


class UnderstandFile(_Action):
    """Have the run's editor read a file and report on what is asked for."""

    type: Literal["understand_file"] = "understand_file"
    path: str
    question: str


class RunScript(_Action):
    """Run a script that lies in the workspace."""

    type: Literal["run_script"] = "run_script"
    path: str


class ReadFile(_Action):
    """Show lines of one file, counted from 1, both ends included."""

    type: Literal["read_file"] = "read_file"
    path: str
    first_line: int = 1
    last_line: int = 100


class ListFiles(_Action):
    """List a folder of the workspace."""

    type: Literal["list_files"] = "list_files"
    path: str = "."


class Validate(_Action):
    """Check the submission's form without learning a score."""

    type: Literal["validate"] = "validate"


class RequestInfo(_Action):
    """Ask for a part of the task's description."""

    type: Literal["request_info"] = "request_info"
    topic: Literal["description", "metric", "submission", "files"] = "description"


class CustomAction(_Action):
    """An action that a plugin's registered handler carries out, found by `name`."""

    type: Literal["custom"] = "custom"
    name: str
    arguments: dict[str, Any] = {}


class FinalAnswer(_Action):
    """End the run."""

    type: Literal["final_answer"] = "final_answer"
    text: str = ""


Action = Annotated[
    RunCode
    | EditFile
    | EditScript
    | CopyFile
    | UnderstandFile
    | RunScript
    | ReadFile
    | ListFiles
    | Validate
    | RequestInfo
    | CustomAction
    | FinalAnswer,
    Field(discriminator="type"),
]

TYPES: tuple[str, ...] = tuple(
    kind.model_fields["type"].default for kind in get_args(get_args(Action)[0])
)
"""The type of each action, as `Decision.allowed` names it."""
EDITS = frozenset({"run_code", "edit_file", "edit_script"})
"""The action types that change the solution: A_edit of ML-Agent's equation 6."""


def named(operator: str, action: Action | None) -> str:
    """What a step did, in a word or two: the operator, or the tool where the agent chose one."""
    if action is None or action.type == "run_code":
        return operator
    name = action.name if action.type == "custom" else action.type
    return name.replace("_", " ")
