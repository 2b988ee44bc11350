"""What the strong policy may still take, with calls side by side."""

from __future__ import annotations


class Allowance:
    """Money and calls: what is spent and what is set aside never pass a limit together.

    Args:
        usd: US dollars in all; None is no limit.
        calls: calls in all; None is no limit.
    """

    def __init__(self, usd: float | None, calls: int | None) -> None:
        self._usd = usd
        self._calls = calls
        self._paid_usd = 0.0
        self._held_usd = 0.0
        self._ended = 0
        self._flying = 0
        self._dearest_usd = 0.0
        self._unknown = False

    @property
    def spent(self) -> bool:
        """Whether no call is allowed any more, whatever becomes of those in flight."""
        money = self._usd is not None and (self._unknown or self._paid_usd >= self._usd)
        return money or (self._calls is not None and self._ended >= self._calls)

    def take(self, most_usd: float | None) -> float | None:
        """Begin a call; returns what is set aside for it, None where it is not allowed.

        Args:
            most_usd: what it may cost; None: unknown, so as much as the dearest one yet.
        """
        held = self._dearest_usd if most_usd is None else most_usd
        if self.spent or (self._calls is not None and self._ended + self._flying >= self._calls):
            return None
        if self._usd is not None and self._paid_usd + self._held_usd + held > self._usd:
            return None
        self._flying += 1
        self._held_usd += held
        return held

    def paid(self, held: float, usd: float | None) -> None:
        """End a call that was answered; one of unknown cost is the last, for money is limited."""
        self._end(held)
        self._ended += 1
        self._unknown = self._unknown or usd is None
        self._paid_usd += usd or 0.0
        self._dearest_usd = max(self._dearest_usd, usd or 0.0)

    def lost(self, held: float) -> None:
        """End a call that got no answer and may have been billed all the same."""
        self.paid(held, held)

    def unused(self, held: float) -> None:
        """End a call that failed and took nothing."""
        self._end(held)

    def _end(self, held: float) -> None:
        self._flying -= 1
        self._held_usd -= held
