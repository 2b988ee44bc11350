"""What every policy of this folder has in common: it is free and holds nothing."""

from __future__ import annotations

from mlxlab.core.policy import PolicyRequest, Price


class Free:
    """No price, no tokens, nothing to close."""

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        """No tokens: nobody is asked."""
        return 0, 0

    async def price(self) -> Price:
        """Nothing."""
        return Price()

    async def close(self) -> None:
        """Nothing is held."""
