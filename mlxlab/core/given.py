"""Components that are given as Python objects, in the place of a spec.

An object cannot be made again from the record, so its spec only says which one it was:
`python:module.Class`, or `python:name` where the user names it. A resumed run needs it again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any, TypeGuard

from pydantic import BaseModel

from mlxlab.core.entries import Entry
from mlxlab.core.errors import UsageError
from mlxlab.core.near import misspelt
from mlxlab.core.policy import Policy
from mlxlab.core.records import ComponentRef
from mlxlab.core.registry import PYTHON, Component, Registry
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.spec import Spec
from mlxlab.core.task import Task
from mlxlab.core.trainer import Trainer

PROTOCOLS: dict[str, type] = {
    "task": Task,
    "scaffold": Scaffold,
    "policy": Policy,
    "sandbox": Sandbox,
    "reward": Reward,
    "trainer": Trainer,
}


class Given(Registry):
    """The installed components and, for one run, objects of the caller's own."""

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__(entries)
        self._objects: dict[tuple[str, str], object] = {}

    def add(self, kind: str, thing: object, name: str | None = None) -> str:
        """Take an object in; returns the spec that stands for it.

        A sandbox may also be a class or a function that makes one, since each worker needs its
        own.

        Raises:
            UsageError: it does not do what its kind has to do, or its name is taken.
        """
        _check(kind, thing)
        spec = str(Spec(name=PYTHON, argument=name or _qualified(thing)))
        if self._objects.setdefault((kind, spec), thing) is not thing:
            raise UsageError(
                f"Two objects of the kind {kind} are called '{spec}'.",
                "Name them: rewards={'first': ..., 'second': ...}",
            )
        return spec

    def create(self, kind: str, spec: str | Spec) -> Component[Any]:
        """The object that was given, or else what the spec makes; see `Registry.create`."""
        thing = self._objects.get((kind, str(spec)))
        if thing is None:
            return super().create(kind, spec)
        made = thing() if kind == "sandbox" and _makes(thing) else thing
        whole = Spec.parse(str(spec)).argument or ""
        named = whole != _qualified(thing)
        ref = ComponentRef(
            kind=kind,
            name=whole if named else _source(thing).__name__,
            spec=str(spec),
            version=_origin(_source(thing).__module__),
            config={"class": _qualified(thing)} if named else {},
        )
        return Component(made, ref)


def single(kind: str, thing: object) -> bool:
    """Whether an object can serve one worker only."""
    return kind == "sandbox" and not isinstance(thing, str) and not _makes(thing)


def _makes(thing: object) -> TypeGuard[Callable[..., Any]]:
    return inspect.isclass(thing) or inspect.isroutine(thing)


def _check(kind: str, thing: object) -> None:
    protocol = PROTOCOLS[kind]
    if kind == "sandbox" and _makes(thing):
        return
    called = f"{_qualified(thing)} is no {kind}"
    if inspect.isclass(thing):
        raise UsageError(f"{called}: it is a class.", f"Give an instance: {thing.__name__}(...)")
    if lacking := missing(kind, thing):
        raise UsageError(
            f"{called}: it has no {', no '.join(lacking)}.",
            misnamed(kind, lacking, thing)
            or f"What a {kind} has to do stands in {protocol.__module__}.{protocol.__name__}.",
        )


def missing(kind: str, thing: object) -> list[str]:
    """What a component lacks of what its kind has to have."""
    return absent(_members(PROTOCOLS[kind]), thing)


def lacked(kind: str, thing: object) -> str:
    """What a component lacks, and what may be meant for it; empty: nothing.

    `a scaffold has to have: parse. It has 'parze': did you mean 'parse'?`
    """
    lacking = missing(kind, thing)
    told = f"a {kind} has to have: {', '.join(lacking)}"
    hint = misnamed(kind, lacking, thing)
    return (f"{told}. {hint}" if hint else told) if lacking else ""


def misnamed(kind: str, lacking: Iterable[str], thing: object) -> str:
    """Which names of its own may be meant for what a component lacks; empty: none."""
    return misspelt(lacking, {*dir(type(thing))} - _members(PROTOCOLS[kind]) - {*dir(BaseModel)})


def absent(names: Iterable[str], thing: object) -> list[str]:
    """Which of these attributes a component lacks; properties are not asked for."""
    here = {*dir(type(thing)), *getattr(thing, "__dict__", ())}
    return [name for name in sorted({*names} - here) if not hasattr(thing, name)]


def _members(protocol: type) -> set[str]:
    own = {name for name in vars(protocol) if not name.startswith("_")}
    return own | set(inspect.get_annotations(protocol))


def _source(thing: object) -> Callable[..., Any]:
    """The class or function that an object comes from."""
    return thing if _makes(thing) else type(thing)


def _qualified(thing: object) -> str:
    source = _source(thing)
    return f"{source.__module__}.{source.__qualname__}"


def _origin(module: str) -> str:
    """The distribution that ships a module, with its version; without one the module's name."""
    package = module.partition(".")[0]
    # An editable installation does not list its packages: then the name is tried as it is.
    name = next(iter(_distributions().get(package, [])), package)
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"the module {module}"


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()
