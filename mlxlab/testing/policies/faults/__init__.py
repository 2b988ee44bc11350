"""What a policy that talks HTTP must survive, as tests that anybody's policy can be put to."""

from __future__ import annotations

from mlxlab.testing.policies.faults.broken import Broken
from mlxlab.testing.policies.faults.elsewhere import Elsewhere
from mlxlab.testing.policies.faults.harness import KEY_VARIABLE
from mlxlab.testing.policies.faults.nonsense import Nonsense
from mlxlab.testing.policies.faults.readable import Readable
from mlxlab.testing.policies.faults.statuses import Statuses

__all__ = ["KEY_VARIABLE", "FaultConformance"]


class FaultConformance(Statuses, Broken, Nonsense, Readable, Elsewhere):
    """The whole suite: subclass it and say with `reach` how a policy reaches an address.

    A real server on this machine misbehaves in each way once; the call must come to the right
    answer or error within its time limit, and the next call of the same policy must be answered.
    A subclass may say how long is waited: `short_s`, `usual_s` and `slack_s`, in seconds.
    """
