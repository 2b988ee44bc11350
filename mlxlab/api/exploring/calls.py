"""The calls of an exploration: made with a provider's patience, written before they are used."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random

from pydantic import Field

from mlxlab.core.account import Accounts
from mlxlab.core.boundary import whose
from mlxlab.core.clock import now
from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.jsonl import JsonlWriter, read_jsonl
from mlxlab.core.patience import Patience, Tries
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.provider import Provider
from mlxlab.core.records import SCHEMA, Completion, ComponentRef, Message, Record

NAME = "ideas.jsonl"


class IdeaCall(Record):
    """One line of ideas.jsonl; `completion` is None where the provider failed."""

    schema_version: int = Field(SCHEMA, alias="schema")
    task: str
    data_hash: str
    policy: str
    axis: str
    index: int
    seed: int
    messages: tuple[Message, ...]
    completion: Completion | None
    error: str | None
    started_at: datetime
    ended_at: datetime


class Calls:
    """Answers requests for ideas from the folder's record where it can, else from the policy."""

    def __init__(self, folder: Path, policy: Policy, ref: ComponentRef, seed: int) -> None:
        self.policy = policy
        self._spec = ref.spec
        self._seed = seed
        self._patience = Patience()
        self._provider = Provider(policy, ref, Accounts(self._patience).of(policy, whose(ref)))
        self._known: dict[tuple[str, str, int], IdeaCall] = {}
        for call in read_jsonl(folder / NAME, IdeaCall):
            self._refuse_other(call, folder)
            if call.completion is not None:
                self._known[call.data_hash, call.axis, call.index] = call
        self._writer = JsonlWriter(folder / NAME)

    async def answer(self, task: str, axis: str, index: int, request: PolicyRequest) -> Completion:
        """The answer to a task's call number `index` about an axis.

        Raises:
            PolicyError: the provider failed for longer than the patience; what was paid stays.
        """
        found = self._known.get((request.decision.data_hash, axis, index))
        if found is not None and found.completion is not None:
            return found.completion
        bounds = await self._provider.bounds(request)
        tries = Tries(Random(request.seed))
        while True:
            async with self._provider.turn(tries, bounds) as turn:
                answer = await self._tried(task, axis, index, request)
                judged = self._provider.judged(request, answer, tries, turn)
            if isinstance(judged, Completion):
                return judged
            if judged is not None:
                raise judged

    async def close(self) -> None:
        """Close the file and the policy."""
        self._writer.close()
        await self.policy.close()

    async def _tried(
        self, task: str, axis: str, index: int, request: PolicyRequest
    ) -> Completion | MlxError:
        started = now()
        answer: Completion | MlxError
        try:
            answer = await self._provider.answer(request, self._patience.try_s)
        except MlxError as error:
            answer = error
        completion = answer if isinstance(answer, Completion) else None
        line = IdeaCall(
            task=task,
            data_hash=request.decision.data_hash,
            policy=self._spec,
            axis=axis,
            index=index,
            seed=self._seed,
            messages=request.messages,
            completion=completion,
            error=None if completion is not None else str(answer),
            started_at=started,
            ended_at=now(),
        )
        self._writer.append(line, durable=True)
        return answer

    def _refuse_other(self, call: IdeaCall, folder: Path) -> None:
        if (call.policy, call.seed) != (self._spec, self._seed):
            raise UsageError(
                f"{folder} holds ideas of the policy '{call.policy}' with seed {call.seed}, not "
                f"of '{self._spec}' with seed {self._seed}.",
                "Name another folder with --out.",
            )
