"""`mlx plugins check`: the suites, in processes that may hang or end."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Place, distribution

FLAWED = """
import os, time
print("hello")
known_gaps = {
    "command.loads_quietly": "it greets",
    "component.loads_alone": "it greets",
    "command.has_configure_and_run": "there was none once",
}

def configure(parser):
    parser.description = "Do as it likes."
    parser.error = lambda message: time.sleep(600)
    parser.print_help = lambda *_: os._exit(9)

def run(args):
    return 0
"""

ODD = """
import sys

class Leaving:
    'Ends the program where it should judge.'
    needs = frozenset()
    range = (0.0, 1.0)
    known_gaps = {"reward.repeats": "that is what it does", "sandbox.memory": "no engine"}

    def judge(self, step, task):
        sys.exit(3)

class Closed:
    'Cannot be opened.'
    isolation = None

    async def open(self, setup):
        raise OSError("no room\\nanywhere")
"""


@pytest.fixture
def flawed(place: Place) -> Place:
    place.module("flawedparts", FLAWED)
    distribution(place.site, "flawed-parts", {"command.flawed": "flawedparts"})
    return place


def test_a_check_that_hangs_or_ends_its_process_costs_itself(flawed: Place) -> None:
    done = flawed.mlx("plugins", "check", "flawed", "--json", "--timeout", "20s")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    (one,) = found["components"]
    checks = {each["id"]: each for each in one["checks"]}
    failed = {name: each["cause"] for name, each in checks.items() if each["outcome"] == "FAILED"}
    assert failed == {
        "command.has_configure_and_run": "a known gap (there was none once) that passes: take it "
        "out of known_gaps",
        "command.help_says_what_it_does": "it ended the process with status 9: hello",
        "command.wrong_option_is_refused": "it took longer than 20 s",
        "component.is_described": "flawedparts has no docstring",
    }
    gaps = {name for name, each in checks.items() if each["outcome"] == "gap"}
    assert gaps == {"command.loads_quietly", "component.loads_alone"}
    assert checks["command.configure_only_declares"]["outcome"] == "ok"
    assert found["counts"] == {"ok": len(checks) - 6, "gap": 2, "FAILED": 4}
    assert (one["kind"], one["distribution"], one["ok"]) == ("command", "flawed-parts", False)


def test_gaps_that_nobody_checks_exits_and_failing_setups_are_told_in_a_line(place: Place) -> None:
    place.module("oddparts", ODD)
    parts = {"reward.leaving": "oddparts:Leaving", "sandbox.closed": "oddparts:Closed"}
    distribution(place.site, "odd-parts", parts)
    done = place.mlx("plugins", "check", "odd-parts", "--json")
    assert done.returncode == 1, done.stderr
    leaving, closed = json.loads(done.stdout)["components"]
    causes = {each["id"]: each["cause"] for each in leaving["checks"]}
    unknown = "known_gaps names no check: reward.repeats, sandbox.memory"
    assert causes["component.known_gaps_are_checks"] == unknown
    ended = [name for name, cause in causes.items() if cause == "SystemExit: 3"]
    assert len(ended) > 5, causes
    last = closed["checks"][-1]
    assert (last["id"], last["outcome"]) == ("sandbox", "FAILED")
    assert last["cause"] == "it cannot be set up: OSError: no room anywhere"


def test_what_cannot_be_made_here_says_so_and_is_checked_as_far_as_it_goes(place: Place) -> None:
    done = place.mlx("plugins", "check", "policy.local")
    assert done.returncode == 0, done.stdout
    assert "Not made here: policy 'local' needs a path." in done.stdout
    assert "component.is_described" in done.stdout
    assert "component.parts_are_there" not in done.stdout and "policy." not in done.stdout[20:]


def test_a_whole_spec_is_made_with_its_options(place: Place) -> None:
    done = place.mlx("plugins", "check", "toy-parts::constant", "--json")
    (one,) = json.loads(done.stdout)["components"]
    assert (one["spec"], one["not_checked"]) == ("toy-parts::constant", None)
    assert {each["id"].partition(".")[0] for each in one["checks"]} == {
        "loads",
        "component",
        "reward",
    }
    done = place.mlx("plugins", "check", "suite.builtin?part=train")
    assert done.returncode == 0, done.stdout
    assert "suite builtin?part=train" in done.stdout
    assert "0 gap, 0 FAILED of 13 checks." in done.stdout


def test_a_kind_that_it_is_not(place: Place) -> None:
    done = place.mlx("plugins", "check", "flights", "--kind", "policy")
    assert done.returncode == 2
    assert "'flights' is no policy. It is: task." in done.stderr
