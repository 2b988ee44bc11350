"""An error's hint, for `mlx plugins check`: the options of `mlx run` are none of this command's."""

from __future__ import annotations

import re
from shlex import quote

from mlxlab.core.entries import Entry
from mlxlab.core.errors import MlxError
from mlxlab.core.kinds import kind_problem
from mlxlab.core.registry import Registry

COMMAND = "mlx plugins check"


def in_a_line(entry: Entry, error: MlxError) -> str:
    """An error and what to do about it, with a hint that goes here."""
    return " ".join(str(MlxError(error.message, hint_here(entry, error.hint))).split())


def hint_here(entry: Entry, hint: str) -> str:
    """A hint that says how to write the component, as this command's words say it.

    A hint with a kind that nothing asks for is left out: what is wrong is the kind.
    """
    flag = rf"--{re.escape(entry.kind)} (?:'([^']*)'|(\S*[^\s.]))"
    spec = rf"(^Write | or )({re.escape(entry.name)}[:?].*?=VALUE)"
    if kind_problem(entry.kind, Registry.installed().entries):
        return "" if re.search(flag, hint) or re.search(spec, hint) else hint
    hint = re.sub(spec, lambda found: found[1] + _checked(entry, found[2]), hint)
    return re.sub(flag, lambda found: _checked(entry, found[1] or found[2]), hint)


def _checked(entry: Entry, spec: str) -> str:
    return f"{COMMAND} {quote(f'{entry.kind}.{spec}')}"
