"""Configuration files: read, written, described; and what is said of each mistake."""

from __future__ import annotations

import asyncio
import inspect
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr

import mlxlab
from mlxlab.api.arguments import NAMED, Arguments
from mlxlab.api.configuring import (
    RunConfig,
    TrainConfig,
    config_schema,
    config_text,
    read_config,
    toml,
)
from mlxlab.api.configuring.reading import config_of
from mlxlab.core.entries import Entry
from mlxlab.core.errors import UsageError
from mlxlab.core.launch import RunOptions
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec


class OddConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    argument: ClassVar[str] = "place"
    place: str = Field("here", description="Where.")
    name: str = Field("nobody", description="A name, which the table has a key of too.")
    text: str = Field("", description="Anything.\nIn lines.")
    either: int | str = Field(0, description="A number, or a word.")
    share: float = Field(0.5, ge=0, description="A part.")
    on: bool = Field(False, description="A switch.")
    several: tuple[str, ...] = Field((), description="Some words.")
    table: dict[str, float] = Field({}, description="Numbers by name.")
    folder: Path | None = Field(None, description="A folder.")
    key: SecretStr | None = Field(None, description="A secret.")
    once: bool = Field(False, exclude=True, description="Allowed for now.")


class Odd:
    def __init__(self, config: OddConfig) -> None: ...


def entry(kind: str, name: str, target: str) -> Entry:
    return Entry(kind, name, target, "odd-parts", "1.2", EntryPoint(f"{kind}.{name}", target, ""))


WITH_ODD = Registry(
    [
        *Registry.installed().entries,
        entry("scaffold", "odd", f"{__name__}:Odd"),
        entry("scaffold", "broken", "no_such_module:Broken"),
    ]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.floats(0, 1e9, allow_nan=False)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXT,
        "text": TEXT,
        "either": st.integers(-9, 9) | TEXT,
        "share": NUMBER | st.just(float("inf")),
        "on": st.booleans(),
        "several": st.lists(TEXT, max_size=3),
        "table": st.dictionaries(TEXT, NUMBER, max_size=2),
        "folder": st.sampled_from(["a", "/b c/d", "e?f&g=h"]),
    },
)
ODD = st.builds(
    lambda argument, options: str(Spec(name="odd", argument=argument or None, options=options)),
    TEXT,
    OPTIONS,
)
AIDE = st.builds("aide?num_drafts={}&debug_prob={}".format, st.integers(0, 9), st.floats(0, 1))
PARTS = {
    "task": st.sampled_from(["flights", "generated:rings/1", "folder:/a b/c"]),
    "scaffold": ODD | AIDE | st.just("mlxlab::linear"),
    "policy": st.sampled_from(
        ["catalog", "climb?ideas=false", "litellm:a/b?temperature=0.5", "deepseek-r1?top_p=0.9"]
    ),
    "sandbox": st.sampled_from(["local", "local?isolation=none", "docker:a/b:1?cpus=2"]),
    "rewards": st.lists(
        st.sampled_from(["valid", "ml-agent?version=2", "weighted:valid=0.5,ml-agent=1"]),
        max_size=2, unique=True,
    ).map(tuple),
}  # fmt: skip
AMOUNT = st.floats(0.1, 1e6)
RUNS = st.builds(
    RunOptions,
    **PARTS,
    editor=st.none() | st.just("climb"),
    steps=st.none() | st.integers(1, 99),
    time_s=st.none() | AMOUNT,
    exec_timeout_s=st.none() | AMOUNT,
    max_cost_usd=st.none() | AMOUNT,
    max_tokens=st.none() | st.integers(1, 10**9),
    patience_s=st.none() | AMOUNT,
    seed=st.integers(-9, 2**40),
    workers=st.none() | st.integers(1, 8),
    gpus=st.lists(st.integers(0, 7), unique=True, max_size=3).map(tuple),
    max_state_bytes=st.none() | st.integers(1, 10**12),
    feedback=st.sampled_from([None, "public", "self", "none", "private"]),
    cache=st.none() | st.just("some runs"),
    ideas=st.lists(TEXT.filter(bool), max_size=2).map(tuple),
    out=st.just(Path("there")),
)


def values_of(options: RunOptions) -> dict[str, Any]:
    values = {key: getattr(options, NAMED.get(key, key)) for key in RunConfig.model_fields}
    return {**values, "out": str(options.out)}


def meaning(values: dict[str, Any]) -> dict[str, Any]:
    """Values with each component as what it would be made with."""
    found = {key: value for key, value in values.items() if value not in (None, ())}
    for key, kind in RunConfig.kinds.items():
        specs = values[key] if key in RunConfig.lists else [values.get(key)]
        found[key] = [
            (made[0], repr(made[2]))
            for made in (WITH_ODD.configured(kind, Spec.parse(s)) for s in specs if s)
        ]
    return found


