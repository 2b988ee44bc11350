"""`mlx plugins check`: the suites, in processes that may hang or end."""

from __future__ import annotations

import json

import pytest

from mlxlab.testing import ScaffoldConformance
from mlxlab.testing.kit import checks_of
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

from mlxlab.testing import MemorySandbox

class Leaving:
    'Ends the program where it should judge.'
    needs = frozenset()
    range = (0.0, 1.0)
    known_gaps = {"reward.repeats": "that is what it does", "sandbox.memory": "no engine"}

    def judge(self, step, task):
        sys.exit(3)

class Closed(MemorySandbox):
    'Cannot be opened.'

    def __init__(self):
        super().__init__(lambda script, files: None)

    async def open(self, setup):
        raise OSError("no room\\nanywhere")
"""

KNOWN = """
class Greet:
    'Greets whom it is told to.'
    conformance = {"arguments": ("you",)}

    @staticmethod
    def configure(parser):
        parser.description = "Greet."
        parser.add_argument("whom", help="who is greeted")

    @staticmethod
    def run(args):
        print("hello", args.whom)
        return 0

class Shy:
    'Says how well a step ended.'
    needs = frozenset()
    range = (0.0, 1.0)
    conformance = {"mood": "good", "cases": 5}

    def judge(self, step, task):
        from mlxlab.core.records import RewardValue
        return RewardValue(value=0.5, reason="it is shy")
"""
NOT_HERE = """
from typing import ClassVar
from mlxlab.core.errors import MissingExtra, UsageError
from mlxlab.core.records import RewardValue

class Half:
    'Ends the program where it should judge.'
    needs = frozenset()
    range = (0.0, 1.0)

    def judge(self, step, task):
        import os
        os._exit(0)

class Lacking(Half):
    'Needs a package as soon as it judges.'
    known_gaps: ClassVar = {"reward.says_the_same_again": "it does not"}

    def judge(self, step, task):
        raise MissingExtra("judging", "judges")

class Unmade(Half):
    'Is never to be had.'

    def __init__(self):
        raise UsageError("The moon is not full.", "Wait.")

class Declaring(Half):
    'Says of itself what its suite has to know, and what it does not keep.'
    known_gaps: ClassVar = {"reward.copes_with_anything": "it is shy"}
    conformance: ClassVar = {"mood": "good"}

    def judge(self, step, task):
        from mlxlab.core.records import RewardValue
        if step.observation.public_score == 0.9:
            raise KeyError(step)
        return RewardValue(value=0.5, reason="it is shy")

def made():
    'Makes it.'
    return Declaring()
