"""Configuration files on the command line: read, printed, and their schema."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from mlxlab.api.configuring import Config, config_schema, config_text, read_config
from mlxlab.cli.stdout import kept_clean
from mlxlab.cli.table import print_json
from mlxlab.cli.text import plain


def from_file(
    path: Path | None, model: type[Config], named: Mapping[str, str], given: Collection[str]
) -> dict[str, Any]:
    """What a file says, by the names of the options; what is `given` is not looked at in it."""
    if path is None:
        return {}
    keys = {option: key for key, option in named.items()}
    said = read_config(path, model, without={keys.get(name, name) for name in given}).said()
    return {named.get(key, key): value for key, value in said.items()}


def print_config(values: Mapping[str, Any], model: type[Config]) -> int:
    """Print a whole configuration as TOML."""
    text, kept = config_text({key: _plain(value) for key, value in values.items()}, model)
    sys.stdout.write(text)
    if kept:
        told = f"Not written, for no file is to keep it: {', '.join(kept)}."
        print(plain(told), file=sys.stderr)
    return 0


def print_schema(model: type[Config]) -> int:
    """Print the JSON schema of a configuration; what it lacks is said on stderr."""
    with kept_clean():  # everything that is installed is imported, and may print
        schema, failed = config_schema(model)
        print_json(schema)
    for line in failed:
        print("mlx: left out:", plain(line), file=sys.stderr)
    return 0


def _plain(value: Any) -> Any:
    """Paths as text."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return str(value) if isinstance(value, Path) else value
