"""What every trainer must do, as tests that anybody's trainer can be put to."""

from __future__ import annotations

from mlxlab.testing.trainers.conformance.going_on import GoingOn
from mlxlab.testing.trainers.conformance.results import Results
from mlxlab.testing.trainers.conformance.telling import Telling


class TrainerConformance(Results, Telling, GoingOn):
    """The whole suite: subclass it in a test module and say how a trainer is made.

    `make` returns a trainer whose training has two steps or more and takes seconds. One that loads
    a model says `checkpoint = True`; `base` and `corpus` may be replaced where a trainer learns
    from something else. Actions are answered by a stand-in for the arena, so that no sandbox is
    needed. `options`, in a trainer's own `conformance`, are those of such a small training.
    """
