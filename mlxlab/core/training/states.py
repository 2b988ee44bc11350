"""A decision that another action can be taken from, and what came of taking it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlxlab.core.actions import Action
from mlxlab.core.errors import RecordError
from mlxlab.core.records import Decision, Message, Observation, Probe, RewardValue
from mlxlab.core.runs import RunFolder
from mlxlab.core.task import TaskInfo


@dataclass(frozen=True)
class State:
    """A state of step-wise RL: s_t of ML-Agent's equation 4 (arXiv 2505.23723).

    Args:
        id: unique among the states of one training, `RUN/STEP` where it was recorded.
        task: the task's spec.
        info: the task as the agent was told it, ideas woven in.
        decision: what the scaffold decided; its prompt and its start state are those of the run.
        folder: the run that it was recorded in; None for a state of an episode that is not.
        said: the prompt where no run holds it.
        store: where the start state can be restored from; None where it is the clean one.
        own: whether this user recorded it: a stranger's task spec is not carried out.
    """

    id: str
    task: str
    info: TaskInfo
    decision: Decision
    folder: Path | None = None
    said: tuple[Message, ...] | None = None
    store: Path | None = None
    own: bool = True

    def messages(self) -> list[Message]:
        """The scaffold's prompt, exactly as it was sent; raises RecordError if it is gone."""
        if self.said is not None:
            return list(self.said)
        if self.folder is None or self.decision.prompt is None:
            raise RecordError(f"The state {self.id} holds no prompt.")
        return RunFolder(self.folder).prompt(self.decision.prompt)


@dataclass(frozen=True)
class Taken:
    """One sampled action, carried out from a state: what a trainer learns from.

    Args:
        action: None where the completion held none; `problem` says why.
        observation: what came of it, as an agent sees it.
        probe: the hidden run of the entrypoint after an edit, where the reward needs one.
        rewards: by the name of the reward's spec; a value may be None, with the reason.
        seconds: wall time of restoring, running, grading and probing; 0 where nothing was run.
        cached: whether an equal action had been carried out from an equal state before.
        failed: why there is no outcome: the sandbox's engine failed, or the state is gone.
            Then `observation` is None and `rewards` is empty.
        key: finds the private score, which reports may ask for and trainers may not.
        next_state: where the workspace was kept; None where it was not asked for.
    """

    action: Action | None
    observation: Observation | None
    probe: Probe | None = None
    rewards: Mapping[str, RewardValue] = field(default_factory=dict)
    problem: str = ""
    seconds: float = 0.0
    cached: bool = False
    failed: str = ""
    key: str = ""
    next_state: str | None = None

    @property
    def score(self) -> float | None:
        """The public score after the action, the probe's included."""
        if self.probe is not None and self.probe.status == "ok":
            return self.probe.score
        return self.observation.public_score if self.observation is not None else None
