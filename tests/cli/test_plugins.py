from __future__ import annotations

import json
import re

import pytest
from rich.text import Text

from tests.cli.conftest import Place, distribution

LOUD = """
import threading, time
print("noise on stdout")
threading.Thread(target=time.sleep, args=(600,)).start()
class Loud:
    pass
"""
HOOK = """
from mlxlab.core.hooks import hookimpl
@hookimpl
def mlx_no_such_hook():
    pass
"""
BARE = """
from mlxlab.core.hooks import hookimpl
def mlx_step_recorded(step):
    print(step)
"""


@pytest.fixture
def crowd(place: Place) -> Place:
    """Third parties that are broken, disagree, or take a built-in's name."""
    place.module("crashparts", "import os\nos._exit(7)")
    place.module("loudparts", LOUD)
    place.module("hookparts", HOOK)
    place.module("bareparts", BARE)
    place.module("nohooks", "def step_recorded(step): ...")
    place.module("exitparts", "raise SystemExit('bye')")
    place.module("odd", "class C:\n    def __init__(self, config: 'Missing'): ...\nvalue = 3")
    distribution(place.site, "crash-parts", {"task.crash": "crashparts:T"})
    distribution(place.site, "loud-parts", {"task.loud": "loudparts:Loud"})
    distribution(place.site, "hook-parts", {}, {"wrong": "hookparts"})
    distribution(place.site, "bare-parts", {}, {"bare": "bareparts"})
    distribution(place.site, "no-hooks", {}, {"none": "nohooks"})
    distribution(place.site, "exit-parts", {"task.exit": "exitparts:T", "task.gone": "nowhere:T"})
    odd = {"task.odd": "odd:C", "task.value": "odd:value", "task.absent": "odd:nothing"}
    distribution(place.site, "odd-parts", odd)
    distribution(place.site, "one", {"policy.same": "loudparts:Loud", "task.flights": "odd:C"})
    distribution(place.site, "two", {"policy.same": "loudparts:Loud"})
    return place


def listed(place: Place, *args: str, **env: str) -> dict[tuple[str, str], dict[str, object]]:
    done = place.mlx("plugins", "list", "--json", *args, **env)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {(f"{one['kind']}.{one['name']}", one["distribution"]): one for one in found}


def test_list_imports_nothing_and_marks_what_cannot_be_reached(crowd: Place) -> None:
    found = listed(crowd)
    assert found["task.flights", "mlxlab"]["builtin"] is True
    assert found["task.flights", "mlxlab"]["note"] is None
    assert found["task.flights", "one"]["note"] == "shadowed: write one::flights"
    assert found["policy.same", "one"]["note"] == "ambiguous: write one::same"
    assert found["policy.same", "two"]["note"] == "ambiguous: write two::same"
    assert found["task.crash", "crash-parts"]["target"] == "crashparts:T"
    assert ("hook.wrong", "hook-parts") in found


def test_list_marks_what_is_disabled(crowd: Place) -> None:
    found = listed(crowd, MLX_DISABLE_PLUGINS="two, wrong")
    assert found["policy.same", "two"]["note"] == "disabled"
    assert found["hook.wrong", "hook-parts"]["note"] == "disabled"
    assert found["policy.same", "one"]["note"] is None


def test_a_kind_that_is_misspelt_is_named_everywhere(place: Place) -> None:
    strange = {"scafold.restart": "tests.cli.toyparts:Tree", "opponent.random": "nowhere:T"}
    distribution(place.site, "odd-kinds", strange)
    found = listed(place)
    note = "no such kind; did you mean 'scaffold'?"
    assert found["scafold.restart", "odd-kinds"]["note"] == note
    assert found["opponent.random", "odd-kinds"]["note"] == "no such kind in mlxlab"
    assert found["scaffold.tree", "toy-parts"]["note"] is None
    assert f"kind 'scafold': {note}\n" in place.mlx("plugins", "show", "restart").stdout
    refused = place.mlx("run", "--scaffold", "restart")
    assert refused.returncode == 2
    assert "There is no scaffold 'restart'." in refused.stderr
    told = "A component of kind 'scafold' has that name: no such kind; did you mean 'scaffold'?"
    assert refused.stderr.endswith(f"{told}\n")


