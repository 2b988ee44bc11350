"""With MLXLAB_TEST_ALL=1 a skipped test is a failed one: CI has every engine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Properties are about values: how long one example takes on a busy machine says nothing.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("MLXLAB_TEST_ALL"):
        report.outcome = "failed"
        report.longrepr = f"skipped although MLXLAB_TEST_ALL is set: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Prepared inputs of the tests do not mix with the user's."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before
