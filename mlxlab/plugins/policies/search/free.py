"""What every policy of this folder has in common: it is free and holds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlxlab.core.policy import PolicyRequest, Price


class Free:
    """No price, no tokens, nothing to close."""

    needs_listing: ClassVar[bool] = True
    """Its answers are actions of a scaffold's list; see `mlxlab.core.policy.Choosing`."""
    conformance: ClassVar[Mapping[str, Any]] = {"seeded": True, "scaffold": "recipe"}
    """What its checks have to know: it answers scaffolds that list their actions."""

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        """No tokens: nobody is asked."""
        return 0, 0

    async def price(self) -> Price:
        """Nothing."""
        return Price()

    async def close(self) -> None:
        """Nothing is held."""