"""
RUN = "command.run_returns_a_status"


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
        "component.is_described": "flawedparts has no docstring (at flawedparts.py)",
    }
    gaps = {name for name, each in checks.items() if each["outcome"] == "gap"}
    assert gaps == {"command.loads_quietly", "component.loads_alone"}
    assert checks["command.configure_only_declares"]["outcome"] == "ok"
    counts = {"ok": len(checks) - 6, "gap": 2, "FAILED": 4, "not_checked": 2}
    assert found["counts"] == counts
    assert set(one["not_checked"]) == {"command.json_is_all_of_stdout", RUN}
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
    assert causes["component.known_gaps_are_checks"] == f"{unknown} (at oddparts.py:6)"
    ended = [name for name, cause in causes.items() if cause == "SystemExit: 3"]
    assert ended == ["reward.has_something_to_say"], "the others wait"
    assert len(leaving["not_checked"]) > 20
    last = closed["checks"][-1]
    assert (last["id"], last["outcome"]) == ("sandbox", "FAILED")
    assert last["cause"] == "it cannot be set up: OSError: no room anywhere"
    assert last["at"] == "oddparts.py:22"
    assert len(closed["not_checked"]) > 50, "the checks that were to come"
    assert set(closed["not_checked"].values()) == {last["cause"]}


def test_what_cannot_be_made_here_says_so_and_is_checked_as_far_as_it_goes(place: Place) -> None:
    done = place.mlx("plugins", "check", "policy.local")
    assert done.returncode == 0, done.stdout
    *_, told, total = done.stdout.splitlines()
    count, _, why = told.strip().partition(" not checked: ")
    assert int(count) > 30 and why.startswith("policy 'local' needs a path.")
    assert f"0 FAILED of 10 checks; {count} not checked (policy 'local' needs a path." in total
    assert total.endswith("Not put to the checks of its kind: policy local.")
    assert "component.is_described" in done.stdout
    assert "component.parts_are_there" not in done.stdout and "\n  policy." not in done.stdout


def test_a_whole_spec_is_made_with_its_options(place: Place) -> None:
    done = place.mlx("plugins", "check", "toy-parts::constant", "--json")
    (one,) = json.loads(done.stdout)["components"]
    assert (one["spec"], one["not_checked"]) == ("toy-parts::constant", {})
    assert {each["id"].partition(".")[0] for each in one["checks"]} == {
        "loads",
        "component",
        "reward",
    }
    done = place.mlx("plugins", "check", "suite.builtin?part=train")
    assert done.returncode == 0, done.stdout
    assert "suite builtin?part=train" in done.stdout
    assert "0 gap, 0 FAILED of 15 checks." in done.stdout


def test_a_class_says_what_its_suite_has_to_know(place: Place) -> None:
    place.module("knownparts", KNOWN)
    parts = {"command.greet": "knownparts:Greet", "reward.shy": "knownparts:Shy"}
    distribution(place.site, "known-parts", parts)
    done = place.mlx("plugins", "check", "known-parts", "--json")
    greet, shy = json.loads(done.stdout)["components"]
    failed = [{c["id"]: c["cause"] for c in one["checks"] if c["cause"]} for one in (greet, shy)]
    assert RUN in {each["id"] for each in greet["checks"]} and greet["not_checked"] == {}
    assert failed[0] == {}
    assert failed[1] == {
        "component.conformance_is_its_suites": "conformance names 'mood', and its suite knows "
        "cases; conformance: cases has to be a function that takes the suite (at knownparts.py:16)"
    }


def test_what_loading_does_to_the_environment_is_seen(place: Place) -> None:
    place.module("envparts", f"import os\nos.environ['ENVPARTS'] = '1'\n{KNOWN}")
    distribution(place.site, "env-parts", {"reward.shy": "envparts:Shy"})
    done = place.mlx("plugins", "check", "shy", "--only", "component.loads_alone")
    assert "loading it changes something: " in done.stdout and "ENVPARTS" in done.stdout


def test_words_that_are_given_as_a_text_are_told(place: Place) -> None:
    place.module("wordparts", KNOWN.replace('("you",)', '"--json"'))
    distribution(place.site, "word-parts", {"command.greet": "wordparts:Greet"})
    done = place.mlx("plugins", "check", "greet")
    told = "FAILED conformance: arguments is a str; write ('--json',) (at wordparts.py:"
    assert told in done.stdout and "- - j s o n" not in done.stdout


def test_what_is_for_another_interface_fails_in_a_line(place: Place) -> None:
    place.module("futureparts", "raise SystemExit('imported')\n")
    distribution(place.site, "future-parts", {"reward.future": "futureparts:Future"})
    (info,) = place.site.glob("future_parts-*.dist-info")
    points = info / "entry_points.txt"
    points.write_text(points.read_text() + "\n[mlxlab.api]\n2 = futureparts\n")
    done = place.mlx("plugins", "check", "future", "--json")
    (one,) = json.loads(done.stdout)["components"]
    ((name, outcome, cause),) = [(c["id"], c["outcome"], c["cause"]) for c in one["checks"]]
    assert (name, outcome, done.returncode) == ("loads", "FAILED", 1)
    assert "needs the plugin API 2, and this mlxlab" in cause and "\n" not in cause


@pytest.fixture
def partly(place: Place) -> Place:
    place.module("partparts", NOT_HERE)
    names = {"leaving": "Half", "lacking": "Lacking", "unmade": "Unmade", "made": "made"}
    parts = {f"reward.{name}": f"partparts:{target}" for name, target in names.items()}
    distribution(place.site, "part-parts", parts)
    return place


def test_what_nothing_was_found_out_of_is_not_called_sound(partly: Place) -> None:
    done = partly.mlx("plugins", "check", "unmade", "--json", "--strict")
    (one,) = json.loads(done.stdout)["components"]
    assert (one["ok"], done.returncode) == (None, 1), done.stderr
    assert set(one["not_checked"].values()) == {"The moon is not full. Wait."}
    assert partly.mlx("plugins", "check", "unmade").returncode == 0
    assert partly.mlx("plugins", "check", "valid", "--strict").returncode == 0


def test_what_a_check_misses_here_is_no_failure(partly: Place) -> None:
    done = partly.mlx("plugins", "check", "lacking", "--json")
    (one,) = json.loads(done.stdout)["components"]
    failed = {each["id"] for each in one["checks"] if each["outcome"] == "FAILED"}
    assert failed <= {"reward.is_the_same_in_a_fresh_process"}, "another process tells no cause"
    why = "judging needs packages that are not installed. Install them with: pip install"
    assert one["not_checked"]["reward.copes_with_anything"].startswith(why)
    assert "reward.says_the_same_again" in one["not_checked"], "a gap was not tried either"


def test_an_end_without_a_word_is_told_as_the_cause(partly: Place) -> None:
    done = partly.mlx("plugins", "check", "leaving", "--json")
    (one,) = json.loads(done.stdout)["components"]
    failed = [each["cause"] for each in one["checks"] if each["outcome"] == "FAILED"]
    assert failed == ["it ended the process with status 0"]
    assert len(one["not_checked"]) > 20, "what comes after the first one waits"


def test_what_a_function_makes_declares_its_gaps(partly: Place) -> None:
    done = partly.mlx("plugins", "check", "reward.made", "--json")
    (one,) = json.loads(done.stdout)["components"]
    checks = {each["id"]: (each["outcome"], each["cause"]) for each in one["checks"]}
    assert checks["reward.copes_with_anything"] == ("gap", "it is shy")
    assert "'mood'" in checks["component.conformance_is_its_suites"][1]
    shown = partly.mlx("plugins", "show", "reward.made")
    assert "reward.copes_with_anything\n    it is shy" in shown.stdout, shown.stderr


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("aide?nosuch=1", "scaffold 'aide' has no option 'nosuch'."),
        ("valid:5", "reward 'valid' takes no argument, but got '5'."),
        ("command.run?steps=1", "command 'run' takes no argument and no options."),
    ],
)
def test_an_option_that_it_does_not_take_is_the_users_error(
    place: Place, word: str, said: str
) -> None:
    done = place.mlx("plugins", "check", word)
    assert done.returncode == 2
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_a_preset_is_written_with_its_kind_as_well(place: Place) -> None:
    done = place.mlx("plugins", "check", "policy.deepseek-r1", "--load")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("policy litellm:deepseek-r1  mlxlab")


def test_a_kind_that_it_is_not(place: Place) -> None:
    done = place.mlx("plugins", "check", "flights", "--kind", "policy")
    assert done.returncode == 2
    assert "'flights' is no policy. It is: task." in done.stderr


RAISING = """
class Raising:
    'Has no luck.'
    needs = frozenset()
    range = (0.0, 1.0)

    def judge(self, step, task):
        from mlxlab.core.records import RewardValue
        if len(step.observation.stdout) > 100:
            raise ValueError("no luck")
        return RewardValue(value=0.5, reason="luck")
