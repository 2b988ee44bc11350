"""What mlxlab ships keeps what every component owes, and its commands what commands owe."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable

import pytest

from mlxlab.core.entries import Entry, installed
from mlxlab.testing import CommandConformance, ComponentConformance, run_checks
from mlxlab.testing.components import load_apart
from mlxlab.testing.components.conformance import made_for
from mlxlab.testing.kit import checks_of
from mlxlab.testing.kit.declared import attributes_of

OWN = [entry for entry in installed() if entry.builtin]
KINDS = sorted({entry.kind for entry in OWN})
NEED_DATA = {
    "policy": {"litellm", "local", "openai", "replay", "vllm"},
    "task": {"folder", "kaggle", "mlagentbench", "mlebench", "mledojo", "mlgym"},
}
"""A model, a run, a key or a download, which tests of their own have."""
SPECS = {"weighted": "weighted:ml-agent=0.5,valid=0.5"}
HARMLESS = {"plugins", "policies", "runs", "sandboxes", "tasks"}
"""The commands that say with which words they may be run."""
run: Counter[str] = Counter()


@pytest.fixture(scope="module")
def loaded() -> None:
    """All of them, each in a process of its own that is forked from one."""
    points = [entry.entry_point for entry in OWN]
    seen = dict(zip(points, load_apart(points), strict=True))
    ComponentConformance.loadings.update(seen)
    CommandConformance.loadings.update(seen)


def suite(entry: Entry) -> type[ComponentConformance]:
    named = {"kind": entry.kind, "spec": SPECS.get(entry.name, entry.name)}
    return type("Own", (ComponentConformance,), named)


@pytest.mark.parametrize("kind", KINDS)
def test_components_conform(loaded: None, kind: str) -> None:
    failed = []
    for entry in OWN:
        if entry.kind == kind:
            needs = entry.name in NEED_DATA.get(kind, ())
            without = made_for(kind, suite(entry).target()) if needs else ()
            results = list(run_checks(suite(entry), without=without))
            run[kind] += len(results)
            failed += [(entry.name, *result) for result in results if result.outcome != "ok"]
    assert failed == []


@pytest.mark.parametrize("name", sorted(entry.name for entry in OWN if entry.kind == "command"))
def test_commands_conform(loaded: None, name: str) -> None:
    (entry,) = (each for each in OWN if (each.kind, each.name) == ("command", name))
    said = attributes_of(entry.entry_point.load(), CommandConformance)
    assert ("arguments" in said) == (name in HARMLESS)
    results = list(run_checks(type("Own", (CommandConformance,), {"name": name, **said})))
    run["of commands"] += len(results)
    assert [result for result in results if result.outcome != "ok"] == []


def test_what_needs_data_is_only_what_cannot_be_made_without() -> None:
    for entry in OWN:
        if entry.name in NEED_DATA.get(entry.kind, ()):
            assert inspect.isclass(suite(entry).target())
            (result,) = run_checks(suite(entry), without=but("record_makes_it_again"))
            assert result.outcome == "FAILED" and "needs a" in result.cause, (entry.name, result)


def but(name: str) -> set[str]:
    return {check.id for check in checks_of(ComponentConformance)} - {f"component.{name}"}


def test_how_much_was_checked(record_property: Callable[[str, object], None]) -> None:
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(run.items()))
    record_property("conformance", f"checks of what is built in: {told}")
