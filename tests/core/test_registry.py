import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from mlxlab.core.entries import Entry
from mlxlab.core.errors import PluginError, UnknownComponent, UsageError, WrongOption
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec

MODULE = "tests.core.test_registry"


class GrowerConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "width"
    width: int = Field(3, ge=1, description="How wide.")
    tall: bool = False
    bed: Path | None = None
    allowed: bool = Field(False, exclude=True)

    @field_validator("bed")
    @classmethod
    def _whole(cls, given: Path | None) -> Path | None:
        return given and given.absolute()


class Grower:
    def __init__(self, config: GrowerConfig) -> None:
        self.config = config


class Plain:
    pass


class NamedConfig(BaseModel):
    argument: ClassVar[str] = "title"

    title: str
    way: Literal["text", "json"] | Literal["auto"] | None = Field(
        None, description="How it writes."
    )
    word: str | None = Field(None, pattern="^[a-z]+$", description="In small letters.")
    odd: int = 3

    @field_validator("odd")
    @classmethod
    def _not_one(cls, odd: int) -> int:
        if odd == 1:
            raise ValueError("not 1")
        return odd


class Named:
    def __init__(self, config: NamedConfig) -> None:
        self.config = config


class NeedyConfig(BaseModel):
    seed: str = Field(description="Where it grows from.")


class Needy:
    def __init__(self, config: NeedyConfig) -> None:
        self.config = config


class OptionalConfig(BaseModel):
    depth: int = 1


class Optional:
    def __init__(self, config: OptionalConfig) -> None:
        self.config = config


MADE = ("Grower", "Plain", "Named", "Needy", "Optional")


class Fails:
    def __init__(self) -> None:
        raise OSError("no disk")


def entry(name: str, target: str, distribution: str = "acme", kind: str = "scaffold") -> Entry:
    point = EntryPoint(f"{kind}.{name}", target, "mlxlab.components")
    return Entry(kind, name, target, distribution, "1.0", point)


def registry(*entries: Entry) -> Registry:
    return Registry(entries)


def test_a_component_is_made_from_its_spec() -> None:
    made = registry(entry("grower", f"{MODULE}:Grower")).create("scaffold", "grower:5?tall=true")
    assert made.instance.config == GrowerConfig(width=5, tall=True)
    assert made.ref.version == "acme 1.0"
    assert made.ref.config == {"width": 5, "tall": True, "bed": None}
    again = registry(entry("grower", f"{MODULE}:Grower")).create("scaffold", made.ref.spec)
    assert again.instance.config == made.instance.config


def test_what_is_recorded_means_the_same_elsewhere_and_allows_nothing_later() -> None:
    known = registry(entry("grower", f"{MODULE}:Grower"))
    made = known.create("scaffold", "grower?bed=here&allowed=true")
    assert made.instance.config == GrowerConfig(bed=Path("here").absolute(), allowed=True)
    assert made.ref.spec == f"grower?bed={Path('here').absolute()}"
    assert "allowed" not in made.ref.config
    assert known.create("scaffold", made.spec).instance.config == made.instance.config


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("growr", "There is no scaffold 'growr'. Did you mean 'grower'?"),
        ("grower?widht=1", "no option 'widht'. Did you mean 'width'?"),
        ("grower?width=x", "width: Input should be a valid integer"),
        ("grower?width=0", "greater than or equal to 1"),
        ("plain:x", "takes no argument, but got 'x'. Write --scaffold plain"),
        ("optional:5", "got '5'. Write --scaffold optional or optional?depth=VALUE"),
        ("named", "scaffold 'named' needs a title. Write --scaffold named:TITLE"),
        ("named:", "scaffold 'named' needs a title. Write --scaffold named:TITLE"),
        ("named:x?way=yes", "way: 'yes' is not 'text', 'json' or 'auto'. How it writes."),
        ("named:x?word=A1", "word: 'A1' is not of the form ^[a-z]+$. In small letters."),
        ("named:x?odd=1", "named': odd: not 1."),
        ("plain?x=1", "has no options"),
        ("needy", "needy': seed: it is missing. Write needy?seed=VALUE: Where it grows from."),
    ],
)
def test_what_the_user_got_wrong_is_said_with_the_way_out(spec: str, words: str) -> None:
    known = registry(*(entry(name.lower(), f"{MODULE}:{name}") for name in MADE))
    with pytest.raises(UsageError) as caught:
        known.create("scaffold", spec)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_built_ins_win_a_name_and_the_other_is_still_reached() -> None:
    known = registry(entry("x", f"{MODULE}:Plain", "mlxlab"), entry("x", f"{MODULE}:Grower"))
    assert isinstance(known.create("scaffold", "x").instance, Plain)
    assert isinstance(known.create("scaffold", "acme::x").instance, Grower)
    with pytest.raises(UnknownComponent):
        known.create("scaffold", "other::x")