def test_an_entry_point_without_a_kind_is_told_of(place: Place) -> None:
    parts = {
        "thrice": "nowhere.scaffold:Thrice",
        "reward.": "nowhere:T",
        "board": "nowhere.command",
    }
    distribution(place.site, "bare-kinds", parts)
    found = listed(place)
    assert found[".thrice", "bare-kinds"]["note"] == "write kind.thrice, such as scaffold.thrice"
    assert found[".board", "bare-kinds"]["note"] == "write kind.board, such as command.board"
    assert (".reward.", "bare-kinds") in found
    assert (
        listed(place, MLX_DISABLE_PLUGINS="thrice")[".thrice", "bare-kinds"]["note"] == "disabled"
    )
    assert (".thrice", "bare-kinds") not in listed(place, "--kind", "scaffold")
    said = place.mlx("plugins", "list", "--kind", "scaffold").stderr
    assert said.startswith("mlx: Without a kind, so in no list of one: 'board' of bare-kinds, ")
    told = "'thrice' of bare-kinds 1.2 has no kind. In its entry point, in pyproject.toml, write"
    words = ("check", "thrice"), ("check", "scaffold.thrice"), ("show", "bare-kinds::thrice")
    for action, word in words:
        done = place.mlx("plugins", action, word)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        assert told in done.stderr
    asked = place.mlx("run", "--scaffold", "thrice")
    assert asked.returncode == 2 and asked.stderr.count("\n") == 1
    assert told in asked.stderr
    assert "Did you mean" not in asked.stderr


def test_a_name_with_its_kind_is_told_how_to_write(place: Place) -> None:
    other = place.mlx("run", "--reward", "aide")
    assert "There is no reward 'aide'. " in other.stderr
    assert other.stderr.endswith(" A scaffold has that name.\n")
    done = place.mlx("run", "--scaffold", "scaffold.aide")
    assert "There is no scaffold 'scaffold.aide'. Write 'aide'" in done.stderr


def test_a_group_that_is_misspelt_is_told_where_something_is_missed(place: Place) -> None:
    distribution(place.site, "frugal-parts", {})
    info = place.site / "frugal_parts-1.2.dist-info" / "entry_points.txt"
    info.write_text("[mlxlab.component]\nreward.frugal = nowhere:T\n")
    told = (
        "frugal-parts 1.2 has entry points in a group 'mlxlab.component': did you mean "
        "'mlxlab.components'? (after a change of its pyproject.toml: pip install -e . again)\n"
    )
    for words in (("check", "frugal"), ("show", "reward.frugal"), ("check", "frugal-parts")):
        done = place.mlx("plugins", *words)
        assert done.returncode == 2
        assert done.stderr == f"mlx: Nothing installed is called '{words[1]}'. {told}"
    asked = place.mlx("run", "--reward", "frugal")
    assert asked.stderr == f"mlx: There is no reward 'frugal'. {told}"
    assert "mlxlab.component'" not in place.mlx("run", "--reward", "scroe").stderr


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("orchard.task:OrchardTsk", " Did you mean 'OrchardTask'?"),
        ("orchard.task:Peach", ""),
        ("orchard.tsak:OrchardTask", " Did you mean 'orchard.task'?"),
        ("orchid.task:OrchardTask", ""),
    ],
)
def test_an_entry_point_that_names_what_is_not_there(place: Place, target: str, told: str) -> None:
    (place.site / "orchard").mkdir()
    place.module("orchard/__init__", "")
    place.module("orchard/task", "from typing import Any\nclass OrchardTask: ...\nOrchardTs = 3")
    distribution(place.site, "orchard-parts", {"task.orchard": target})
    told = f". Its entry point: task.orchard = {target}.{told}"
    checked = place.mlx("plugins", "check", "orchard", "--json").stdout
    assert json.loads(checked)["components"][0]["cause"].endswith(told)
    asked = place.mlx("run", "--task", "orchard")
    assert f"{told} Repair or remove it;" in asked.stderr


def test_an_entry_point_whose_own_imports_fail_is_not_blamed(place: Place) -> None:
    place.module("slipping", "import json\njson.dupms")
    distribution(place.site, "slipping-parts", {"task.slipping": "slipping:T"})
    assert "entry point" not in place.mlx("plugins", "check", "slipping").stdout


def test_a_component_whose_entry_point_names_a_module(place: Place) -> None:
    place.module("moduled", "")
    distribution(place.site, "moduled-parts", {"task.moduled": "moduled"})
    told = "its entry point names a module, moduled; write moduled:CLASS"
    assert f" FAILED {told}" in place.mlx("plugins", "check", "moduled").stdout
    assert f"is no component: {told}." in place.mlx("run", "--task", "moduled").stderr


