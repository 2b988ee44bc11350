"""From a completion to an action, by the scaffold whose prompt it answers."""

from __future__ import annotations

import threading

from pydantic import TypeAdapter, ValidationError

from mlxlab.core.actions import Action
from mlxlab.core.boundary import Boundary, whose
from mlxlab.core.choices import text_of
from mlxlab.core.errors import MlxError
from mlxlab.core.records import Completion, Decision
from mlxlab.core.refusals import unusable
from mlxlab.core.registry import Component, Registry
from mlxlab.core.scaffold import Ask, Formed, Scaffold

_ACTION: TypeAdapter[Action] = TypeAdapter(Action)


class Reader:
    """Has scaffolds read answers; each is made once, of the spec that decisions hold.

    No further call is made for an answer that holds no action, as a Runner would: what the policy
    wrote is what is learned from.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._scaffolds: dict[str, Component[Scaffold]] = {}
        self._lock = threading.Lock()

    def read(self, decision: Decision, completion: Completion) -> tuple[Action | None, str]:
        """The action, or None and why there is none.

        Raises:
            MlxError: the decision's scaffold cannot be made here.
        """
        if completion.action is not None:
            return completion.action, ""
        made = self._made(decision.scaffold.spec)
        scaffold, who = made.instance, whose(made.ref)
        try:
            if completion.fields is not None and isinstance(scaffold, Formed):
                with Boundary(who, "written"):
                    written: object = scaffold.written(decision, completion.fields)
                text = text_of(who, "written", written)
                completion = completion.model_copy(update={"text": text})
            with Boundary(who, "parse"):
                read: object = scaffold.parse(decision, completion)
        except MlxError as error:
            return None, error.message
        if isinstance(read, Ask):
            return None, unusable(completion, read.reason)
        try:
            return _ACTION.validate_python(read), ""
        except ValidationError:
            return None, f"{who} read no action out of it."

    def _made(self, spec: str) -> Component[Scaffold]:
        """The scaffold of a spec, made when it is first asked for."""
        with self._lock:
            if spec not in self._scaffolds:
                self._scaffolds[spec] = self._registry.create("scaffold", spec)
            return self._scaffolds[spec]
