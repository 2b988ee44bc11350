"""Values and comments as TOML; the standard library only reads it.

Each value stands on one line, whatever it holds, so that a line can be a comment as a whole.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from mlxlab.api.text import plain

WIDTH = 96
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def value(said: Any) -> str:
    """A value of JSON's types as TOML; raises ValueError for what TOML cannot hold."""
    if isinstance(said, bool):
        return "true" if said else "false"
    if isinstance(said, str):
        return _text(said)
    if isinstance(said, int):
        if not -(1 << 63) <= said < 1 << 63:
            raise ValueError(f"{said} is too large for TOML")
        return str(said)
    if isinstance(said, float):
        return repr(said) if math.isfinite(said) else _endless(said)
    if isinstance(said, list | tuple):
        return f"[{', '.join(map(value, said))}]"
    if isinstance(said, Mapping):
        pairs = [f"{key(str(name))} = {value(part)}" for name, part in said.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    raise ValueError(f"TOML has no {type(said).__name__}")


def key(name: str) -> str:
    """A key, quoted where it has to be."""
    return name if _BARE.fullmatch(name) else _text(name)


def comment(text: str) -> list[str]:
    """A comment's lines; what a terminal or a parser would obey is shown as an escape."""
    harmless = plain(" ".join(text.split()))
    wrapped = textwrap.wrap(harmless, WIDTH - 2, break_on_hyphens=False, break_long_words=False)
    return [f"# {line}" for line in wrapped]


def _text(said: str) -> str:
    """A basic string: JSON's, with what is invisible escaped, and no halves of characters."""
    return "".join(
        c if c.isprintable() else _escape(c) for c in json.dumps(said, ensure_ascii=False)
    )


def _escape(char: str) -> str:
    code = ord(char)
    if 0xD800 <= code < 0xE000:
        raise ValueError("TOML has no halves of characters")
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def _endless(said: float) -> str:
    return "nan" if math.isnan(said) else "inf" if said > 0 else "-inf"
