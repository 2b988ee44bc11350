"""The environments of many tasks, where trainers and evaluations take single actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from mlxlab.core.hooks import Hooks
from mlxlab.core.policy import Policy
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Packages
from mlxlab.core.training.cache import TransitionCache
from mlxlab.core.training.states import State, Taken


class Arena:
    """Takes single actions from recorded states: parse, restore, run, grade, probe, reward.

    It has an event loop in a thread of its own, so that any thread may submit. Equal actions from
    equal states are carried out once. What was carried out before is judged anew for each state.

    Args:
        rewards: by the name that `Taken.rewards` gives their values.
        sandbox: the spec of the sandbox that actions run in, whatever the runs were recorded with.
        workers: executions at one time; by default one for each processor.
        cache: what was carried out before; None executes everything.
        editor: who carries out edits that a scaffold delegates; None: such edits fail.
        exec_timeout_s: seconds of one execution; None: as each decision says.
        keep_states: whether the workspace after an action is kept, for episodes of several steps.
        folder: where sandboxes work and states are kept; a temporary folder by default.
    """

    def __init__(
        self,
        rewards: Mapping[str, Reward],
        *,
        sandbox: str = "local",
        workers: int | None = None,
        cache: TransitionCache | None = None,
        editor: Policy | None = None,
        exec_timeout_s: float | None = None,
        keep_states: bool = False,
        folder: Path | None = None,
        registry: Registry | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        raise NotImplementedError

    def submit(self, state: State, completion: Completion) -> Future[Taken]:
        """Parse and carry out one completion; the future never fails for what an engine does."""
        raise NotImplementedError

    def take(self, states: Sequence[State], completions: Sequence[Completion]) -> list[Taken]:
        """Carry out one completion for each state and wait for all of them, in their order."""
        raise NotImplementedError

    def packages(self, state: State) -> Packages:
        """What code finds in the sandbox of a state's task."""
        raise NotImplementedError

    def private_score(self, taken: Taken) -> float | None:
        """The private score of what was taken: for reports alone, never for a trainer."""
        raise NotImplementedError

    def close(self) -> None:
        """Close every sandbox and end the thread; a second call does nothing."""
        raise NotImplementedError
