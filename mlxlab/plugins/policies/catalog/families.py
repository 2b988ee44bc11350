"""Every model family of the catalog by its name."""

from __future__ import annotations

from collections.abc import Mapping

from mlxlab.plugins.policies.catalog.family import Family
from mlxlab.plugins.policies.catalog.linear_families import LINEAR
from mlxlab.plugins.policies.catalog.smooth_families import SMOOTH
from mlxlab.plugins.policies.catalog.tree_families import TREES

FAMILIES: Mapping[str, Family] = LINEAR | TREES | SMOOTH