SLIPS = """
from typing import ClassVar
from pydantic import BaseModel
class Config(BaseModel):
    argument: ClassVar[str] = "limt"
    limit: int = 1
class Slip:
    def __init__(self, config: Config): ...
"""


def test_an_argument_that_is_no_option_is_its_author_s_slip(place: Place) -> None:
    place.module("slips", SLIPS)
    distribution(place.site, "slip-parts", {"reward.slip": "slips:Slip", "reward.gone": "slips:G"})
    done = place.mlx("run", "--reward", "slip:3")
    told = "reward 'slip' of slip-parts 1.2 states argument = 'limt', which is none of its options."
    assert (done.returncode, done.stderr) == (1, f"mlx: {told} (at slips.py:7)\n")
    gone = place.mlx("run", "--reward", "gone")
    assert gone.stderr.count("\n") == 1
    assert "could not be loaded: AttributeError" in gone.stderr
    assert "Its entry point: reward.gone = slips:G." in gone.stderr


def test_a_constructor_without_annotation_is_told_of(place: Place) -> None:
    place.module("bare", "class Bare:\n    def __init__(self, config): ...\n")
    distribution(place.site, "bare-parts", {"reward.bare": "bare:Bare"})
    told = "its parameter 'config' is not annotated with a pydantic model"
    for words in (("run", "--reward", "bare:3"), ("plugins", "show", "bare")):
        done = place.mlx(*words)
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert f"reward 'bare' of bare-parts 1.2 cannot be made: {told}." in done.stderr
    assert f"FAILED {told}" in (place.mlx("plugins", "check", "bare").stdout)


def test_list_of_one_kind(crowd: Place) -> None:
    assert {kind.partition(".")[0] for kind, _ in listed(crowd, "--kind", "policy")} == {"policy"}
    done = crowd.mlx("plugins", "list", "--kind", "polcy")
    assert done.returncode == 2
    assert "Did you mean 'policy'?" in done.stderr


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("crash", "it ended the process with status 7 while loading"),
        ("task.exit", "SystemExit: bye"),
        ("gone", "ModuleNotFoundError: No module named 'nowhere'"),
        ("absent", "AttributeError"),
        ("value", "it is a int, neither a class nor a function"),
        ("task.odd", "NameError: name 'Missing' is not defined"),
        ("hook-parts", "unknown hook 'mlx_no_such_hook'"),
        ("bare-parts", "mlx_step_recorded: not registered without @hookimpl"),
        ("no-hooks", "no function has @hookimpl"),
    ],
)
def test_check_names_the_cause(crowd: Place, word: str, cause: str) -> None:
    done = crowd.mlx("plugins", "check", word)
    assert done.returncode == 1
    assert "loads" in done.stdout and "FAILED" in done.stdout
    assert cause in done.stdout
    (found,) = json.loads(crowd.mlx("plugins", "check", word, "--json").stdout)["components"]
    assert found["ok"] is False and [each["id"] for each in found["checks"]] == ["loads"]


def test_check_is_not_disturbed_by_what_a_plugin_does(crowd: Place) -> None:
    done = crowd.mlx("plugins", "check", "loud-parts", "--json", "--load")
    assert done.returncode == 0
    (found,) = json.loads(done.stdout)["components"]
    assert (found["ok"], found["cause"]) == (True, None)


