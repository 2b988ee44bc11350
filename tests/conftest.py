"""With MLXLAB_TEST_ALL=1 a skipped test is a failed one: CI has every engine."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A shell's background job ignores interrupts, and so would everything that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Properties are about values: how long one example takes on a busy machine says nothing.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has no NVIDIA GPU")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: at the end, one of them would keep a single worker busy."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("MLXLAB_TEST_ALL"):
        report.outcome = "failed"
        report.longrepr = f"skipped although MLXLAB_TEST_ALL is set: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what suites caught: what passing tests print is not shown, nor what workers print."""
    passed = terminalreporter.getreports("passed")
    said = [told for each in passed for name, told in each.user_properties if name == "conformance"]
    if said:
        terminalreporter.section("conformance")
        for line in sorted(map(str, said)):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def folders_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests' prepared inputs, secret and config do not mix with the user's."""
    names = {"XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in names.items():
            patch.setenv(variable, str(tmp_path_factory.mktemp(name)))
        patch.setenv("MLXLAB_CONFIG", os.devnull)
        # pytest's worker processes say 80 columns, and terminals are as wide as tests make them.
        patch.delenv("COLUMNS", raising=False)
        yield
