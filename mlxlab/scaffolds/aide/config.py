"""The options of the `aide` scaffold."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AideConfig(BaseModel):
    """The search's three published constants, and how much text a prompt may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    num_drafts: int = Field(5, ge=0, description="Root programs before anything else is done.")
    debug_prob: float = Field(
        0.5, ge=0, le=1, description="Chance of debugging where a failed leaf can be debugged."
    )
    max_debug_depth: int = Field(
        3, ge=0, description="A leaf that this many debugging steps led to is debugged once more."
    )
    max_asks: int = Field(2, ge=0, description="Further calls after an unusable answer.")
    memory_chars: int = Field(
        8_000, ge=0, description="Characters of a prompt that earlier attempts may take."
    )
    preview_chars: int = Field(
        6_000, ge=0, description="Characters of a prompt that the data preview may take."
    )
    output_chars: int = Field(
        5_000, ge=0, description="Characters kept of each output stream, half head, half tail."
    )
    program_chars: int = Field(
        60_000, ge=1_000, description="Characters kept of a previous program."
    )
