"""What a task tells to everybody, and what only its grader knows."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from mlxlab.core.records import Direction, Record


class MetricInfo(Record):
    """A metric's name, its better direction, and the range that its values lie in."""

    name: str
    direction: Direction
    low: float | None = None
    high: float | None = None
    description: str = ""

    def better(self, a: float, b: float) -> bool:
        """Whether score `a` is strictly better than score `b`."""
        return a > b if self.direction == "maximize" else a < b


class Board(Record):
    """What others reached on a task: scores of its metric, the best first.

    A model board was made by pipelines; it is never called human.
    """

    name: str = Field("private", description="Which rows it was scored on, as its source says.")
    kind: Literal["human", "model"]
    scores: tuple[float, ...]
    source: str = Field("", description="Who made it, from what.")


class SubmissionContract(Record):
    """The file an agent must leave: its path in the workspace, its columns, its rows.

    A file of another form than a table (a program, a model, an archive) has no columns and no
    rows; the task's description says what it must be.
    """

    path: str = "submission.csv"
    form: Literal["table", "file"] = "table"
    id_column: str = ""
    columns: tuple[str, ...] = Field((), description="The predicted columns, in order.")
    rows: int = Field(0, description="Of a table: public_rows + private_rows.")
    sample: str = Field(
        "sample_submission.csv", description="Its example in the input folder; empty: none."
    )


class TaskInfo(Record):
    """All that scaffolds, policies and rewards may know of a task: never an answer."""

    id: str
    title: str
    description: str
    modality: str = "tabular"
    metric: MetricInfo
    submission: SubmissionContract
    target: tuple[str, ...] = Field(description="The columns that are to be predicted.")
    files: tuple[str, ...] = Field(
        description="Every file that `prepare` writes, by relative path; a name that ends with / "
        "is a folder with all that lies in it."
    )
    preview: str = Field(
        "",
        description="What the public files look like, for prompts; empty: made from the files.",
    )
    train_rows: int
    public_rows: int
    private_rows: int
    baseline: float | None = Field(
        None, description="Private score of the naive submission (majority class, mean)."
    )
    reference: float | None = Field(
        None, description="Private score of a strong solution, stated with the task."
    )
    standard_error: float | None = Field(
        None, description="Of the private score at the reference, by bootstrap over rows."
    )
    m_init: float | None = Field(
        None, description="The score to begin from in ML-Agent's alpha = 100 / (m_best - m_init)."
    )
    m_best: float | None = Field(None, description="The best score there. Both or neither.")
    m_reason: str = Field(
        "", description="What the two stand for; where they are None, why: it has to be said then."
    )
    boards: tuple[Board, ...] = Field(
        (), description="What others reached, for ranks; human boards where the source has them."
    )
    ideas: tuple[str, ...] = Field(
        (), description="What this run shall try first; part of the description too."
    )
    features: dict[str, float | str] = Field(
        {}, description="The data in numbers, by short names, for agents that read no prose."
    )
    entrypoint: str = Field(
        "solution.py", description="Where `run_code` writes a program, and what a probe runs."
    )
    starter: dict[str, str] = Field(
        {},
        description="Path to text: the files that the workspace begins with, which is the clean "
        "state. The entrypoint is among them, if there are any.",
    )
    data_hash: str = Field(
        description="sha256 of the public files and the answers. Prepared files and outcomes are "
        "kept under it, so whatever changes a byte has to change it."
    )
    source: str = Field("", description="Where the data come from.")
    licence: str = ""
    steps: int = Field(20, description="Of a run, where neither user nor scaffold says.")
    exec_timeout_s: float = Field(
        60.0, description="Of one execution, where the user does not say."
    )

    @property
    def has_public(self) -> bool:
        """Whether one submission also gives a score that may be fed back."""
        return self.public_rows > 0


class Grade(Record):
    """The grader's verdict on one submission.

    `message` is for the agent: it names what is wrong with the form and never a private score.
    """

    valid: bool
    message: str = ""
    public: float | None = None
    private: float | None = None
    private_standard_error: float | None = None


@runtime_checkable
class Grader(Protocol):
    """Scores submissions in the host; nothing else reaches the answers.

    It may also have `oracle() -> bytes`, a submission of the true answers: the checks of a task
    then prove that nothing stated is better.
    """

    def grade(self, submission: bytes) -> Grade:
        """Grade the bytes of a submission file; a malformed one is a verdict, not an error."""
        ...


@runtime_checkable
class Task(Protocol):
    """A problem with public files, a submission contract, and answers that stay in the host.

    `hidden` names what a sandbox must keep out of sight because it holds the answers: import
    names ("mlxtend"), or a folder inside a package ("sklearn:datasets/data").
    """

    hidden: tuple[str, ...]

    @property
    def info(self) -> TaskInfo:
        """Everything but the answers; stable between two calls."""
        ...

    def prepare(self, folder: Path) -> None:
        """Write the public files into an empty folder, the same bytes each time.

        Raises:
            TaskError: the task's source cannot be read.
        """
        ...

    def grader(self) -> Grader:
        """The task's own grader, holding the answers."""
        ...


@runtime_checkable
class Metric(Protocol):
    """A registered metric over aligned columns of truth and prediction."""

    info: MetricInfo
    numeric: bool
    """Whether predictions must be finite numbers (else they are labels)."""

    def score(self, truth: object, predicted: object) -> float:
        """Score aligned arrays of shape (rows,) or (rows, columns)."""
        ...


@runtime_checkable
class MeanMetric(Metric, Protocol):
    """A metric that is made of means over rows, such as an error; resampling it is cheap."""

    def values(self, truth: object, predicted: object) -> object:
        """What is averaged, of shape (rows, values); raises as `score` does."""
        ...

    def of_means(self, means: object) -> object:
        """Scores of shape (...) from means of shape (..., values)."""
        ...


@runtime_checkable
class GroupedMetric(Metric, Protocol):
    """A metric that scores groups of rows one by one, such as the ranking within each."""

    def score_groups(self, truth: object, predicted: object, groups: object) -> float:
        """Score aligned arrays; rows of equal values in `groups` belong together."""
        ...
