"""Short ways to name many tasks: ranges of seeds, and suites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from mlxlab.core.components import task_spec
from mlxlab.core.errors import UsageError
from mlxlab.core.listed import suite_of
from mlxlab.core.registry import Registry

_RANGE = re.compile(r"(generated:[^?]*/)(\d+)-(\d+)(\?.*)?")
_SUITE = "suite:"
_MOST = 10_000
"""More tasks than these in one range are a slip of the pen."""


def expanded(
    names: Sequence[str], part: Literal["train", "held-out"], registry: Registry
) -> tuple[str, ...]:
    """The specs of tasks, each once: `generated:linear/0-2` is three, `suite:builtin` a part.

    Raises:
        UsageError: a range runs backwards or too far, or there is no such suite.
    """
    found = [
        str(task_spec(spec, registry)) for name in names for spec in _meant(name, part, registry)
    ]
    return tuple(dict.fromkeys(found))


def _meant(name: str, part: str, registry: Registry) -> Iterator[str]:
    if name.startswith(_SUITE):
        _, tasks = suite_of(registry, name.removeprefix(_SUITE))
        yield from (task.spec for task in tasks if task.part in (part, ""))
        return
    match = _RANGE.fullmatch(name)
    if match is None:
        yield name
        return
    head, first, last, options = match[1], int(match[2]), int(match[3]), match[4] or ""
    if first > last:
        raise UsageError(f"'{name}' runs backwards.", f"Write {head}{last}-{first}{options}")
    if last - first >= _MOST:
        raise UsageError(f"'{name}' stands for {last - first + 1} tasks; {_MOST} are the most.")
    yield from (f"{head}{seed}{options}" for seed in range(first, last + 1))
