"""`generated:FAMILY/SEED`: seeded families of small tables, of which any number can be made."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mlxlab.core.task import Metric, TaskInfo
from mlxlab.plugins.tasks.built import Built, BuiltTask, data_hash, metric
from mlxlab.plugins.tasks.generated.describing import description, features, title
from mlxlab.plugins.tasks.generated.families import FAMILIES, chosen
from mlxlab.plugins.tasks.generated.making import TARGET, Table, table
from mlxlab.plugins.tasks.grading import DIGITS
from mlxlab.plugins.tasks.starter import program
from mlxlab.plugins.tasks.tables import Layout, lay_out

STEPS, EXEC_TIMEOUT_S = 6, 10.0
SCALE = (
    "m_init is the score of the sample submission, m_best that of the function behind the data: "
    "no model of the features can be expected to do better."
)


class GeneratedConfig(BaseModel):
    """Which table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "table"

    table: str = Field(
        "linear/0",
        description=f"FAMILY/SEED, a seed from 0 on; families: {', '.join(FAMILIES)}.",
    )

    @field_validator("table")
    @classmethod
    def _known(cls, text: str) -> str:
        name, seed = chosen(text)
        return f"{name}/{seed}"


class Generated(BuiltTask):
    """Any number of small tables, FAMILY/SEED: linear, sparse, products, smooth, rings, ...

    `generated:FAMILY/SEED` is one table of a family; the seed draws whether it is a regression or
    a classification, its metric, rows, columns and noise. Families differ in which kinds of model
    do best, and neither description nor features name the family: an agent has to tell by the data.

    m_init is the naive submission's score, as `baseline`: the starter would have to be fitted,
    which takes longer than everything else. m_best is that of the generating function: exact, and
    free. With a few hundred rows the best of many models closes about half to nine tenths of that
    gap, and so the gap is a scale that no lucky fit exceeds; a fitted reference would need every
    model to be tried for every seed.
    """

    hidden: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: GeneratedConfig) -> None:
        self._family, self._seed = chosen(config.table)

    def build(self) -> Built:
        """Draw the table and lay it out."""
        made, judge = self._table, metric(self._table.metric)
        salt = f"mlxlab/generated/1/{self._family}/{self._seed}"
        layout = lay_out(made.frame, TARGET, made.split, judge, salt)
        text = description(made, judge.info)
        files = {**layout.files, "description.md": text.encode()}
        naive, best = _private(layout, judge, made)
        public = sum(layout.answers.public)
        info = TaskInfo(
            id=f"generated-{self._family}-{self._seed}",
            title=title(made),
            description=text,
            metric=judge.info,
            submission=layout.contract,
            target=layout.target,
            files=tuple(sorted(files)),
            train_rows=len(layout.train),
            public_rows=public,
            private_rows=len(layout.test) - public,
            baseline=naive,
            reference=best,
            m_init=naive,
            m_best=best,
            m_reason=SCALE,
            features=features(made),
            starter={TaskInfo.model_fields["entrypoint"].default: program(TARGET, made.metric)},
            data_hash=data_hash(files, layout.answers.lines()),
            source="made by mlxlab with numpy's default generator",
            licence="Apache-2.0",
            steps=STEPS,
            exec_timeout_s=EXEC_TIMEOUT_S,
        )
        return Built(info, files, layout.grader(judge))

    @cached_property
    def _table(self) -> Table:
        return table(self._family, self._seed)


def _private(layout: Layout, judge: Metric, made: Table) -> tuple[float, float]:
    """The naive and the best prediction's scores on the private rows."""
    import numpy as np

    hidden = ~np.asarray(layout.answers.public)
    truth = np.asarray(layout.answers.truth[TARGET])[hidden]
    sample = layout.files["sample_submission.csv"].decode().splitlines()[1]
    naive = np.full(len(truth), float(sample.rpartition(",")[2]))
    best = made.best[np.asarray(layout.test)[hidden]]
    scores = (judge.score(truth, given) for given in (naive, best))
    first, second = (float(f"{score:.{DIGITS}g}") for score in scores)
    return first, second
