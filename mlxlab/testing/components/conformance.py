"""What every component owes: it loads alone, says what it takes, and is what its kind has to be."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from mlxlab.core.entries import OWN, Entry, misfit
from mlxlab.core.given import absent
from mlxlab.core.near import misspelt, nearest
from mlxlab.core.places import package_of, written_in
from mlxlab.core.registry import Registry, config_model
from mlxlab.core.spec import Spec
from mlxlab.testing.components import protocols
from mlxlab.testing.components.apart import Loading, load_apart
from mlxlab.testing.components.options import lost_in_json
from mlxlab.testing.components.signatures import differences
from mlxlab.testing.found import left_as_found, output
from mlxlab.testing.kit import Conformance
from mlxlab.testing.kit.classes import SLIP, slips
from mlxlab.testing.kit.declared import CONFORMANCE, problems_of

_PLAIN = (int, float, str, bool, "int", "float", "str", "bool")
NEVER_MADE = ("aliases", "command", "hook")
"""Kinds whose entry points name what is used as it is."""
MADE = (
    "options_survive_json",
    "making_changes_nothing",
    "record_makes_it_again",
    "parts_are_there",
    "optional_parts_are_whole",
)
"""The checks that need an instance, or the options that make one."""
MADE_BY_A_FUNCTION = (
    "signatures_are_the_protocols",
    "known_gaps_are_checks",
    "conformance_is_its_suites",
)
"""Those that need one where the entry point names no class, which could be asked instead."""


def made_for(kind: str, target: object) -> set[str]:
    """The ids of the checks that make the component, or need the options that it is made with."""
    if kind in NEVER_MADE:
        return set()
    more = () if inspect.isclass(target) else MADE_BY_A_FUNCTION
    return {f"{ComponentConformance.prefix}.{name}" for name in (*MADE, *more)}


def _gaps_problem(declared: object, ids: Collection[str]) -> str:
    """What is wrong with a component's `known_gaps`, whose checks may be those of `ids`."""
    if not isinstance(declared, Mapping):
        return f"is a {type(declared).__name__}, no dict"
    if unknown := sorted(set(declared) - set(ids)):
        return f"names no check: {', '.join(unknown)}{_meant(unknown, sorted(ids), SLIP)}"
    bare = sorted(name for name, reason in declared.items() if not str(reason).strip())
    return f"without a reason: {', '.join(bare)}" if bare else ""


def _meant(words: Iterable[object], known: Collection[str], least: float = 0.6) -> str:
    """`: did you mean 'seed'?`, with all that come near to words; empty: nothing does."""
    near = [f"'{each}'" for word in words if (each := nearest(str(word), known, least))]
    return f": did you mean {', '.join(near)}?" if near else ""


def slips_of(made: object, optional: list[type], owed: Collection[str]) -> str:
    """Which names of an author's class may be misspelt parts of optional protocols; empty: none.

    Only what could take the part's place counts: a method with as many parameters for a method.
    """
    parts = {name: each for each in optional for name in protocols.members(each)}
    lacking, told = absent(parts, made), []
    for name, value in _own_parts(type(made)).items():
        meant = nearest(name, lacking, SLIP) if name not in {*parts, *owed} else None
        if meant and _arity(value) == _arity(inspect.getattr_static(parts[meant], meant, None)):
            told.append(f"it has '{name}': did you mean '{meant}'?")
    return "; ".join(told)


def _own_parts(made: type) -> dict[str, object]:
    """The public methods and properties of the classes that are of the same package as one."""
    package = made.__module__.partition(".")[0]
    found: dict[str, object] = {}
    for base in reversed(made.__mro__):
        if base.__module__.partition(".")[0] == package != OWN:
            found |= {name: value for name, value in vars(base).items() if name[:1] != "_"}
    return {name: value for name, value in found.items() if _arity(value) is not None}


def _arity(value: object) -> int | None:
    """How many parameters a method takes; 0 for a property, None for anything else."""
    if isinstance(value, property):
        return 0
    return len(inspect.signature(value).parameters) if inspect.isfunction(value) else None