@settings(max_examples=40, deadline=None)
@given(RUNS)
def test_what_is_written_reads_back_as_the_same_run(options: RunOptions) -> None:
    values = values_of(options)
    text, kept = config_text(values, RunConfig, WITH_ODD)
    again = config_of(tomllib.loads(text), RunConfig, WITH_ODD).said()
    assert kept == []
    assert meaning({**dict.fromkeys(values), **again}) == meaning(values)
    assert config_text({**dict.fromkeys(values), **again}, RunConfig, WITH_ODD)[0] == text


@given(
    st.recursive(
        TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    )
)
def test_every_value_is_one_line_of_toml(said: Any) -> None:
    line = f"{toml.key('a key')} = {toml.value(said)}"
    assert len(line.splitlines()) == 1
    assert tomllib.loads(line) == {"a key": said}


@pytest.mark.parametrize("said", ["\ud800", 1 << 63, None, object()])
def test_what_toml_cannot_hold_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="TOML"):
        toml.value([said])


def test_a_file_has_every_option_of_a_run_under_its_name_in_python() -> None:
    parameters = set(inspect.signature(mlxlab.run).parameters) - {"progress"}
    assert set(RunConfig.model_fields) == parameters == set(Arguments.__annotations__)
    bare = [key for model in (RunConfig, TrainConfig)
            for key, field in model.model_fields.items() if not field.description]  # fmt: skip
    assert bare == []


def test_defaults_are_comments_that_hold_once_they_are_said() -> None:
    values = dict.fromkeys(RunConfig.model_fields) | {"scaffold": "aide?num_drafts=3"}
    text, _ = config_text(values, RunConfig)
    assert "\n# Chance of debugging where a failed leaf can be debugged." in text
    assert "\nnum_drafts = 3\n" in text
    said = text.replace("#debug_prob", "debug_prob").replace("#patience", "patience")
    found = config_of(tomllib.loads(said), RunConfig)
    assert (found.scaffold, found.patience) == ("aide?num_drafts=3&debug_prob=0.5", 1800)


def test_secrets_and_what_is_allowed_once_are_not_written() -> None:
    values = {"scaffold": "odd?key=sesame&once=true&on=true"}
    text, kept = config_text(values, RunConfig, WITH_ODD)
    assert "sesame" not in text
    assert kept == ["scaffold.key", "scaffold.once"]
    assert config_of(tomllib.loads(text), RunConfig, WITH_ODD).scaffold == "odd?on=true"


MISTAKES = [
    ("scafold = 'aide'", 1, "'scafold' is no key of a run. Did you mean 'scaffold'?"),
    ("# c\n\nsteps = 0", 3, "steps: Input should be greater than or equal to 1, not 0."),
    ("steps = '5'", 1, "steps: Input should be a valid integer."),
    ("seed = 1\ntime = '2 weeks'", 2, "time: '2 weeks' is no duration; write 90, 90s, 30m or 2h."),
    ("max_state = 'much'", 1, "max_state: 'much' is no size; write 500M or 2G."),
    ("feedback = 'pubic'", 1, "Did you mean 'public'?"),
    ("gpus = '3-1'", 1, "the range 3-1 runs backwards."),
    ("[scaffold]\nname = 'aide'\n\n# x\nnum_draft = 3", 5, "Did you mean 'num_drafts'?"),
    ("[scaffold]\nname = 'aide'\nnum_drafts = [\n1,\n2]", 3, "num_drafts: Input should be a valid"),
    ("[scaffold]\nname = 'aied'", 1, "There is no scaffold 'aied'. Did you mean 'aide'?"),
    ("[scaffold]\nnum_drafts = 3", 1, "The table does not say which scaffold. Add name ="),
    ("[scaffold]\nname = 3", 2, "The name of the scaffold is 3, no text."),
    ("[scaffold]\nname = 'aide'\nsteps = 3", 3, "'steps' is a key of the run: write it above all"),
    ("num_drafts = 3\n[scaffold]\nname = 'aide'", 1, "write it below [scaffold]."),
    ("scaffold = 'aide?num_draft=3'", 1, "Did you mean 'num_drafts'?"),
    ("scaffold = {name = 'aide', num_draft = 3}", 1, "Did you mean 'num_drafts'?"),
    ("scaffold = 'aide?num_drafts'", 1, "Options are written key=value."),
    ("scaffold = ['aide']", 1, "The scaffold is ['aide'], neither a text nor a table."),
    ("[scaffold]\nname = 'aide?num_drafts=1'\nnum_drafts = 1", 3, "num_drafts is said twice"),
    ("rewards = ['valid', 'vald']", 1, "Did you mean 'valid'?"),
    ("[[rewards]]\nname = 'valid'\n[[rewards]]\nname = 'ml-agent'\nversoin = 2", 5,
     "Did you mean 'version'?"),
    ("[sandbox]\nname = 'local'\nisolation = 'namespace'", 3, "Did you mean 'namespaces'?"),
    ("[policy]\nname = 'litellm'", 1, 'needs a model. Write "litellm:MODEL".'),
    ("[policy]\nname = 'litellm:a'\nmodel = 'b'", 3, "model is said twice."),
    ("policy = 'deepseek-r1?temprature=1'", 1, "Did you mean 'temperature'?"),
    ("[task]\nname = 'flights'\nrows = 1", 3, "task 'flights' has no options."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "told"), MISTAKES)
