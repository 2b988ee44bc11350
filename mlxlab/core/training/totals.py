"""What an arena has done, in numbers."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass

from mlxlab.core.training.states import Taken


@dataclass(frozen=True)
class Totals:
    """Counts of what was taken, and seconds; the difference of two is what lies between them.

    Args:
        executed: carried out in a sandbox.
        cached: an equal action had been, or was being, carried out from an equal state.
        invalid: no action, or none that is allowed; nothing is run for it.
        failed: there is no outcome.
        seconds: summed over what was executed.
        saved_s: what the cached ones took when they were executed.
    """

    executed: int = 0
    cached: int = 0
    invalid: int = 0
    failed: int = 0
    seconds: float = 0.0
    saved_s: float = 0.0

    def __sub__(self, mark: Totals) -> Totals:
        then = asdict(mark)
        return Totals(**{name: value - then[name] for name, value in asdict(self).items()})


class Tally:
    """Totals that grow; any thread may use it."""

    def __init__(self) -> None:
        self._totals = Totals()
        self._lock = threading.Lock()

    def now(self) -> Totals:
        """The totals up to now."""
        return self._totals

    def count(self, taken: Taken, saved_s: float = 0.0) -> None:
        """Count one; `saved_s` is what a cached one took when it was executed."""
        failed, ran = bool(taken.failed), bool(taken.key)
        with self._lock:
            now = self._totals
            self._totals = Totals(
                executed=now.executed + (ran and not taken.cached),
                cached=now.cached + taken.cached,
                invalid=now.invalid + (not failed and not ran),
                failed=now.failed + failed,
                seconds=now.seconds + taken.seconds,
                saved_s=now.saved_s + saved_s,
            )
