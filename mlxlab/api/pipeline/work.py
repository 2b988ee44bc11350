"""What a stage is, and what it is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mlxlab.api.pipeline.folder import PipelineFolder
from mlxlab.api.pipeline.spec import PipelineSpec
from mlxlab.api.pipeline.watching import Watch
from mlxlab.core.errors import RecordError
from mlxlab.core.registry import Registry

Kind = Literal["explore", "collect", "sft", "rl", "evaluate", "report"]
Result = dict[str, Any]


@dataclass
class Work:
    """What stages work with.

    Args:
        tasks, held_out: the specs, ranges and suites written out.
        workers: executions at one time; None: one for each processor. No result depends on it.
    """

    spec: PipelineSpec
    tasks: tuple[str, ...]
    held_out: tuple[str, ...]
    folder: PipelineFolder
    registry: Registry
    watch: Watch = field(default_factory=Watch)
    workers: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def cache(self) -> Path:
        """What was carried out before, by any stage."""
        return Path(self.spec.cache) if self.spec.cache else self.folder.path / "transitions"

    def result(self, stage: str) -> Result:
        """What an earlier stage left; raises RecordError where it is not done."""
        record = self.folder.stage(stage)
        if record is None or record.status != "done":
            raise RecordError(f"The stage {stage} is not done.", "Run the pipeline without --only.")
        return record.result

    def path(self, relative: str) -> Path:
        """A path of a result."""
        return self.folder.path / relative

    def note(self, line: str) -> None:
        """Keep a line for the report, and tell it."""
        if line not in self.notes:
            self.notes.append(line)
        self.watch.note(line)


@dataclass(frozen=True)
class Stage:
    """One stage: what it is asked for, which stages it needs, and how it is done."""

    name: str
    kind: Kind
    options: Mapping[str, Any]
    needs: tuple[str, ...]
    run: Callable[[Work], Result]

    def key(self, keys: Mapping[str, str]) -> str:
        """The hash of all that its result depends on, given the keys of other stages."""
        said = [self.kind, self.options, [keys[name] for name in self.needs]]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
