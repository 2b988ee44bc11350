"""Names that stand for specs: when they are asked for, what they make, what is recorded."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mlxlab.core.entries import Entry
from mlxlab.core.errors import UnknownComponent, UsageError
from mlxlab.core.registry import Registry
from tests.core.test_registry import MODULE as PARTS
from tests.core.test_registry import GrowerConfig, entry

MODULE = "tests.core.test_aliases"


def short(kind: str) -> Mapping[str, str]:
    if kind != "scaffold":
        return {}
    return {"wide": "grower:9?tall=true", "open": "grower?tall=true", "plain": "grower:1"}


def rival(kind: str) -> Mapping[str, str]:
    return {"wide": "grower:2", "narrow": "grower:1", "lost": "nothing:1"}


def broken(kind: str) -> Mapping[str, str]:
    raise OSError("no disk")


def misread(kind: str) -> Mapping[str, str]:
    raise UsageError("config.toml is broken.")


def registry(*sources: str) -> Registry:
    components = [entry("grower", f"{PARTS}:Grower"), entry("plain", f"{PARTS}:Plain")]
    aliases = [entry(name, f"{MODULE}:{name}", f"from-{name}", "aliases") for name in sources]
    return Registry([*components, *aliases])


def test_an_alias_makes_what_it_stands_for_under_its_own_name() -> None:
    made = registry("short").create("scaffold", "wide")
    assert made.instance.config == GrowerConfig(width=9, tall=True)
    assert (made.ref.name, made.ref.spec) == ("wide", "wide")
    assert made.ref.version == "acme 1.0"
    assert made.ref.config["width"] == 9
    assert made.ref.resolved == {"spec": "grower:9?tall=true"}


def test_options_after_an_alias_win_and_are_recorded_as_written() -> None:
    made = registry("short").create("scaffold", "wide?tall=false&bed=/tmp")
    assert (made.instance.config.width, made.instance.config.tall) == (9, False)
    assert made.ref.spec == "wide?tall=false&bed=/tmp"
    assert made.ref.resolved == {"spec": "grower:9"}
    again = registry("short").create("scaffold", made.ref.spec)
    assert again.instance.config == made.instance.config


def test_an_argument_goes_where_the_alias_leaves_room_for_one() -> None:
    found = registry("short")
    assert found.create("scaffold", "open:4").instance.config == GrowerConfig(width=4, tall=True)
    with pytest.raises(UsageError, match=r"'wide' stands for grower:9.* takes no argument"):
        found.create("scaffold", "wide:4")


def test_a_wrong_option_names_the_alias() -> None:
    with pytest.raises(UsageError, match="scaffold 'wide' has no option 'tal'") as caught:
        registry("short").create("scaffold", "wide?tal=1")
    assert "tall" in caught.value.hint


def test_a_component_wins_its_name_and_the_first_source_the_others() -> None:
    found = registry("short", "rival")
    assert type(found.create("scaffold", "plain").instance).__name__ == "Plain"
    assert found.create("scaffold", "wide").instance.config.width == 9
    assert found.create("scaffold", "narrow").instance.config.width == 1
    assert "plain" not in found.aliases("scaffold")[0]
    assert registry("short").aliases("task") == ({}, [])


def test_a_distribution_s_own_alias_is_reached_by_its_name() -> None:
    made = registry("short", "rival").create("scaffold", "from-rival::wide?tall=true")
    assert made.instance.config == GrowerConfig(width=2, tall=True)
    assert made.ref.spec == "from-rival::wide?tall=true"


def test_an_unknown_name_is_told_what_comes_near_among_aliases_too() -> None:
    with pytest.raises(UnknownComponent) as caught:
        registry("short").create("scaffold", "wid")
    assert caught.value.hint.startswith("Did you mean 'wide'?")
    with pytest.raises(UnknownComponent, match="no scaffold 'nothing'"):
        registry("rival").create("scaffold", "lost")
    with pytest.raises(UnknownComponent):
        registry("short").create("scaffold", "acme::wide")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("broken", "The aliases 'broken' of from-broken 1.0 failed: OSError: no disk."),
        ("misread", "config.toml is broken"),
        ("absent", "could not be loaded"),
    ],
)
def test_a_source_that_fails_is_told_only_where_nobody_else_has_the_name(
    source: str, said: str
) -> None:
    found = registry(source, "short")
    assert found.create("scaffold", "grower").ref.resolved == {}
    assert found.create("scaffold", "wide").instance.config.width == 9
    with pytest.raises(UnknownComponent) as caught:
        found.create("scaffold", "wid")
    assert caught.value.hint.startswith("Did you mean 'wide'? ")
    assert said in caught.value.hint
    names, failed = found.aliases("scaffold")
    assert "wide" in names
    assert [said in str(error) for _, error in failed] == [True]


def test_what_the_user_s_own_file_gets_wrong_is_told_instead() -> None:
    entries = registry("misread", "short").entries
    own = [e._replace(distribution="mlxlab") if "misread" in e.target else e for e in entries]
    with pytest.raises(UsageError, match=r"config\.toml is broken"):
        Registry(own).create("scaffold", "wid")


def test_sources_are_not_even_loaded_while_names_are_known() -> None:
    loaded: list[str] = []

    class Watched(Registry):
        def load(self, entry: Entry):  # type: ignore[no-untyped-def]
            loaded.append(entry.kind)
            return super().load(entry)

    Watched(registry("broken").entries).create("scaffold", "grower")
    assert loaded == ["scaffold"]
