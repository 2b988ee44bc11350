"""From a completion to an action, by the scaffold whose prompt it answers."""

from __future__ import annotations

import threading
import traceback

from pydantic import TypeAdapter, ValidationError

from mlxlab.core.actions import Action
from mlxlab.core.records import Completion, Decision
from mlxlab.core.refusals import unusable
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import Ask, Formed, Scaffold

_ACTION: TypeAdapter[Action] = TypeAdapter(Action)


class Reader:
    """Has scaffolds read answers; each is made once, of the spec that decisions hold.

    No further call is made for an answer that holds no action, as a Runner would: what the policy
    wrote is what is learned from.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._scaffolds: dict[str, Scaffold] = {}
        self._lock = threading.Lock()

    def read(self, decision: Decision, completion: Completion) -> tuple[Action | None, str]:
        """The action, or None and why there is none.

        Raises:
            MlxError: the decision's scaffold cannot be made here.
        """
        if completion.action is not None:
            return completion.action, ""
        scaffold = self.scaffold(decision.scaffold.spec)
        try:
            if completion.fields is not None and isinstance(scaffold, Formed):
                text = scaffold.written(decision, completion.fields)
                completion = completion.model_copy(update={"text": text})
            read: object = scaffold.parse(decision, completion)
            if isinstance(read, Ask):
                return None, unusable(completion, read.reason)
            return _ACTION.validate_python(read), ""
        except ValidationError:
            return None, f"The scaffold '{decision.scaffold.name}' read no action out of it."
        except Exception as error:
            cause = traceback.format_exception_only(error)[-1].strip()
            return None, f"The scaffold '{decision.scaffold.name}' failed on it: {cause}."

    def scaffold(self, spec: str) -> Scaffold:
        """The scaffold of a spec, made when it is first asked for."""
        with self._lock:
            if spec not in self._scaffolds:
                self._scaffolds[spec] = self._registry.create("scaffold", spec).instance
            return self._scaffolds[spec]
