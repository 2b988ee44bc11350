"""A reward judges whatever was recorded: what is missing or odd is no reason to raise."""

from __future__ import annotations

from collections.abc import Sequence

from mlxlab.core.records import Probe
from mlxlab.testing.rewards.conformance.harness import Harness
from mlxlab.testing.rewards.steps import (
    ACTIONS,
    DURATIONS,
    EXTREME,
    STATUSES,
    TASKS,
    Case,
    loud,
    view,
    wide,
)

_TASK = TASKS["higher is better"]


class Coping(Harness):
    """Each of these is recorded by some run: `judge` has to say something of it."""

    def test_copes_with_every_status(self) -> None:
        """However a program ended, it is judged."""
        self._on([Case(view(ACTIONS[0], status), _TASK) for status in STATUSES])

    def test_copes_with_every_action(self) -> None:
        """Edits, looks, checks, a plugin's own action and the final answer are judged."""
        self._on([Case(view(action, "ok"), _TASK) for action in ACTIONS])

    def test_copes_without_an_action(self) -> None:
        """An answer that held no action is judged."""
        self._on([Case(view(None, "invalid_action", before=m_t), _TASK) for m_t in (None, 0.5)])

    def test_copes_without_a_score_before(self) -> None:
        """The first step that scores is judged: there is no m_t yet."""
        self._on([Case(view(ACTIONS[0], "ok", score), _TASK) for score in (0.0, 0.5)])

    def test_copes_without_a_score_after(self) -> None:
        """A step that was fine and has no public score is judged."""
        tasks = (_TASK, TASKS["no public rows"])
        self._on([Case(view(ACTIONS[0], "ok", None, 0.5), info) for info in tasks])

    def test_copes_with_an_equal_score(self) -> None:
        """A step that changes nothing is judged."""
        self._on([Case(view(ACTIONS[0], "ok", m_t, m_t), _TASK) for m_t in (0.0, 0.25, 0.9)])

    def test_copes_with_extreme_scores(self) -> None:
        """Zeros, scores at the ends of what a number holds, infinities and NaN are judged."""
        pairs = [(score, m_t) for score in EXTREME for m_t in (None, 0.5, *EXTREME)]
        self._on([Case(view(ACTIONS[0], "ok", *pair), _TASK) for pair in pairs])

    def test_copes_with_either_direction(self) -> None:
        """Metrics of which higher is better, and of which lower is, are judged."""
        tasks = (_TASK, TASKS["lower is better"])
        self._on([Case(view(ACTIONS[0], "ok", 0.4, 0.5), info) for info in tasks])

    def test_copes_without_m_init_and_m_best(self) -> None:
        """A task without the two scores of ML-Agent's alpha, or with equal ones, is judged."""
        tasks = (TASKS["no m_init and no m_best"], TASKS["no gap"], TASKS["nothing but a metric"])
        self._on([Case(view(ACTIONS[0], "ok", 0.4, m_t), t) for t in tasks for m_t in (None, 0.5)])

    def test_copes_without_boards(self) -> None:
        """A task without a board, or with an empty one, is judged, though boards were asked for."""
        tasks = (TASKS["no boards"], TASKS["an empty board"])
        self._on([Case(view(ACTIONS[0], "ok", 0.4, 0.5), info) for info in tasks])

    def test_copes_without_a_probe(self) -> None:
        """An edit that nobody probed is judged, though a probe was asked for."""
        steps = [view(action, status) for action in ACTIONS[1:3] for status in STATUSES]
        self._on([Case(step, _TASK) for step in steps])

    def test_copes_with_a_failed_probe(self) -> None:
        """A probe that failed, or has no score, is judged."""
        probes = [Probe(status=status) for status in STATUSES]
        self._on([Case(view(ACTIONS[1], "ok", before=0.5, probe=probe), _TASK) for probe in probes])

    def test_copes_with_whatever_was_printed(self) -> None:
        """Nothing, much, warnings, tracebacks and what is no text, on stdout and stderr."""
        self._on(loud())

    def test_copes_with_any_duration(self) -> None:
        """Programs that took no time, next to none or days are judged."""
        ran, pairs = ACTIONS[0], [(0.6, m_t) for m_t in (None, 0.5)]
        steps = [view(ran, "ok", *pair, duration_s=took) for took in DURATIONS for pair in pairs]
        steps += [view(ran, "error", duration_s=took) for took in DURATIONS]
        self._on([Case(step, _TASK) for step in steps])

    def test_copes_with_anything(self) -> None:
        """Every mixture of the above is judged."""
        self._on(wide())

    def _on(self, cases: Sequence[Case]) -> None:
        self.judged(self.make(), cases)
