"""A whole run, or a whole training, as a TOML file: read, written, and described to editors."""

from __future__ import annotations

from mlxlab.api.configuring.reading import read_config
from mlxlab.api.configuring.schema import config_schema
from mlxlab.api.configuring.spec import Config, RunConfig, TrainConfig
from mlxlab.api.configuring.writing import config_text

__all__ = ["Config", "RunConfig", "TrainConfig", "config_schema", "config_text", "read_config"]
