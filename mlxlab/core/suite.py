"""A suite: a named list of tasks, and the protocol under which their scores are published."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from mlxlab.core.records import Feedback, Record


class SuiteTask(Record):
    """One task of a suite."""

    id: str = Field(description="The name that the suite's source gives it.")
    spec: str = Field(description="What `--task` takes.")
    part: Literal["train", "held-out", ""] = Field(
        "",
        description="Whether agents may be trained on it; empty where the source does not say.",
    )
    note: str = Field(
        "", description="What somebody should know who compares with published figures."
    )


class SuiteInfo(Record):
    """What is stated of a suite; None leaves the run's own default."""

    title: str
    source: str = Field(
        description="Paper and table, or repository, commit and file, of the list and the protocol."
    )
    scaffold: str | None = Field(None, description="Its spec.")
    feedback: Feedback | None = None
    steps: int | None = None
    time_s: float | None = None
    exec_timeout_s: float | None = None


@runtime_checkable
class Suite(Protocol):
    """A component of the kind `suite`; its options say where its tasks' data lies."""

    info: SuiteInfo

    def tasks(self) -> tuple[SuiteTask, ...]:
        """Its tasks, in the order of the source; reads no data.

        Raises:
            TaskError: an option that the tasks need was not given.
        """
        ...
