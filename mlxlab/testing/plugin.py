"""The pytest plugin `mlxlab`: installed with mlxlab, silent until something of it is used.

Fixtures `toy_task` and `left_as_found`; and each class that inherits from a conformance suite has
to leave environment, working folder, threads, processes and logging as it found them. Nothing of
mlxlab is imported before. `-p no:mlxlab` switches it off.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mlxlab.testing.found import Surroundings
    from mlxlab.testing.tasks import ToyTask

_KIT = "mlxlab.testing.kit.checks"
_BEFORE: pytest.StashKey[tuple[type, Surroundings]] = pytest.StashKey()


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
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look around before the first check of a suite."""
    suite = _suite(item)
    known = item.session.stash.get(_BEFORE, None)
    if suite is not None and (known is None or known[0] is not suite):
        from mlxlab.testing.found import Surroundings

        item.session.stash[_BEFORE] = suite, Surroundings.now()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Look around again after its last one."""
    yield
    suite = _suite(item)
    if suite is None or (nextitem is not None and _suite(nextitem) is suite):
        return
    _, before = item.session.stash[_BEFORE]
    del item.session.stash[_BEFORE]
    if left := before.settled():
        pytest.fail(f"{suite.__name__} left something behind: {'; '.join(left)}", pytrace=False)


def _suite(item: pytest.Item) -> type | None:
    """The item's class where it is a conformance suite; the kit is not imported to find out."""
    kit: Any = sys.modules.get(_KIT)
    cls = getattr(item, "cls", None)
    return cls if kit is not None and cls is not None and issubclass(cls, kit.Conformance) else None
