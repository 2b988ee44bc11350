"""What every sandbox must do, as tests that anybody's sandbox can be put to."""

from __future__ import annotations

from mlxlab.testing.sandboxes.conformance.ending import Ending
from mlxlab.testing.sandboxes.conformance.execution import Execution
from mlxlab.testing.sandboxes.conformance.files import Files
from mlxlab.testing.sandboxes.conformance.inputs import Inputs
from mlxlab.testing.sandboxes.conformance.isolation import Promises
from mlxlab.testing.sandboxes.conformance.leftovers import Leftovers
from mlxlab.testing.sandboxes.conformance.life import Life
from mlxlab.testing.sandboxes.conformance.limits import ResourceLimits
from mlxlab.testing.sandboxes.conformance.paths import Paths
from mlxlab.testing.sandboxes.conformance.setups import Setups
from mlxlab.testing.sandboxes.conformance.surroundings import Surroundings
from mlxlab.testing.sandboxes.conformance.transfer import Transfer


class SandboxConformance(
    Execution,
    Ending,
    ResourceLimits,
    Surroundings,
    Leftovers,
    Files,
    Paths,
    Inputs,
    Transfer,
    Life,
    Setups,
    Promises,
):
    """The whole suite: subclass it in a test module and say how a sandbox is made.

    One sandbox serves all checks of a class, each of them starting from an empty workspace.
    """
