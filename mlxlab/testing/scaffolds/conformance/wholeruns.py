"""Whole runs: what the Runner makes of a scaffold, and what training makes of its record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlxlab.core.errors import PolicyError
from mlxlab.core.records import Step
from mlxlab.core.runs import RunFolder
from mlxlab.core.scaffold import Ask
from mlxlab.core.tree import Node, Remaining, RunContext, TreeView
from mlxlab.testing.policies.scripted import ScriptedPolicy
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.conformance.harness import Harness
from mlxlab.testing.scaffolds.moments import REF
from mlxlab.testing.scaffolds.runs import PACKAGES, Plan, answering, run


class WholeRuns(Harness):
    """Runs of a few steps on the toy task, of which some fail."""

    def test_a_run_records_every_step(self) -> None:
        """A run uses its steps or says why it stopped; failed and unread ones are recorded."""
        with self._ran(Plan(steps=10)) as (folder, _):
            steps, manifest = folder.steps(), folder.manifest()
            assert [step.step for step in steps] == list(range(len(steps))), "steps are missing"
            stopped = (manifest.ended or "").startswith("the scaffold stopped")
            assert len(steps) == 10 or (steps and stopped), f"{len(steps)} steps: {manifest.ended}"
            for step in steps:
                unread = step.action is None
                told = step.observation.status == "invalid_action" and step.observation.message
                assert not unread or told, f"step {step.step} has no action and no reason"

    def test_a_run_takes_actions(self) -> None:
        """The answers of a run that hold an allowed action are carried out."""
        with self._ran(Plan(steps=10)) as (folder, _):
            done = [s for s in folder.steps() if s.observation.status != "invalid_action"]
            assert done, f"no action was taken: {folder.steps()[0].observation.message}"

    def test_a_run_repeats(self) -> None:
        """Another run with the same seed and answers makes the same record."""
        with self._ran(Plan()) as (first, _), self._ran(Plan()) as (second, _):
            _same(first, second)

    def test_a_run_resumes(self) -> None:
        """A run whose provider went away goes on, with a new instance, as if it never had."""
        with self._ran(Plan()) as (whole, policy), self._folder() as folder:
            for until in (len(policy.requests) // 2, 10_000):
                made = self.make()
                with suppress(PolicyError):
                    run(folder, made, answering(made, self.actions, until), self.task(), Plan())
            _same(whole, RunFolder(folder))

    def test_a_run_of_many_workers_ends(self) -> None:
        """With three workers every step is recorded, each number once."""
        with self._ran(Plan(steps=9, workers=3)) as (folder, _):
            numbers = [step.step for step in folder.steps()]
            whole = sorted(numbers) == list(range(len(numbers)))
            assert numbers and whole, f"the steps {numbers} were recorded"

    def test_a_run_without_usable_answers_ends(self) -> None:
        """Where a model writes nothing at all, steps are recorded, of `max_asks` questions each."""
        with self._folder() as folder:
            made = self.make()
            run(folder, made, ScriptedPolicy(lambda _: ""), self.task(), Plan(steps=4))
            steps = RunFolder(folder).steps()
            assert steps, "no step is recorded"
            for step in steps:
                asked = len(step.calls) - 1
                fits = asked == made.max_asks or step.action is not None
                assert fits, f"step {step.step} asked {asked} times, not {made.max_asks}"

    def test_recorded_answers_are_read_anew(self) -> None:
        """A new instance reads the action of each recorded step out of its answer again."""
        with self._ran(Plan()) as (folder, _):
            scaffold = self.make()
            for step in folder.steps():
                assert step.completion is not None
                read = called(scaffold.parse, step.decision, step.completion)
                unread = step.action is None and isinstance(read, Ask)
                same = unread or read == step.action
                assert same, f"step {step.step} was {step.action!r} and is read as {read!r}"

    def test_recorded_prompts_are_made_anew(self) -> None:
        """A new instance makes the prompt of each recorded step again, word for word."""
        with self._ran(Plan()) as (folder, _):
            scaffold, steps = self.make(), folder.steps()
            for number, decision in enumerate(folder.decisions()):
                tree = _before(folder, steps[:number])
                plain = decision.model_copy(update={"prompt": None})
                made = called(scaffold.prompt, plain, tree)
                asked = folder.prompt(decision.prompt or "")
                assert made == asked, f"the prompt of step {number} is another one now"

    @contextmanager
    def _ran(self, plan: Plan) -> Iterator[tuple[RunFolder, ScriptedPolicy]]:
        with self._folder() as folder:
            made = self.make()
            policy = answering(made, self.actions)
            yield run(folder, made, policy, self.task(), plan), policy

    @staticmethod
    @contextmanager
    def _folder() -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="mlx-conformance-") as name:
            yield Path(name)


def _before(folder: RunFolder, steps: list[Step]) -> TreeView:
    """What the scaffold saw when so many steps were recorded and none was in flight."""
    manifest = folder.manifest()
    context = RunContext(
        scaffold=REF,
        sandbox="memory",
        feedback=manifest.feedback,
        seed=manifest.seed,
        limits=manifest.limits,
    )
    left = Remaining(steps=manifest.budget.steps - len(steps))
    nodes = [Node(step, manifest.feedback, None) for step in steps]
    return TreeView(manifest.task, context, PACKAGES, nodes, (), left, len(steps))


def _same(first: RunFolder, second: RunFolder) -> None:
    """Compare two records, but for the times in them."""
    one, other = first.steps(), second.steps()
    assert len(one) == len(other), f"{len(one)} steps, then {len(other)}"
    for a, b in zip(one, other, strict=True):
        for key in ("decision", "prompt", "completion", "action", "observation", "next_state"):
            mine, again = getattr(a, key), getattr(b, key)
            assert mine == again, f"{key} of step {a.step}: {mine!r}, then {again!r}"
