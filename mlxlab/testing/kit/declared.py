"""What a component's class says for its suites: its gaps, and what a check has to know of it.

    conformance: ClassVar[Mapping[str, Any]] = {"seeded": True, "fields": of_its_run}

`mlx plugins check` reads it; a test class says the same by attributes of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mlxlab.core.near import nearest
from mlxlab.testing.kit.checks import Conformance, checks_of

CONFORMANCE = "conformance"
"""The name of the class attribute."""


def gaps_of(target: object, suite: type[Conformance]) -> dict[str, str]:
    """The checks of a suite that a component declares not to pass, with the reasons."""
    declared = getattr(target, "known_gaps", {})
    known = {check.id for check in checks_of(suite)}
    pairs = declared.items() if isinstance(declared, Mapping) else ()
    return {name: str(reason) for name, reason in pairs if name in known}


def attributes_of(target: object, suite: type[Conformance]) -> dict[str, Any]:
    """What a component gives its suite, as attributes of a subclass; what is wrong is left out.

    A function takes the place of a class method: it is called with the suite first.
    """
    declared = getattr(target, CONFORMANCE, {})
    if not isinstance(declared, Mapping):
        return {}
    return {
        name: classmethod(value) if _is_method(suite, name) else value
        for name, value in declared.items()
        if not _problem(suite, name, value)
    }


def problems_of(target: object, suite: type[Conformance] | None) -> list[str]:
    """What is wrong with a component's `conformance`, each in a few words."""
    declared = getattr(target, CONFORMANCE, {})
    if not isinstance(declared, Mapping):
        return [f"conformance is a {type(declared).__name__}, no dict"]
    if suite is None:
        return ["there is no suite of its kind that takes conformance"] if declared else []
    return [problem for pair in declared.items() if (problem := _problem(suite, *pair))]


def _problem(suite: type[Conformance], name: object, value: object) -> str:
    if name not in suite.declarable:
        known = ", ".join(sorted(suite.declarable)) or "nothing"
        near = nearest(str(name), suite.declarable)
        meant = f"; did you mean '{near}'?" if near else ""
        return f"conformance names {name!r}, and its suite knows {known}{meant}"
    if _is_method(suite, str(name)) and not callable(value):
        return f"conformance: {name} has to be a function that takes the suite"
    if isinstance(value, str) and _takes_words(suite, str(name)):
        return f"conformance: {name} is a str; write {tuple(value.split())}"
    return ""


def _takes_words(suite: type[Conformance], name: str) -> bool:
    """Whether an attribute is a tuple of words: a text would be taken letter by letter."""
    stated = (inspect.get_annotations(base).get(name, "") for base in suite.__mro__)
    return any("tuple[str, ...]" in str(each) for each in stated)


def _is_method(suite: type[Conformance], name: str) -> bool:
    return inspect.ismethod(getattr(suite, name, None))