"""


def test_the_same_cause_is_told_once_to_people_and_each_time_in_json(place: Place) -> None:
    place.module("raising", RAISING)
    distribution(place.site, "raising-parts", {"reward.raising": "raising:Raising"})
    done = place.mlx("plugins", "check", "raising")
    cause = "judge raises ValueError: no luck"
    lines = done.stdout.splitlines()
    assert sum(f"FAILED {cause}, for run_" in line for line in lines) == 1
    (more,) = (line for line in lines if "same cause" in line)
    assert more.endswith(f" more FAILED: same cause ({cause}); --json names them")
    whole = json.loads(place.mlx("plugins", "check", "raising", "--json").stdout)
    checks = whole["components"][0]["checks"]
    same = [each for each in checks if each["cause"].startswith(cause)]
    assert int(more.split()[0]) == len(same) - 1 > 5
    assert f"{whole['counts']['FAILED']} FAILED of" in done.stdout


INSIDE = """
from outerparts.inner import number


class Nested:
    'Asks another module of its package.'
    needs = frozenset()
    range = (0.0, 1.0)

    def judge(self, step, task):
        return number(step)
"""


HALF = """
class Half:
    'A policy that has nothing but act.'

    def act(self, request):
        return 3


class Bare:
    'A policy whose parameter says nothing.'

    def __init__(self, config):
        self.config = config

