"""What every scaffold must do, as checks that anybody's scaffold can be put to."""

from __future__ import annotations

from mlxlab.testing.scaffolds.conformance.answers import Answers
from mlxlab.testing.scaffolds.conformance.choosing import Choosing
from mlxlab.testing.scaffolds.conformance.declaring import Declaring
from mlxlab.testing.scaffolds.conformance.extras import Forms, Lists
from mlxlab.testing.scaffolds.conformance.prompting import Prompting
from mlxlab.testing.scaffolds.conformance.purity import Purity
from mlxlab.testing.scaffolds.conformance.wholeruns import WholeRuns


class ScaffoldConformance(Declaring, Choosing, Prompting, Answers, Forms, Lists, Purity, WholeRuns):
    """The whole suite: subclass it in a test module and say how a scaffold is made.

    It is shown made-up moments of runs, and driven through whole runs on a toy task, whose
    programs are acted out in memory: no sandbox, policy or network is needed.
    """
