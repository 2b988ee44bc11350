"""Reading a pipeline file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlxlab.api.pipeline.spec import (
    CollectTable,
    EvaluateTable,
    ExploreTable,
    MachineTable,
    PipelineSpec,
    RLTable,
    SFTTable,
)
from mlxlab.api.tables import made_of, read_toml

TABLES: dict[str, type[BaseModel]] = {
    "explore": ExploreTable,
    "collect": CollectTable,
    "sft": SFTTable,
    "rl": RLTable,
    "evaluate": EvaluateTable,
    "machine": MachineTable,
}


def read_pipeline(path: Path) -> PipelineSpec:
    """A pipeline file; raises UsageError in one line that says where the mistake is."""
    return pipeline_of({"name": path.stem, **read_toml(path)}, str(path))


def pipeline_of(values: Mapping[str, Any], where: str) -> PipelineSpec:
    """A pipeline from its tables; raises UsageError with the key and what comes near it."""
    return made_of(PipelineSpec, values, where, TABLES)