def test_two_third_parties_with_one_name_must_be_told_apart() -> None:
    known = registry(entry("x", f"{MODULE}:Plain", "acme"), entry("x", f"{MODULE}:Plain", "best"))
    with pytest.raises(UsageError, match="acme::x, best::x"):
        known.create("scaffold", "x")


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        sys.modules.pop(name)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("x = 1", "AttributeError"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_with_its_cause(
    modules: Path, source: str, cause: str
) -> None:
    (modules / "acme_broken.py").write_text(source)
    with pytest.raises(PluginError) as caught:
        registry(entry("bad", "acme_broken:Bad")).create("scaffold", "bad")
    assert "scaffold 'bad' of acme 1.0 could not be loaded" in str(caught.value)
    assert cause in str(caught.value)


def test_a_plugin_that_cannot_be_made_is_named() -> None:
    with pytest.raises(
        PluginError, match=r"scaffold .fails. of acme 1\.0 could not be made: OSErr"
    ):
        registry(entry("fails", f"{MODULE}:Fails")).create("scaffold", "fails")


class PackedConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    several: tuple[str, ...] = ()
    table: dict[str, int] = {}
    text: str = ""
    key: SecretStr | None = None


class Packed:
    def __init__(self, config: PackedConfig) -> None:
        self.config = config


def test_lists_and_tables_stand_in_a_spec_as_json() -> None:
    found = registry(entry("packed", f"{MODULE}:Packed"))
    written = Spec(name="packed", options={"several": ["a", "b"], "table": {"x": 1}, "text": "[1]"})
    made = found.create("scaffold", str(written))
    assert made.ref.config["several"] == ["a", "b"]
    assert made.ref.config["table"] == {"x": 1}
    assert made.ref.config["text"] == "[1]"
    again = found.create("scaffold", made.ref.spec)
    assert again.ref.config == made.ref.config
    with pytest.raises(WrongOption, match="several"):
        found.create("scaffold", "packed?several=[1")


def test_a_secret_is_in_no_record() -> None:
    found = registry(entry("packed", f"{MODULE}:Packed"))
    made = found.create("scaffold", "packed?key=sesame&text=a")
    assert made.instance.config.key.get_secret_value() == "sesame"
    assert "sesame" not in made.ref.model_dump_json()
    assert "key" not in made.ref.config
    assert made.ref.spec == "packed?text=a"


def test_a_wrong_option_is_named_for_who_tells_where_it_stands() -> None:
    found = registry(entry("grower", f"{MODULE}:Grower"), entry("plain", f"{MODULE}:Plain"))
    for spec, option in (("grower?wdith=3", "wdith"), ("grower?width=0", "width"),
                         ("plain?width=1", "width")):  # fmt: skip
        with pytest.raises(WrongOption) as caught:
            found.check("scaffold", spec)
        assert caught.value.option == option


def test_capitals_and_dashes_do_not_hide_what_was_meant() -> None:
    found = registry(entry("grower", f"{MODULE}:Grower"))
    for spec, told in (("GROWER", "Did you mean 'grower'?"), ("grower?BED=x", "'bed'?"),
                       ("nobody::grower", "no scaffold 'grower' of 'nobody'")):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            found.check("scaffold", spec)
        assert told in str(caught.value)
    with pytest.raises(WrongOption, match="width is said twice"):
        found.check("scaffold", "grower:3?width=4")
