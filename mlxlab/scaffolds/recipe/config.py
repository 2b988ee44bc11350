"""The options of the `recipe` scaffold."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RecipeConfig(BaseModel):
    """How much a prompt says, how often an answer is asked for again, and what programs read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    explain: bool = Field(
        True,
        description="Describe the task and the grammar of recipes, as a language model needs it; "
        "false leaves the bare facts, for small models that learn the grammar.",
    )
    history: int = Field(5, ge=1, description="Tried recipes that a prompt lists.")
    repairs: int = Field(0, ge=0, description="Further calls after an unusable answer.")
    rows: int = Field(4_000, ge=50, description="Training rows that a program fits on at most.")
    description_chars: int = Field(
        3_000, ge=0, description="Characters of the task's description, where it is explained."
    )
