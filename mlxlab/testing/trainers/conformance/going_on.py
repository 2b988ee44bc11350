"""What becomes of a training that was cut off."""

from __future__ import annotations

from mlxlab.core.trainer import FINAL, TrainProgress
from mlxlab.testing.trainers.conformance.harness import Harness, Trained, digests


class GoingOn(Harness):
    """Kills, interrupts, and folders of trainings that are done."""

    def test_told_once_on_disk(self) -> None:
        """A step is told when it is safe: a kill at that moment changes nothing that was told."""
        whole, after = self.whole(), self.killed()
        first = whole.told[0]
        for each in after.told:
            assert each.step > first.step or each == first, (
                f"step {first.step} was told of before it was on disk: killed then, "
                "the training takes it once more"
            )

    def test_goes_on_after_a_kill(self) -> None:
        """The folder of a killed training goes on to the end."""
        ends_like(self.whole(), self.killed(), 1)

    def test_goes_on_after_an_interrupt(self) -> None:
        """An interrupt is passed on, and the folder that it leaves goes on to the end."""

        def tell(progress: TrainProgress) -> None:
            raise KeyboardInterrupt

        try:
            self.train("interrupted", tell)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("an interrupt was swallowed")
        ends_like(self.whole(), self.train("interrupted"), 1)

    def test_done_is_done(self) -> None:
        """A training that is done returns its result, and takes no step again."""
        whole = self.whole()
        before, heard = digests(whole.out / FINAL), whole.told
        seen = self.train("whole")
        new = [each.step for each in seen.told if each not in heard]
        assert not new, f"steps of a training that was done were taken again: {new}"
        acted = len(seen.arena.submitted) if seen.arena is not None else 0
        assert not acted, f"a training that was done took {acted} actions again"
        assert seen.ref == whole.ref, f"returned {seen.ref}, and {whole.ref} the first time"
        gone = sorted(set(before) - set(digests(whole.out / FINAL)))
        assert not gone, f"the result lost {', '.join(gone)}"


def ends_like(whole: Trained, seen: Trained, after: int) -> None:
    """Assert that a training that went on after a step took all the others, and ended."""
    rest = [step for step in seen.steps if step > after]
    wanted = [step for step in whole.steps if step > after]
    assert rest == wanted, f"after step {after} it told of the steps {rest}, expected {wanted}"
    assert seen.ref is not None and seen.ref.spec.endswith(f"/{FINAL}"), f"returned {seen.ref!r}"