class Whole(Half):
    'Answers with a number.'

    async def act(self, request):
        return 3

    async def close(self):
        pass


class Sync(Whole):
    'Is not async.'

    def act(self, request):
        return 3
"""
GRADED = """
from mlxlab.testing import ToyTask


class Grader:
    def grade(self, submission):
        return 3.0


class Marked(ToyTask):
    'Grades with a number.'

    def grader(self):
        return Grader()
"""


def test_what_lacks_parts_is_put_to_no_more_checks_and_told_where_it_is(place: Place) -> None:
    place.module("halfparts", HALF)
    distribution(place.site, "half-parts", {"policy.half": "halfparts:Half"})
    done = place.mlx("plugins", "check", "half", "--json")
    assert done.returncode == 1
    (one,) = json.loads(done.stdout)["components"]
    failed = {each["id"]: each["cause"] for each in one["checks"] if each["outcome"] == "FAILED"}
    assert failed["component.parts_are_there"].endswith(" (at halfparts.py:2)")
    assert "act (halfparts.py:5): " in failed["component.signatures_are_the_protocols"]
    assert "close" not in failed["component.signatures_are_the_protocols"], "it is told once"
    assert not [name for name in failed if name.startswith("policy.")]
    left = {name for name in one["not_checked"] if name.startswith("policy.")}
    assert len(left) > 20
    assert "parts_are_there comes first" in place.mlx("plugins", "check", "half").stdout


def test_where_a_method_is_not_as_it_has_to_be_the_suite_waits(place: Place) -> None:
    place.module("halfparts", HALF)
    distribution(place.site, "half-parts", {"policy.half": "halfparts:Sync"})
    (one,) = json.loads(place.mlx("plugins", "check", "half", "--json").stdout)["components"]
    (failed,) = (each for each in one["checks"] if each["outcome"] == "FAILED")
    assert failed["cause"].startswith("act (halfparts.py:28): it is not async; expected async def")
    assert len([name for name in one["not_checked"] if name.startswith("policy.")]) > 20


def test_a_value_that_is_wrong_is_told_with_its_method(place: Place) -> None:
    place.module("halfparts", HALF)
    distribution(place.site, "half-parts", {"policy.half": "halfparts:Whole"})
    (only,) = json.loads(place.mlx("plugins", "check", "half", "--json").stdout)["components"]
    wrong = [each for each in only["checks"] if "act returned int" in each["cause"]]
    assert wrong and {each["at"] for each in wrong} == {"halfparts.py:18"}


PROPOSES = """
from mlxlab.scaffolds.linear import Linear

class Silent(Linear):
    'Proposes nothing.'

    def propose(self, tree, rng):
        {does}
"""


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("return None", "propose returns NoneType at the moment 'nothing recorded'"),
        ("1 / 0", "propose raises ZeroDivisionError: division by zero at the moment 'nothing"),
        ("import os; os._exit(3)", "it ended the process with status 3"),
    ],
)
def test_one_failed_basic_check_holds_the_others(place: Place, does: str, told: str) -> None:
    place.module("silent", PROPOSES.format(does=does))
    distribution(place.site, "silent-parts", {"scaffold.silent": "silent:Silent"})
    (one,) = json.loads(place.mlx("plugins", "check", "silent", "--json").stdout)["components"]
    (failed,) = (each for each in one["checks"] if each["outcome"] == "FAILED")
    assert failed["id"] == "scaffold.begins_with_a_decision"
    assert failed["cause"].startswith(told)
    left = {name for name in one["not_checked"] if name.startswith("scaffold.")}
    assert len(left) == len(checks_of(ScaffoldConformance)) - 1
    assert set(one["not_checked"].values()) == {f"{failed['id']} comes first: it failed"}


def test_a_basic_check_that_is_a_known_gap_holds_nobody(place: Place) -> None:
    text = PROPOSES.format(does="import os; os._exit(3)")
    text += '    known_gaps = {"scaffold.begins_with_a_decision": "it is shy"}\n'
    place.module("silent", text)
    distribution(place.site, "silent-parts", {"scaffold.silent": "silent:Silent"})
    words = ("--only", "scaffold.begins", "--only", "scaffold.allows", "--json")
    (one,) = json.loads(place.mlx("plugins", "check", "silent", *words).stdout)["components"]
    ended = [each["id"] for each in one["checks"] if "ended the process" in each["cause"]]
    assert ended == ["scaffold.begins_with_a_decision", "scaffold.allows_actions_that_there_are"]


def test_failures_of_one_cause_are_one_line(place: Place) -> None:
    text = PROPOSES.format(does="return super().propose(tree, rng)")
    text += """
    def prompt(self, decision, tree):
        if len(tree.nodes) == 5:
            assert not tree.nodes, "five is too many"
        return super().prompt(decision, tree)