class ComponentConformance(Conformance):
    """The whole suite: subclass it and say which component is meant, as the user writes it."""

    prefix = "component"

    kind: ClassVar[str] = ""
    """task, scaffold, policy, ..."""
    spec: ClassVar[str] = ""
    """The component's name, with the options that it cannot be made without."""
    loadings: ClassVar[dict[EntryPoint, Loading]] = {}
    """What was seen of entry points; one that is not in it is loaded when it is asked for."""
    environment: ClassVar[Mapping[str, str] | None] = None
    """Of the process that loads it alone; None: this one's."""

    @classmethod
    def entry(cls) -> Entry:
        """The entry that is checked."""
        return Registry.installed().resolve(cls.kind, Spec.parse(cls.spec))[0]

    @classmethod
    def target(cls) -> Any:
        """What the entry point names."""
        return cls.entry().entry_point.load()

    @classmethod
    def make(cls) -> Any:
        """A new instance, made as a run makes it."""
        _, _, config = cls.registry().configured(cls.kind, Spec.parse(cls.spec))
        target = cls.target()
        return target() if config is None else target(config)

    @classmethod
    def registry(cls) -> Registry:
        """Where the component is found."""
        entry, known = cls.entry(), Registry.installed()
        return known if entry.entry_point in {e.entry_point for e in known.entries} else (
            Registry([entry])
        )  # fmt: skip

    def test_loads_alone(self) -> None:
        """In a fresh process it loads, and leaves stdout, environment, folder and threads alone."""
        why = misfit(self.entry())
        assert why is None, f"it {why[0]}"
        seen = self._loading()
        assert not seen.cause, f"it does not load: {seen.cause}"
        assert not seen.printed, f"it prints while it is loaded: {seen.printed!r}"
        assert not seen.changes, f"loading it changes something: {'; '.join(seen.changes)}"

    def test_loads_cheaply(self) -> None:
        """Loading it imports no heavy package: that waits until it is used."""
        heavy = self._loading().heavy
        assert not heavy, f"it imports {', '.join(heavy)}: import them in the function that uses it"

    def test_is_described(self) -> None:
        """Its docstring says in a line what it is, for `mlx plugins show`."""
        target = self.target()
        said = (inspect.getdoc(target) or "").strip()
        inherited = inspect.isclass(target) and not (vars(target).get("__doc__") or "").strip()
        place = self._place(target)
        assert said and not inherited, f"{self.entry().target} has no docstring{place}"

    def test_takes_one_config(self) -> None:
        """Its constructor takes nothing, or one positional parameter: a pydantic model."""
        if self.kind in NEVER_MADE:
            return
        target = self.target()
        assert callable(target), f"it is a {type(target).__name__}, neither a class nor a function"
        found = list(inspect.signature(target).parameters.values())
        needed = [each for each in found if each.default is inspect.Parameter.empty]
        model = config_model(target)
        place = self._place(target.__init__ if inspect.isclass(target) else target)
        assert not needed or model is not None, (
            f"its parameter '{needed[0].name}' is not annotated with a pydantic model{place}"
        )
        plain = [each.name for each in found if each.annotation in _PLAIN]
        assert model is not None or not plain, (
            f"its parameter '{plain[0]}' is no option, which are fields of a pydantic model{place}"
            if plain
            else ""
        )
        named = ", ".join(each.name for each in needed)
        assert len(needed) <= 1, f"its constructor needs {named}{place}"
        if model is not None:
            by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            assert found[0].kind in by_place, f"'{found[0].name}' cannot be given by its place"

    def test_options_are_described(self) -> None:
        """Each option has a description, which help and errors show."""
        fields = model.model_fields if (model := self._model()) is not None else {}
        bare = [name for name, field in fields.items() if not (field.description or "").strip()]
        assert not bare, f"options without a description: {', '.join(bare)}"

    def test_options_survive_json(self) -> None:
        """The options that a record keeps are the same after a way through JSON."""
        config = self._config()
        if config is not None:
            lost = lost_in_json(config)
            assert not lost, f"options that come back from JSON as others: {', '.join(lost)}"

    def test_argument_is_an_option(self) -> None:
        """`argument` names the option that name:VALUE sets."""
        model = self._model()
        named = getattr(model, "argument", None)
        if model is not None and named is not None:
            told = f"argument is '{named}', which is no option"
            told += _meant([named], model.model_fields)
            assert named in model.model_fields, told + self._place(model)

    def test_making_changes_nothing(self) -> None:
        """Making it prints nothing and leaves environment, folder, threads and processes alone."""
        if self.kind in NEVER_MADE:
            return
        self.make()  # what a first use imports is not what is looked at
        with left_as_found(grace_s=0.5), output() as printed:
            self.make()
        assert not printed[0], f"making it prints: {printed[0][:200]!r}"

    def test_record_makes_it_again(self) -> None:
        """What is recorded of it makes the same again; what no record keeps is given anew."""
        if self.kind in NEVER_MADE:
            return
        registry = self.registry()
        once = registry.create(self.kind, self.spec)
        whole, kept = Spec.parse(once.spec), Spec.parse(once.ref.spec)
        options = {**whole.options, **kept.options}
        again = registry.create(self.kind, kept.model_copy(update={"options": options}))
        assert once.ref == again.ref, f"recorded as {once.ref}, which makes {again.ref}"
        assert type(once.instance) is type(again.instance), "its record makes another class"

    def test_parts_are_there(self) -> None:
        """It has every attribute and method that its kind has to have."""
        protocol = protocols.required(self.kind)
        if protocol is None:
            return
        made = self.make()
        missing = absent(protocols.members(protocol), made)
        place = self._place(type(made))
        hint = misspelt(missing, {*dir(type(made))} - {*protocols.members(protocol)})
        told = f"a {self.kind} has to have: {', '.join(missing)}"
        assert not missing, (f"{told}. {hint}" if hint else told) + place

    def test_optional_parts_are_whole(self) -> None:
        """Of what its kind may have, it has all parts of each protocol, or none."""
        own = protocols.required(self.kind)
        owed = set(protocols.members(own)) if own is not None else set()
        if not (found := protocols.optional(self.kind)):
            return
        made = self.make()
        slips = slips_of(made, found, owed)
        assert not slips, slips + self._place(type(made))
        for each in found:
            parts = [name for name in protocols.members(each) if name not in owed]
            missing = absent(parts, made)
            there = ", ".join(name for name in parts if name not in missing)
            place = self._place(type(made))
            assert not (there and missing), f"it has {there} and no {', '.join(missing)}{place}"

    def test_signatures_are_the_protocols(self) -> None:
        """Its methods take what its kind's protocol says, by the same names and defaults."""
        subject, protocol = self._subject(), protocols.required(self.kind)
        own = self._own()
        found = [] if protocol is None else differences(protocol, subject, own)
        # What is not there is what `parts_are_there` tells of, where it can be made.
        if protocol is not None and found and not inspect.isclass(self._declaring()):
            found = differences(protocol, subject, own, optional=True)
        for each in protocols.optional(self.kind):
            found += differences(each, subject, own, optional=True)
        assert not found, " | ".join(found)

    def test_known_gaps_are_checks(self) -> None:
        """What its `known_gaps` declare are checks that there are, with reasons."""
        from mlxlab.testing.suites import ids_of

        wrong = _gaps_problem(self._declared("known_gaps"), ids_of(self.kind))
        assert not wrong, f"known_gaps {wrong}{self._place(self._declaring())}"

    def test_conformance_is_its_suites(self) -> None:
        """What its `conformance` gives its suite are attributes that the suite takes."""
        from mlxlab.testing.suites import suite_of

        self._declared(CONFORMANCE)
        problems = problems_of(self._declaring(), suite_of(self.kind))
        assert not problems, "; ".join(problems) + self._place(self._declaring())

    @classmethod
    def _own(cls) -> Path | None:
        """The package that the component is of."""
        return package_of(cls.entry().entry_point.module)

    @classmethod
    def _place(cls, thing: object) -> str:
        """` (at brisk/reward.py:12)`: where something is written, if in that package."""
        own = cls._own()
        place = written_in(thing, own) if own else ""
        return place and f" (at {place})"

    @classmethod
    def _subject(cls) -> Any:
        """Whose methods are looked at: the class needs no making."""
        target = cls.target()
        if inspect.isclass(target) or cls.kind in NEVER_MADE:
            return target
        return cls.make()

    @classmethod
    def _declaring(cls) -> Any:
        """Who says what is known of it: as it was made, since a gap may come with an option."""
        target = cls.target()
        if cls.kind in NEVER_MADE:
            return target
        try:
            return cls.make()
        except Exception:
            if inspect.isclass(target):
                return target  # why it cannot be made is what other checks tell
            raise

    @classmethod
    def _declared(cls, name: str) -> Any:
        """What it says of itself under a name; nothing, if it has no other one like that."""
        declaring = cls._declaring()
        own = {each: inspect.getattr_static(declaring, each, None) for each in dir(declaring)}
        hint = "" if hasattr(declaring, name) else slips([name], own)
        assert not hint, hint
        return getattr(declaring, name, {})

    @classmethod
    def _model(cls) -> type[BaseModel] | None:
        return None if cls.kind in NEVER_MADE else config_model(cls.target())

    @classmethod
    def _config(cls) -> BaseModel | None:
        if cls.kind in NEVER_MADE:
            return None
        return cls.registry().configured(cls.kind, Spec.parse(cls.spec))[2]

    @classmethod
    def _loading(cls) -> Loading:
        point = cls.entry().entry_point
        if point not in cls.loadings:
            cls.loadings[point] = load_apart([point], cls.environment)[0]
        return cls.loadings[point]
