"""A step's rewards by the specs that its run's manifest names.

New runs write both alike. Early ones wrote the values under the spec as it was typed, `haste:10`,
and the manifest as the component understood it, `haste:10.0`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlxlab.core.errors import UsageError
from mlxlab.core.records import ComponentRef, RewardValue
from mlxlab.core.spec import Spec


def by_spec(
    rewards: Mapping[str, RewardValue], refs: Sequence[ComponentRef]
) -> dict[str, RewardValue]:
    """The rewards; a name that no reference has is the one other spec of the same component's."""
    lacking = [ref.spec for ref in refs if ref.spec not in rewards]
    if not lacking:
        return dict(rewards)
    known = {ref.spec for ref in refs}
    found = {}
    for name, value in rewards.items():
        meant = [] if name in known else [spec for spec in lacking if _head(spec) == _head(name)]
        found[meant[0] if len(meant) == 1 else name] = value
    return found


def _head(spec: str) -> tuple[str | None, str]:
    try:
        read = Spec.parse(spec)
    except UsageError:  # a record may hold anything
        return None, spec
    return read.distribution, read.name
