"""Pipelines: explore, collect, fine-tune, reinforce, evaluate and report, resumable as a whole."""

from __future__ import annotations

from mlxlab.api.pipeline.planning import Plan, plan_pipeline
from mlxlab.api.pipeline.reading import read_pipeline
from mlxlab.api.pipeline.record import PipelineRecord, StageRecord
from mlxlab.api.pipeline.running import Done, run_pipeline
from mlxlab.api.pipeline.spec import PipelineSpec
from mlxlab.api.pipeline.watching import Watch

__all__ = [
    "Done",
    "PipelineRecord",
    "PipelineSpec",
    "Plan",
    "StageRecord",
    "Watch",
    "plan_pipeline",
    "read_pipeline",
    "run_pipeline",
]
