"""`mlx plugins check --only ID`: single checks, by their ids or what these begin with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlxlab.core.errors import UsageError
from mlxlab.core.near import did_you_mean
from mlxlab.testing import ComponentConformance
from mlxlab.testing.kit import checks_of
from mlxlab.testing.suites import suite_of


def left_out(words: Sequence[str], kinds: Iterable[str]) -> set[str]:
    """The ids of the checks, of some kinds of components, that no word means.

    Raises:
        UsageError: a word means no check of theirs.
    """
    ids = {name for kind in kinds for name in _ids(kind)}
    for word in words:
        if not any(name.startswith(word) for name in ids):
            hint = f"{did_you_mean(word, sorted(ids))} docs/reference/conformance.md has all ids."
            raise UsageError(f"No check that would be made has an id like '{word}'.", hint.strip())
    return {name for name in ids if words and not name.startswith(tuple(words))}


def _ids(kind: str) -> set[str]:
    suites = [ComponentConformance, suite_of(kind)]
    return {check.id for suite in suites if suite is not None for check in checks_of(suite)}