def test_a_mistake_is_told_with_file_line_and_what_comes_near(
    text: str, line: int, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "exp.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_config(path, RunConfig)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"a = = 3", "is no TOML: Invalid value (at line 1, column 5)"), (b"\xff", "text in UTF-8"),
     (None, "cannot be read: No such file"), (b"a = " + b"[" * 3000, "too deep")],
)  # fmt: skip
def test_a_file_that_is_none_is_told_so(content: bytes | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "exp.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"exp\.toml") as caught:
        read_config(path, RunConfig)
    assert told in str(caught.value)


def test_what_is_said_elsewhere_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "exp.toml"
    path.write_text("steps = 3\ntime = 0\n[scaffold]\nname = 'not-installed'\n")
    assert read_config(path, RunConfig, without={"scaffold", "time"}).said() == {"steps": 3}


def test_a_home_is_one_s_own_and_a_file_is_a_call_of_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "exp.toml"
    path.write_text("out = '~/runs'\ntask = '~/mine'\ntime = '1h30m'\ngpus = '0-2'\n")
    said = read_config(path, RunConfig).said()
    assert said["out"] == str(tmp_path / "runs")
    assert said["task"] == f"folder:{tmp_path}/mine"
    assert (said["time"], said["gpus"]) == (5400.0, (0, 1, 2))


def test_the_schema_takes_what_is_printed_and_refuses_what_is_wrong() -> None:
    schema, failed = config_schema(RunConfig, WITH_ODD)
    assert len(failed) == 1
    assert "scaffold 'broken' of odd-parts 1.2 could not be loaded" in failed[0]
    check = jsonschema.Draft7Validator(schema)
    check.check_schema(schema)
    values = dict.fromkeys(RunConfig.model_fields) | {
        "task": "generated:rings/1", "scaffold": "odd:there?on=true&several=%5B%22a%22%5D",
        "policy": "deepseek-r1?top_p=0.5", "sandbox": "docker:a/b:1",
        "rewards": ("valid", "ml-agent?version=2"), "seed": 3, "gpus": (0, 1), "time": 90.0,
    }  # fmt: skip
    text, _ = config_text(values, RunConfig, WITH_ODD)
    assert list(check.iter_errors(tomllib.loads(text))) == []
    for right in ("time = '2h'", "rewards = 'valid'", "cache = true", "scaffold = 'aide'",
                  "[scaffold]\nname = 'aide?num_drafts=3'\ndebug_prob = 1"):  # fmt: skip
        assert list(check.iter_errors(tomllib.loads(right))) == [], right
    for wrong in ("scafold = 'aide'", "steps = 0", "[scaffold]\nname = 'aide'\nnum_draft = 3",
                  "[scaffold]\nname = 'aide'\ndebug_prob = 2", "[scaffold]\nnum_drafts = 3",
                  "[scaffold]\nname = 'aied'"):  # fmt: skip
        assert list(check.iter_errors(tomllib.loads(wrong))), wrong


def test_a_training_is_written_and_read_too() -> None:
    values = dict.fromkeys(TrainConfig.model_fields) | {
        "runs": ("a", "b"), "trainer": "grpo:ml-agent?steps=5", "reward": "valid", "seed": 2,
        "exec_timeout": 30.0,
    }  # fmt: skip
    text, _ = config_text(values, TrainConfig)
    again = config_of(tomllib.loads(text), TrainConfig).said()
    assert again == {key: value for key, value in values.items() if value is not None}
    schema, failed = config_schema(TrainConfig)
    assert failed == []
    assert list(jsonschema.Draft7Validator(schema).iter_errors(tomllib.loads(text))) == []


def test_a_parameter_that_run_does_not_have_is_told() -> None:
    with pytest.raises(UsageError, match=r"no option 'scafold'\. Did you mean 'scaffold'\?"):
        asyncio.run(mlxlab.arun(scafold="aide"))  # type: ignore[call-arg]
    with pytest.raises(UsageError, match=r"no option 'sandboxes'\. Did you mean 'sandbox'\?"):
        mlxlab.resume("latest", sandboxes="local")  # type: ignore[call-arg]
