"""What a pipeline keeps of itself: pipeline.json, and a stage.json in each stage's folder."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from mlxlab.core.records import SCHEMA, Record

Status = Literal["running", "done", "interrupted", "failed"]


class StageRecord(Record):
    """stage.json.

    Args:
        key: the hash of the options and of the keys of the stages before it.
        options: what the stage was asked for, to tell what has changed.
        needs: the stages whose results it takes.
        result: what later stages take from it; paths are relative to the pipeline's folder.
        seconds: of work, over all sessions.
    """

    schema_version: int = Field(SCHEMA, alias="schema")
    stage: str
    key: str
    options: dict[str, Any] = {}
    needs: dict[str, str] = {}
    status: Status = "running"
    result: dict[str, Any] = {}
    seconds: float = 0.0
    began_at: datetime
    ended_at: datetime | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()


class PipelineRecord(Record):
    """pipeline.json: the file as it was understood, and where it runs."""

    schema_version: int = Field(SCHEMA, alias="schema")
    name: str
    mlxlab: str
    python: str
    packages: dict[str, str] = {}
    cores: int = 1
    seed: int = 0
    spec: dict[str, Any] = {}
    tasks: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    began_at: datetime
