"""What a training says of itself while it goes on."""

from __future__ import annotations

from itertools import count
from math import isclose, isfinite

from mlxlab.core.trainer import TrainProgress
from mlxlab.core.training.states import State
from mlxlab.testing.trainers.conformance.harness import Harness
from mlxlab.testing.trainers.material import ToyArena


class Telling(Harness):
    """Steps, figures, warnings, and what it does with an arena."""

    def test_every_step_is_told(self) -> None:
        """One TrainProgress for each optimizer step, from 1 on, each once."""
        told = self.whole().told
        wrong = [each for each in told if not isinstance(each, TrainProgress)]
        assert not wrong, f"tell got {wrong[0]!r}, which is no TrainProgress"
        steps = [each.step for each in told]
        assert steps == list(range(1, len(steps) + 1)), f"the steps that were told are {steps}"
        totals = {each.total for each in told}
        assert totals <= {None, len(steps)}, f"{len(steps)} steps, but the total was {totals}"

    def test_figures_are_numbers(self) -> None:
        """Each step has figures, and all of them are finite."""
        for each in self.whole().told:
            assert each.figures, f"step {each.step} has no figures"
            wrong = {name: value for name, value in each.figures.items() if not isfinite(value)}
            assert not wrong, f"figures of step {each.step} are no numbers: {wrong}"

    def test_same_seed_same_figures(self) -> None:
        """Equal seeds give equal figures; those of time, which end in _s, aside."""
        for one, other in zip(self.whole().told, self.again().told, strict=True):
            for name, value in one.figures.items():
                if not name.endswith("_s"):
                    found = other.figures.get(name, float("nan"))
                    assert isclose(value, found, rel_tol=1e-3, abs_tol=1e-6), (
                        f"with one seed, {name} of step {one.step} is {value} and then {found}"
                    )

    def test_warnings_are_lines(self) -> None:
        """What `warn` hears is a line of text."""
        seen = [*self.whole().warned, *self.again().warned]
        for each in seen:
            assert isinstance(each, str) and each.strip(), f"warn got {each!r}"
            assert "\n" not in each.strip(), f"a warning of several lines: {each!r}"

    def test_prints_nothing(self) -> None:
        """Stdout belongs to who called: a training speaks through tell and warn."""
        printed = self.whole().printed
        assert not printed, f"printed: {printed[:200]!r}"

    def test_needs_arena_is_true(self) -> None:
        """`needs_arena` says whether it takes actions: if not, an arena is never touched."""
        needed = self.make().needs_arena
        assert isinstance(needed, bool), f"needs_arena is {needed!r}, neither True nor False"
        if needed:
            assert self.whole().arena.submitted, "needs_arena, but no action was ever submitted"
        else:
            arena = self.again().arena
            assert not arena.touched, f"needs no arena, but used its {arena.touched[0]}"

    def test_keeps_states_is_stated(self) -> None:
        """`keeps_states`, where it is there, is a bool; only who takes actions has them kept."""
        trainer = self.make()
        kept: object = getattr(trainer, "keeps_states", False)
        assert isinstance(kept, bool), f"keeps_states is {kept!r}, neither True nor False"
        assert trainer.needs_arena or not kept, "keeps_states, but it takes no actions"

    def test_lost_actions(self) -> None:
        """An action that the engine lost costs that action, not the training."""
        if not self.make().needs_arena:
            return

        turns = count()

        def fails(state: State) -> str:
            return "" if next(turns) % 3 else "the engine is gone"

        whole = self.whole().steps
        try:
            seen = self.train("lost", arena=ToyArena(fails))
        except Exception as error:
            raise AssertionError(f"a lost action ended the training: {error}") from error
        assert seen.steps == whole, f"steps with lost actions: {seen.steps}, without: {whole}"
