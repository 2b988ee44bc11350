"""Whole runs: what the Runner makes of a scaffold, and what training makes of its record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from mlxlab.core.errors import PolicyError
from mlxlab.core.scaffold import Ask
from mlxlab.core.tree import Node, Remaining, RunContext, TreeView
from mlxlab.testing.kit.differing import difference
from mlxlab.testing.policies.scripted import ScriptedPolicy
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.conformance.harness import Harness
from mlxlab.testing.scaffolds.moments import REF
from mlxlab.testing.scaffolds.runs import PACKAGES, Plan, Ran, answering, run


class WholeRuns(Harness):
    """Runs of a few steps on the toy task, of which some fail."""

    _whole: ClassVar[Ran]

    def test_a_run_records_every_step(self) -> None:
        """A run uses its steps or says why it stopped; failed and unread ones are recorded."""
        manifest, steps = self._ran()[:2]
        assert [step.step for step in steps] == list(range(len(steps))), "steps are missing"
        stopped = (manifest.ended or "").startswith("the scaffold stopped")
        whole = len(steps) == manifest.budget.steps or (steps and stopped)
        assert whole, f"{len(steps)} steps: {manifest.ended}"
        for step in steps:
            seen = step.observation
            told = seen.status == "invalid_action" and seen.message
            assert step.action or told, f"step {step.step} has no action and no reason"

    def test_a_run_takes_actions(self) -> None:
        """The answers of a run that hold an allowed action are carried out."""
        steps = self._ran().steps
        done = [step for step in steps if step.observation.status != "invalid_action"]
        assert done, f"no action was taken: {[step.observation.message for step in steps]}"

    def test_a_run_repeats(self) -> None:
        """Another run with the same seed and answers makes the same record."""
        _same(self._ran(), self._run(Plan()))

    def test_a_run_resumes(self) -> None:
        """A run whose provider went away goes on, with a new instance, as if it never had."""
        whole, ran = self._ran(), None
        with _folder() as folder:
            for until in (len(whole.steps) // 2, 10_000):
                made = self.make()
                with suppress(PolicyError):
                    policy = answering(made, self.actions, until)
                    ran = run(folder, made, policy, self.task(), Plan())
        assert ran is not None, "the resumed run found no answers"
        _same(whole, ran)

    def test_a_run_of_many_workers_ends(self) -> None:
        """With three workers every step is recorded, each number once."""
        numbers = [step.step for step in self._run(Plan(steps=9, workers=3)).steps]
        whole = sorted(numbers) == list(range(len(numbers)))
        assert numbers and whole, f"the steps {numbers} were recorded"

    def test_a_run_without_usable_answers_ends(self) -> None:
        """Where a model writes nothing at all, steps are recorded, of `max_asks` questions each."""
        made = self.make()
        with _folder() as folder:
            ran = run(folder, made, ScriptedPolicy(lambda _: ""), self.task(), Plan(steps=4))
        assert ran.steps, "no step is recorded"
        for step in ran.steps:
            asked = len(step.calls) - 1
            fits = asked == made.max_asks or step.action is not None
            assert fits, f"step {step.step} asked {asked} times, not {made.max_asks}"

    def test_recorded_answers_are_read_anew(self) -> None:
        """A new instance reads the action of each recorded step out of its answer again."""
        scaffold = self.make()
        for step in self._ran().steps:
            assert step.completion is not None
            read = called(scaffold.parse, step.decision, step.completion)
            unread = step.action is None and isinstance(read, Ask)
            same = unread or read == step.action
            assert same, f"step {step.step} was {step.action!r} and is read as {read!r}"

    def test_recorded_prompts_are_made_anew(self) -> None:
        """A new instance makes the prompt of each recorded step again, word for word."""
        scaffold, ran = self.make(), self._ran()
        for decision, asked in zip(ran.decisions, ran.prompts, strict=True):
            plain = decision.model_copy(update={"prompt": None})
            made = called(scaffold.prompt, plain, _before(ran, decision.step))
            assert made == asked, f"the prompt of step {decision.step} is another one now"

    @classmethod
    def _ran(cls) -> Ran:
        """A run with one worker: the same one for every check that only reads it."""
        if "_whole" not in vars(cls):
            cls._whole = cls._run(Plan())
        return cls._whole

    @classmethod
    def _run(cls, plan: Plan) -> Ran:
        made = cls.make()
        with _folder() as folder:
            return run(folder, made, answering(made, cls.actions), cls.task(), plan)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mlx-conformance-") as name:
        yield Path(name)


def _before(ran: Ran, step: int) -> TreeView:
    """What the scaffold saw when a step was chosen: those before it, none in flight."""
    manifest, steps = ran.manifest, ran.steps[:step]
    context = RunContext(
        scaffold=REF,
        sandbox="memory",
        feedback=manifest.feedback,
        seed=manifest.seed,
        limits=manifest.limits,
    )
    left = Remaining(steps=manifest.budget.steps - len(steps))
    nodes = [Node(each, manifest.feedback, None) for each in steps]
    return TreeView(manifest.task, context, PACKAGES, nodes, (), left, len(steps))


def _same(first: Ran, second: Ran) -> None:
    """Compare two records, but for the times in them."""
    one, other = first.steps, second.steps
    assert len(one) == len(other), f"{len(one)} steps, then {len(other)}"
    for a, b in zip(one, other, strict=True):
        for key in ("decision", "prompt", "completion", "action", "observation", "next_state"):
            mine, again = getattr(a, key), getattr(b, key)
            assert mine == again, f"step {a.step}, then again: {difference(mine, again, key)}"