def test_check_gives_up_on_what_never_ends(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlxlab.cli.plugins.check import load_apart
    from mlxlab.core.entries import advertised

    place.module("slowparts", "import time\ntime.sleep(600)")
    distribution(place.site, "slow-parts", {"task.slow": "slowparts:T"})
    monkeypatch.syspath_prepend(str(place.site))
    (entry,) = [e for e in advertised() if e.distribution == "slow-parts"]
    verdict = load_apart(entry, timeout_s=1.0)
    assert verdict[1::2] == ("FAILED", "loading took longer than 1 s")


def test_all_that_a_distribution_has_of_a_kind_is_loaded(place: Place) -> None:
    done = place.mlx("plugins", "check", "mlxlab", "--kind", "reward", "--load", "--json")
    found = json.loads(done.stdout)["components"]
    assert {one["name"] for one in found} >= {"ml-agent", "improvement", "valid", "weighted"}
    assert [one for one in found if not one["ok"]] == []
    assert done.returncode == 0


def test_show_lists_the_options(place: Place) -> None:
    done = place.mlx("plugins", "show", "writer", "--json")
    (found,) = json.loads(done.stdout)
    options = {option["name"]: option for option in found["options"]}
    assert found["argument"] == "plan"
    assert options["fails_at"]["type"] == "int | None"
    assert options["latency_s"] == {
        "name": "latency_s",
        "type": "float",
        "limits": "",
        "required": False,
        "default": "0.0",
        "description": "How long an answer takes, in seconds.",
        "recorded": True,
    }
    assert found["example"] == "mlx run --policy 'writer?latency_s=0.0'"
    told = place.mlx("plugins", "show", "policy.writer").stdout
    assert "writer:VALUE sets plan" in told
    assert "US dollars an answer costs." in told


def test_every_option_of_a_built_in_is_described(place: Place) -> None:
    found = json.loads(place.mlx("plugins", "show", "mlxlab", "--json").stdout)
    bare = [(one["name"], o["name"]) for one in found for o in one["options"]
            if not o["description"]]  # fmt: skip
    assert bare == []


def test_show_what_is_not_there(place: Place) -> None:
    done = place.mlx("plugins", "show", "wirter")
    assert done.returncode == 2
    assert "Did you mean 'writer'?" in done.stderr


def test_tasks(place: Place) -> None:
    done = place.mlx("tasks", "list")
    assert {"flights", "temperature", "mnist", "folder", "toy"} <= set(done.stdout.split())
    shown = place.mlx("tasks", "show", "toy").stdout
    assert "mae, lower is better" in shown
    assert "0 train, 4 public, 4 private" in shown
    assert "Predict y = id." in shown
    info = json.loads(place.mlx("tasks", "show", "toy", "--json").stdout)
    assert (info["id"], info["metric"]["direction"]) == ("toy", "minimize")
    missing = place.mlx("tasks", "show", "tyo")
    assert missing.returncode == 2
    assert "Did you mean 'toy'?" in missing.stderr


def test_show_says_how_a_component_is_written_and_what_its_values_may_be(place: Place) -> None:
    told = place.mlx("plugins", "show", "scaffold.aide").stdout
    assert "mlx run --scaffold 'aide?num_drafts=5'" in told
    assert re.search(r"debug_prob +float +>= 0, <= 1 +0\.5 ", told)
    (litellm,) = json.loads(place.mlx("plugins", "show", "litellm", "--json").stdout)
    assert litellm["example"].startswith("mlx run --policy 'litellm:MODEL")
    limits = {option["name"]: option["limits"] for option in litellm["options"]}
    assert limits["top_p"] == "> 0, <= 1"
    assert limits["reasoning_effort"] == "matches ^[a-z]+$"


GAPPED = '''
from typing import ClassVar
from pydantic import BaseModel, ConfigDict, Field, SecretStr

class Config(BaseModel):
    """Settings of Gapped, which are not its description."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    key: SecretStr | None = Field(None, description="What opens it.")
    words: list[str] = Field(default_factory=list, description="Some words.")

class Gapped:
    """It opens doors."""
    known_gaps: ClassVar[dict[str, str]] = {"reward.pure": "it asks a clock"}
    def __init__(self, config: Config) -> None: ...
'''


def test_show_tells_secrets_lists_and_what_is_known_to_fail(place: Place) -> None:
    place.module("gapped", GAPPED)
    distribution(place.site, "gapped-parts", {"reward.gapped": "gapped:Gapped"})
    done = place.mlx("plugins", "show", "gapped")
    assert done.returncode == 0, done.stderr
    assert "It opens doors." in done.stdout
    assert "  reward.pure\n    it asks a clock\n" in done.stdout
    assert "What opens it. It is not recorded." in done.stdout
    assert re.search(r"words +list\[str\]", done.stdout)


@pytest.mark.parametrize("width", [60, 200])
def test_a_narrow_terminal_gets_each_meaning_below_its_option(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlxlab.cli.plugins.show import show

    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", str(width)), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    show("scaffold.aide", as_json=False)
    lines = [Text.from_ansi(line).plain for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= width
    below = "    Root programs before anything else is done." in lines
    assert below is (width == 60)
    assert any(line.startswith("OPTION") for line in lines) is (width == 200)