"""
    place.module("silent", text)
    distribution(place.site, "silent-parts", {"scaffold.silent": "silent:Silent"})
    done = place.mlx("plugins", "check", "silent")
    lines = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert len(lines) == 3, done.stdout  # with how many more, and of how many
    assert "more FAILED: same cause (prompt raises AssertionError: five is too many" in lines[1]


@pytest.mark.parametrize(
    ("does", "told"),
    [
        (
            "def parse(self, decision, completion):\n"
            "        if 'rather not' in completion.text: raise ValueError('no program')\n"
            "        return super().parse(decision, completion)\n",
            "parse raises ValueError: no program, for 'I would rather not say.'",
        ),
        (
            "def prompt(self, decision, tree):\n"
            "        self.asked = getattr(self, 'asked', 0) + 1\n"
            "        found = super().prompt(decision, tree)\n"
            "        content = found[-1].content + str(self.asked)\n"
            "        return [*found[:-1], found[-1].model_copy(update={'content': content})]\n",
            "its calls change self.asked",
        ),
    ],
)
def test_what_goes_wrong_now_and_then_is_told_once(place: Place, does: str, told: str) -> None:
    text = PROPOSES.format(does="return super().propose(tree, rng)")
    place.module("silent", f"{text}\n    {does}")
    distribution(place.site, "silent-parts", {"scaffold.silent": "silent:Silent"})
    done = place.mlx("plugins", "check", "silent")
    (line, _) = (line for line in done.stdout.splitlines() if "FAILED" in line)
    assert told in line, done.stdout


def test_what_cannot_be_loaded_is_told_with_its_place(place: Place) -> None:
    place.module("halfparts", HALF)
    distribution(place.site, "half-parts", {"policy.half": "halfparts:Bare"})
    (one,) = json.loads(place.mlx("plugins", "check", "half", "--json").stdout)["components"]
    wrong = [each for each in one["checks"] if "is not annotated" in each["cause"]]
    assert len(wrong) > 2
    assert {f"{each['cause']} {each['at']}".count("halfparts.py:12") for each in wrong} == {1}


def test_a_grade_that_is_none_is_told_where_the_grader_is_written(place: Place) -> None:
    place.module("gradedparts", GRADED)
    distribution(place.site, "graded-parts", {"task.marked": "gradedparts:Marked"})
    done = place.mlx("run", "--task", "marked", "--policy", "writer", *SMALL)
    assert "grade returned float, no Grade. (at gradedparts.py:6)" in done.stderr


SMALL = ("--scaffold", "tree", "--sandbox", "memory", "--steps", "1")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Misspelt", "has no attribute 'Misspelt'. Its entry point: policy.half = halfparts:"),
        ("Half", "is no policy: it has no close. (at halfparts.py:2)"),
        ("Bare", "is not annotated with a pydantic model. (at halfparts.py:12)"),
        ("Whole", "act returned int, no Completion. (at halfparts.py:18)"),
    ],
)
def test_a_broken_promise_says_where_it_is_written(place: Place, name: str, told: str) -> None:
    place.module("halfparts", HALF)
    distribution(place.site, "half-parts", {"policy.half": f"halfparts:{name}"})
    done = place.mlx("run", "--policy", "half", "--steps", "1")
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("mlx: "))
    assert line.startswith("mlx: policy") and told in line
    assert "Traceback" not in done.stderr


@pytest.fixture
def nested(place: Place) -> Place:
    (place.site / "outerparts").mkdir()
    place.module("outerparts/__init__", INSIDE)
    place.module("outerparts/inner", "def number(step):\n\n    return int('no number')\n")
    distribution(place.site, "outer-parts", {"reward.nested": "outerparts:Nested"})
    return place


def test_a_failure_says_where_in_the_authors_own_files_it_was(nested: Place) -> None:
    words = ("plugins", "check", "nested", "--only", "reward.copes_with_anything")
    done = nested.mlx(*words)
    (line,) = (line for line in done.stdout.splitlines() if "FAILED judge raises" in line)
    assert line.endswith(" (at outerparts/inner.py:3)")
    (one,) = json.loads(nested.mlx(*words, "--json").stdout)["components"]
    assert {each["id"]: each["at"] for each in one["checks"]} == {
        "loads": "",
        "reward.copes_with_anything": "outerparts/inner.py:3",
    }


def test_single_checks_are_made_by_id_or_by_what_ids_begin_with(nested: Place) -> None:
    words = ("--only", "component.is_desc", "--only", "component.loads_a", "--json")
    done = nested.mlx("plugins", "check", "nested", *words)
    (one,) = json.loads(done.stdout)["components"]
    ids = [each["id"] for each in one["checks"]]
    assert ids == ["loads", "component.is_described", "component.loads_alone"]
    assert (done.returncode, one["ok"], one["not_checked"]) == (0, True, {})


def test_an_id_that_no_check_has_is_the_users_error(nested: Place) -> None:
    done = nested.mlx("plugins", "check", "nested", "--only", "component.is_describd")
    assert done.returncode == 2
    assert "is_describd'. Did you mean 'component.is_described'?" in done.stderr
    assert nested.mlx("plugins", "check", "nested", "--only", "sandbox.").returncode == 2


def test_a_kind_that_mlxlab_does_not_know_is_not_called_sound(place: Place) -> None:
    parts = {"scafold.tree": "tests.cli.toyparts:Tree", "commands.board": "json"}
    distribution(place.site, "odd-kinds", parts)
    words = ("plugins", "check", "scafold.tree")
    done = place.mlx(*words, "--json", "--strict")
    (one,) = json.loads(done.stdout)["components"]
    why = "kind 'scafold': no such kind; did you mean 'scaffold'?"
    assert (one["ok"], one["not_checked"], done.returncode) == (None, {"scafold": why}, 1)
    told = place.mlx(*words)
    assert told.returncode == 0
    assert f"0 FAILED of 15 checks; 1 not checked ({why})." in told.stdout
    assert told.stdout.endswith("Not put to the checks of its kind: scafold odd-kinds::tree.\n")
    module = place.mlx("plugins", "check", "commands.board").stdout
    assert "kind 'commands': no such kind; did you mean 'command'?" in module


def test_what_it_needs_is_told_as_this_command_takes_it(place: Place) -> None:
    local = "mlxlab.plugins.policies.local:Local"
    distribution(place.site, "odd-kinds", {"polcy.mine": local, "reward.asking": "asking:Asking"})
    place.module("asking", ASKING)
    needed = place.mlx("plugins", "check", "policy.local").stdout
    assert "needs a path. Write mlx plugins check policy.local:PATH" in needed
    taken = place.mlx("plugins", "check", "valid:5").stderr
    assert taken.endswith(" Write mlx plugins check reward.valid\n")
    options = place.mlx("plugins", "check", "reward.asking").stdout
    lacking = "limit: it is missing. Write mlx plugins check 'reward.asking?limit=VALUE': Seconds"
    assert lacking in options
    strange = place.mlx("plugins", "check", "polcy.mine").stdout
    assert "needs a path" in strange and "Write" not in strange


ASKING = """
from pydantic import BaseModel, Field

class Config(BaseModel):
    limit: float = Field(description="Seconds.")

class Asking:
    'Asks for a limit.'
    needs = frozenset()
    range = (0.0, 1.0)

    def __init__(self, config: Config) -> None: ...
"""


def test_a_misspelt_part_of_a_command_is_named(place: Place) -> None:
    place.module("slips", "def confgure(parser): ...\ndef run(args): return 0\n")
    distribution(place.site, "slip-parts", {"command.slip": "slips"})
    told = "has no configure(parser). It has 'confgure': did you mean 'configure'?"
    done = place.mlx("plugins", "check", "slip")
    assert f"FAILED it {told}" in done.stdout and done.returncode == 1
    assert (
        place.mlx("slip").stderr == f"mlx: command 'slip' of slip-parts 1.2 {told} (at slips.py)\n"
    )
