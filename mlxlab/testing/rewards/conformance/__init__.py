"""What every reward must do, as checks that anybody's reward can be put to."""

from __future__ import annotations

from mlxlab.testing.rewards.conformance.coping import Coping
from mlxlab.testing.rewards.conformance.declaring import Declaring
from mlxlab.testing.rewards.conformance.purity import Purity
from mlxlab.testing.rewards.conformance.values import Values


class RewardConformance(Declaring, Values, Purity, Coping):
    """The whole suite: subclass it in a test module and say how a reward is made.

    The steps that it judges are made up: no task, sandbox or policy is needed.
    """
