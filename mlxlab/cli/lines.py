"""Progress as plain lines on stderr: for logs, pipes and dumb terminals."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

from mlxlab.api import RunManifest, Runner
from mlxlab.cli.text import count, duration, plain, score, sentence
from mlxlab.cli.view.items import shown_score
from mlxlab.core.actions import named
from mlxlab.core.hooks import hookimpl
from mlxlab.core.records import Step

LONGER = 1.25
"""By what factor a wait is longer than the last one that was told, to be told as well."""
STALE_S = 300.0
"""After so many seconds of waits that are no longer the next one is told again."""


class Pauses:
    """A line when a run begins to wait for a provider, at longer waits, and when it goes on.

    Args:
        patience_s: how long it waits in all, in seconds; None: not told.
    """

    def __init__(self, patience_s: float | None = None) -> None:
        self._patience_s = patience_s
        self._since: float | None = None
        self._told_at = self._told_s = 0.0

    @hookimpl
    def mlx_run_paused(self, reason: str, until: datetime) -> None:
        """Say why; of later moments of the same wait, only those that are much later."""
        now, wait = time.monotonic(), (until - datetime.now(UTC)).total_seconds()
        if self._since is None:
            self._since = now
            word = "Paused"
        elif wait >= LONGER * self._told_s or now - self._told_at >= STALE_S:
            word = f"Still paused after {duration(now - self._since)}"
        else:
            return
        self._told_at, self._told_s = now, wait
        _say(f"{word}: {sentence(plain(reason))} Next try at {_clock(until)}.{self._lasts()}")

    def _lasts(self) -> str:
        """Until when the run waits; the first failures, before anything is told, count too."""
        if self._patience_s is None or self._since is None:
            return ""
        left = self._patience_s - (time.monotonic() - self._since)
        return f" Patience lasts until about {_clock(datetime.now(UTC) + timedelta(seconds=left))}."

    @hookimpl
    def mlx_run_resumed(self) -> None:
        """Say that it goes on."""
        waited = 0.0 if self._since is None else time.monotonic() - self._since
        self._since = None
        _say(f"The provider answers again; the run goes on after {duration(waited)}.")


class Silent(Pauses):
    """No progress but for pauses, which may be long."""

    def interrupt(self) -> None:
        """Nothing to say."""

    def close(self) -> None:
        """Nothing to close."""


class LineView(Pauses):
    """One line when the run starts, one for each step."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(runner.manifest.patience_s)
        self._runner = runner

    @hookimpl
    def mlx_run_started(self, manifest: RunManifest) -> None:
        """Say what runs."""
        metric = manifest.task.metric
        spec = {kind: plain(ref.spec) for kind, ref in manifest.components.items()}
        _say(
            f"run {manifest.run_id}: task {plain(manifest.task.id)} ({plain(metric.name)}, "
            f"{metric.direction}), scaffold {spec['scaffold']}, policy {spec['policy']}, "
            f"sandbox {spec['sandbox']}, up to {count(manifest.budget.steps, 'step')}"
        )
        if manifest.spent.steps:
            _say(f"resumed after {count(manifest.spent.steps, 'step')}")

    @hookimpl
    def mlx_step_recorded(self, step: Step) -> None:
        """Say what came of a step."""
        seen = step.observation
        what = plain(named(step.decision.operator, step.action))
        what += f" of {step.parent}" if step.parent is not None else ""
        best = self._runner.best  # run.json's is older: it is written four times a second at most
        best_score = f"{score(best.score)} (step {best.step})" if best else "-"
        took = duration((step.ended_at - step.started_at).total_seconds())
        _say(
            f"step {step.step:>3}  {what:<14}  {seen.status:<18}  "
            f"score {score(self._told(step)):>9}  best {best_score:<20}  {took}"
        )

    def _told(self, step: Step) -> float | None:
        """The score that the agent is told, which is the one that selects."""
        if self._runner.manifest.feedback == "self":
            return step.observation.self_score
        return shown_score(step)

    def interrupt(self) -> None:
        """Say that the run is being put in order."""
        _say("Stopping: what is recorded stays. Once more ends at once.")

    def close(self) -> None:
        """Nothing to close."""


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
