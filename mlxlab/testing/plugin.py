"""The pytest plugin `mlxlab`: installed with mlxlab, silent until something of it is used.

Fixtures `toy_task` and `left_as_found`; and each class that inherits from a conformance suite has
to leave environment, working folder, threads, processes and logging as it found them; `leaves`, a
tuple on the class, names variables and threads that a library leaves for good once it is used.
A check that finds an extra or an engine missing is skipped: it has found out nothing. So are the
others of a class once one of its suite's `basics`, which go first, has failed.
Where a check is a bare assertion pytest tells the values in it. Nothing of mlxlab is imported
before. `-p no:mlxlab` switches it off.
"""

from __future__ import annotations

import inspect
import pkgutil
import sys
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

from mlxlab import testing

if TYPE_CHECKING:
    from mlxlab.testing.found import Surroundings
    from mlxlab.testing.tasks import ToyTask

_KIT = "mlxlab.testing.kit.checks"
_BEGINS = "_xunit_setup_class_fixture"
"""What pytest calls the fixture that stands for setup_class and teardown_class."""
_BEFORE: pytest.StashKey[Surroundings] = pytest.StashKey()
Suite = tuple[type, str]
"""A class, and with which parameters its checks are made."""
_HELD: pytest.StashKey[dict[Suite, tuple[int, str]]] = pytest.StashKey()
"""By suite: from which of its basics on its checks wait, and why."""

_SUITES = {f"{testing.__name__}.{each.name}" for each in pkgutil.iter_modules(testing.__path__)}
pytest.register_assert_rewrite(*sorted(_SUITES - sys.modules.keys()))


@pytest.fixture
def toy_task() -> ToyTask:
    """A task small enough to do in the head."""
    from mlxlab.testing.tasks import ToyTask

    return ToyTask()


@pytest.fixture
def left_as_found() -> Iterator[None]:
    """Fail where a test changes environment, folder or logging, or leaves threads or processes."""
    from mlxlab.testing.found import left_as_found

    with left_as_found():
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> None:
    """Refuse a suite of which pytest would leave everything out, or that has a misspelt word.

    What others in its module inherit from, or says `__test__ = False`, is meant so. One that pytest
    does not take for a test class is refused where its name speaks of a test; else it is told.
    """
    if not (inspect.isclass(obj) and _is_suite(obj)):
        return
    others = [each for each in vars(collector.obj).values() if inspect.isclass(each)]
    base = any(issubclass(each, obj) for each in others if each is not obj)
    here = obj.__module__ == collector.obj.__name__ and getattr(obj, "__test__", True)
    if not here or base:
        return
    from mlxlab.testing.kit.classes import uncollected, unusable

    if collector.classnamefilter(name):
        if why := unusable(obj):
            raise collector.CollectError(why)
    elif "test" in name.casefold():
        raise collector.CollectError(uncollected(name))
    elif not inspect.isabstract(obj):
        collector.warn(pytest.PytestCollectionWarning(uncollected(name)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The basics of each suite before its other checks, in the places that its items have."""
    places: dict[Suite, list[int]] = {}
    for place, item in enumerate(items):
        if (suite := _suite(item)) is not None:
            places.setdefault(suite, []).append(place)
    for found in places.values():
        for place, item in zip(found, sorted((items[p] for p in found), key=_rank), strict=True):
            items[place] = item


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a check for which one of the basics is to be mended first."""
    suite = _suite(item)
    held = item.config.stash.get(_HELD, {}).get(suite) if suite else None
    if held is not None and _rank(item) > held[0]:
        pytest.skip(held[1])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the first of the basics that fails, and that it passed when it was tried again."""
    report = yield
    suite = _suite(item)
    if suite is not None:
        held = item.config.stash.setdefault(_HELD, {})
        if report.failed and call.excinfo and (why := _held(item)):
            held.setdefault(suite, (_rank(item), why))
        elif call.when == "call" and report.passed and held.get(suite, (None,))[0] == _rank(item):
            del held[suite]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> None:
    """Look around before a suite's setup_class."""
    if fixturedef.argname.startswith(_BEGINS) and _is_suite(request.cls):
        from mlxlab.testing.found import Surroundings

        request.node.stash[_BEFORE] = Surroundings.now()


def pytest_fixture_post_finalizer(fixturedef: Any, request: Any) -> None:
    """Look around again after its teardown_class."""
    before = request.node.stash.get(_BEFORE, None)
    if before is not None and fixturedef.argname.startswith(_BEGINS):
        del request.node.stash[_BEFORE]
        known = tuple(getattr(request.cls, "leaves", ()))
        if left := [each for each in before.settled() if not any(w in each for w in known)]:
            name = request.node.name
            pytest.fail(f"{name} left something behind: {'; '.join(left)}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Look around at each check of a suite that has no setup_class; skip one with parts absent."""
    cls = getattr(item, "cls", None)
    if not _is_suite(cls):
        yield
        return
    from mlxlab.testing.found import left_as_found
    from mlxlab.testing.kit.running import absent

    try:
        with nullcontext() if hasattr(cls, "setup_class") else left_as_found():
            yield
    except Exception as error:
        if lack := absent(error):
            pytest.skip(lack)
        raise


def _suite(item: pytest.Item) -> Suite | None:
    cls = getattr(item, "cls", None)
    return (cls, getattr(getattr(item, "callspec", None), "id", "")) if _is_suite(cls) else None


def _held(item: Any) -> str:
    """Why others wait where a check fails; empty: they do not."""
    from mlxlab.testing.kit.checks import checks_of, holds, waits_for

    for check in checks_of(item.cls):  # what a class adds otherwise is none
        if check.method == _name(item) and holds(item.cls, check, item.cls.gaps()):
            return waits_for(check.id)
    return ""


def _name(item: pytest.Item) -> str:
    """The name of the method that a test is."""
    return str(getattr(item, "originalname", item.name))


def _rank(item: Any) -> int:
    from mlxlab.testing.kit.checks import rank

    return rank(item.cls, _name(item))


def _is_suite(cls: Any) -> TypeGuard[type]:
    """Whether a class is a conformance suite; the kit is not imported to find out."""
    kit: Any = sys.modules.get(_KIT)
    return kit is not None and cls is not None and issubclass(cls, kit.Conformance)
