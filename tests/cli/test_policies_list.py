"""`mlx policies list`, and presets in `mlx plugins`, as processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Place, distribution
from tests.cli.test_live import Terminal

OWN = """
[presets.mine]
like = "deepseek-r1"
notes = "A\\u001b[31m red one."

[presets.box]
model = "lab/qwen"
base_url = "http://127.0.0.1:9/v1"
key_env = "LAB_KEY"

[prices."lab/qwen"]
prompt = 0
completion = 0
"""
SHORT = """
from mlxlab.core.policy import Offer
def aliases(kind):
    return {"writer-of-theirs": "writer"} if kind == "policy" else {}
def offers():
    return [Offer(name="writer-of-theirs", policy="writer", notes="Ours.")]
def broken(kind):
    raise OSError("no disk")
"""


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(OWN)
    place.env["MLXLAB_CONFIG"] = str(file)
    for name in [name for name in place.env if name.endswith("_API_KEY")]:
        del place.env[name]
    return file


def test_policies_and_presets_are_listed_with_model_key_and_price(own: Path, place: Place) -> None:
    done = place.mlx("policies", "list", LAB_KEY="x")
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "no language model" in rows["catalog"].lower()
    assert "litellm:MODEL" in rows
    assert "deepseek/deepseek-flash" in rows["deepseek-r1"]
    assert "missing  DEEPSEEK_API_KEY" in rows["deepseek-r1"]
    assert "yours." in rows["mine"]
    assert "\x1b" not in done.stdout
    assert " set " in rows["box"]
    assert "0.00 + 0.00" in rows["box"]


@pytest.mark.parametrize(
    ("width", "missing"), [(80, "MODEL, VARIABLE"), (100, "MODEL, VARIABLE"), (140, "")]
)
def test_a_narrow_terminal_cuts_notes_and_says_what_it_leaves_out(
    own: Path, place: Place, width: int, missing: str
) -> None:
    terminal = Terminal(place, "policies", "list", size=(width, 60), NO_COLOR="1")
    assert terminal.end() == 0
    lines = [line.rstrip() for line in terminal.shown.splitlines()]
    assert max(map(len, lines)) <= width
    assert all(title in lines[0] for title in ("KEY", "$ A MILLION TOKENS", "CONTEXT", "NOTES"))
    first = next(line for line in lines if line.startswith("deepseek-r1 "))
    assert " missing " in first and "  DeepSeek's" in first and first.endswith("…")
    assert ("deepseek/deepseek-flash" in first) == (not missing)
    told = f"Not shown, for they do not fit: {missing}."
    assert (lines[-1] == told) == bool(missing)


def test_the_list_as_json(own: Path, place: Place) -> None:
    done = place.mlx("policies", "list", "--json")
    found = json.loads(done.stdout)
    presets = {one["name"]: one for one in found["presets"]}
    assert {one["name"] for one in found["policies"]} > {"catalog", "litellm", "openai", "writer"}
    assert presets["gpt-4o"]["price"] == {
        "prompt": 2.5, "completion": 10.0, "cached_prompt": 1.25
    }  # fmt: skip
    assert presets["gpt-4o"]["features"]["context_tokens"] == 128_000
    assert (presets["box"]["key"], presets["box"]["key_set"]) == ("LAB_KEY", False)
    assert presets["box"]["own"]


def test_a_preset_that_a_policy_s_name_would_hide_is_refused(own: Path, place: Place) -> None:
    own.write_text('[presets.openai]\nmodel = "openai/gpt-4o"\n')
    done = place.mlx("policies", "list")
    assert done.returncode == 2
    assert "[presets.openai] has the name of a policy" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_heavy_is_imported_for_it(own: Path, place: Place) -> None:
    program = (
        "import sys; from mlxlab.cli.main import main; assert main(['policies', 'list']) == 0; "
        "print({'litellm', 'openai', 'aiohttp', 'torch', 'transformers', 'sklearn', 'pandas'}"
        " & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=place.env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_broken_config_is_one_line_here_and_nothing_to_others(own: Path, place: Place) -> None:
    own.write_text("[presets.x]\nmodl = 'a/b'\n")
    done = place.mlx("policies", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "has no key 'modl'" in done.stderr
    assert place.mlx("plugins", "list").returncode == 0
    assert place.mlx("plugins", "show", "catalog").returncode == 0
    named = place.mlx("run", "--policy", "mine")
    assert (named.returncode, named.stderr.count("\n")) == (2, 1)
    assert str(own) in named.stderr


def test_a_third_party_may_give_names_too_and_a_broken_one_is_named(
    own: Path, place: Place
) -> None:
    place.module("shortparts", SHORT)
    distribution(place.site, "short-parts", {"aliases.short": "shortparts:aliases"})
    assert "writer-of-theirs" in place.mlx("policies", "list").stdout
    shown = place.mlx("plugins", "show", "writer-of-theirs").stdout
    assert "writer-of-theirs stands for writer." in shown
    distribution(place.site, "bad-parts", {"aliases.bad": "shortparts:broken"})
    done = place.mlx("run", "--policy", "catlog")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "There is no policy 'catlog'. Did you mean 'catalog'?" in done.stderr
    assert "The aliases 'bad' of bad-parts 1.2 failed: OSError: no disk." in done.stderr
    mistyped = place.mlx("plugins", "show", "catlog")
    assert (mistyped.returncode, mistyped.stderr.count("\n")) == (2, 2)
    assert "Did you mean 'catalog'?" in mistyped.stderr
    assert "The aliases 'bad' of bad-parts 1.2 failed: OSError: no disk." in mistyped.stderr


def test_a_preset_is_shown_with_what_it_stands_for_and_its_options(own: Path, place: Place) -> None:
    done = place.mlx("plugins", "show", "policy.mine")
    assert done.stdout.startswith("policy.mine")
    assert "mine stands for litellm:mine." in done.stdout
    assert "temperature" in done.stdout
    assert "provider/model as litellm" not in done.stdout
    listed = place.mlx("plugins", "list", "--kind", "aliases").stdout
    assert "mlx policies list" in listed
    assert place.mlx("plugins", "check", "aliases.presets").returncode == 0
