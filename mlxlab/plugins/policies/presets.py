"""The preset table: which model a name stands for, which key belongs to which host."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import Field

from mlxlab.core.policy import Sampling
from mlxlab.core.records import Record


class Preset(Record):
    """A model with the settings it is meant to be used with."""

    model: str = Field(description="Written provider/model, as litellm names it.")
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    extra: dict[str, Any] = Field({}, description="Further arguments of the call.")
    notes: str = ""

    @property
    def sampling(self) -> Sampling:
        """The preset's sampling settings."""
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens)


class Provider(Record):
    """A provider's key variables and the host that they belong to; a server at home has neither."""

    keys: tuple[str, ...] = ()
    host: str | None = None


class Table(Record):
    """The whole of presets.toml."""

    presets: dict[str, Preset]
    providers: dict[str, Provider]


@cache
def table() -> Table:
    """The table that is shipped beside this module."""
    text = files(__package__).joinpath("presets.toml").read_text(encoding="utf-8")
    return Table.model_validate(tomllib.loads(text))
