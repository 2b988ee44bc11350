"""From a component's name to an object: find by metadata, load when named, configure."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ValidationError

from mlxlab.core.aliases import Failure, aliases_of, expanded, meant_by
from mlxlab.core.boundary import Boundary, cause_of
from mlxlab.core.entries import Entry, installed, misgrouped, of_kind, without_kind
from mlxlab.core.errors import PluginError, UnknownComponent, UsageError, WrongOption
from mlxlab.core.kinds import kind_problem, kindless
from mlxlab.core.loading import loaded, module_named, undisturbed, whose_entry
from mlxlab.core.mistakes import choice_meant, mistake
from mlxlab.core.near import did_you_mean
from mlxlab.core.options import unrecorded
from mlxlab.core.records import ComponentRef
from mlxlab.core.spec import Spec
from mlxlab.core.stated import recorded

T = TypeVar("T")
PYTHON = "python"
"""The name in the spec of a component that was given as a Python object."""


class Component(Generic[T]):
    """A component made for a run.

    Args:
        instance: the object.
        ref: what is recorded of it, and makes it again later.
        spec: what makes another one now, with the options that no record holds; by default the
            reference's.
    """

    def __init__(self, instance: T, ref: ComponentRef, spec: str | None = None) -> None:
        self.instance = instance
        self.ref = ref
        self.spec = ref.spec if spec is None else spec


class Registry:
    """The components that installed distributions advertise.

    A built-in wins a plain name that a third party takes too; `distribution::name` reaches the
    other. Two third parties that share a name are both reached by `distribution::name` only.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)

    @classmethod
    def installed(cls) -> Registry:
        """The registry of this interpreter's environment, read once."""
        return _installed()

    def names(self, kind: str) -> list[str]:
        """The plain names of one kind."""
        return sorted({entry.name for entry in of_kind(self.entries, kind)})

    def aliases(self, kind: str) -> tuple[dict[str, str], list[Failure]]:
        """The names that stand for specs of one kind; a component's own name is none of them.

        Returns:
            The specs by their names, and the sources of names that failed.
        """
        found, failed = aliases_of(self.entries, kind, self.load)
        own = set(self.names(kind))
        return {name: spec for name, spec in sorted(found.items()) if name not in own}, failed

    def find(self, kind: str, spec: Spec) -> Entry:
        """The entry that a spec names; raises UnknownComponent with what comes near."""
        entries = of_kind(self.entries, kind)
        found = [entry for entry in entries if entry.name == spec.name]
        if spec.distribution:
            found = [entry for entry in found if entry.distribution == spec.distribution]
        if not found:
            text, hint = _unknown(kind, spec, [entry.name for entry in entries])
            raise UnknownComponent(text, self._misnamed(kind, spec) or hint)
        if len(found) > 1 and not found[0].builtin:
            choices = ", ".join(f"{entry.distribution}::{entry.name}" for entry in found)
            raise UsageError(
                f"Several plugins provide {kind} '{spec.name}'.", f"Name one: {choices}"
            )
        return found[0]

    def resolve(self, kind: str, spec: Spec) -> tuple[Entry, Spec]:
        """As `find`, with the spec that is meant where the name is an alias.

        The entry then bears the alias's name, for messages and for the record. A name that nobody
        has is told with the sources of aliases that failed: one of them may have it.
        """
        try:
            return self.find(kind, spec), spec
        except UnknownComponent:
            whose = spec.distribution
            sources = [e for e in self.entries if not whose or e.distribution == whose]
            stands_for, found, failed = meant_by(spec.name, sources, kind, self.load)
            if stands_for is not None:
                meant = expanded(spec, stands_for)
                return self.find(kind, meant)._replace(name=spec.name), meant
            for source, error in failed:
                if source.builtin:  # the user's own file says what cannot be
                    raise error from None
            known = [*self.names(kind), *found]
            text, hint = _unknown(kind, spec, known)
            hint = self._misnamed(kind, spec) or hint
            told = " ".join([hint, *(error.message for _, error in failed)])
            raise UnknownComponent(text, told) from (failed[0].error if failed else None)

    def _misnamed(self, kind: str, spec: Spec) -> str:
        """That a name is there: without a kind, under another one, or in a group nobody reads."""
        for entry in without_kind():
            if entry.name == spec.name:
                return kindless(entry, self.entries)
        own = [entry for entry in self.entries if entry.name == spec.name and entry.kind != kind]
        for each in own:
            if problem := kind_problem(each.kind, self.entries):
                return f"A component of kind '{each.kind}' has that name: {problem}"
        kinds = " and a ".join(sorted({each.kind for each in own}))
        return f"A {kinds} has that name." if own else misgrouped(spec.name)

    def load(self, entry: Entry) -> Callable[..., Any]:
        """Import an entry's target; whatever goes wrong is named with plugin and cause."""
        target: Callable[..., Any] = loaded(entry)
        return target

    def check(self, kind: str, spec: str) -> None:
        """Check a spec's name and options, without making the component; raises as `create`."""
        self.configured(kind, Spec.parse(spec))

    def spelled(self, kind: str, spec: str) -> str:
        """As `check`, with the spec as records have it: `10` for a number is `10.0` there."""
        written = Spec.parse(spec)
        entry, _, config = self.configured(kind, written)
        return str(_recorded(_canonical(written, config), self.model(entry)))

    def configured(self, kind: str, spec: Spec) -> tuple[Entry, Spec, BaseModel | None]:
        """As `resolve`, with the config that the component would be made with; it is not made."""
        entry, meant = self.resolve(kind, spec)
        return entry, meant, _configure(entry, self.model(entry), meant)

    def model(self, entry: Entry) -> type[BaseModel] | None:
        """The pydantic model of a component's options; None: it has none.

        Raises:
            PluginError: it cannot be loaded, or its first parameter cannot be understood.
        """
        return _model(entry, self.load(entry))

    def create(self, kind: str, spec: str | Spec) -> Component[Any]:
        """Find, load, configure and construct a component.

        Raises:
            UnknownComponent: nothing registers the name.
            UsageError: an option is unknown or has a wrong value.
            PluginError: the component's own code failed.
        """
        spec = Spec.parse(spec) if isinstance(spec, str) else spec
        if spec.name == PYTHON:
            parameter = "rewards" if kind == "reward" else kind
            raise UsageError(
                f"The {kind} was the Python object '{spec.argument}', which no record can make.",
                f"Give it again, from Python: mlxlab.resume(run, {parameter}=...)",
            )
        entry, meant = self.resolve(kind, spec)
        target = self.load(entry)
        model = _model(entry, target)
        config = _configure(entry, model, meant)
        who = whose_entry(entry)
        with Boundary(who, "its constructor", failed="could not be made"), undisturbed():
            instance = target() if config is None else target(config)
        with Boundary(who, "resolved, details", failed="says of itself what cannot be recorded"):
            resolved, details = recorded(instance, "resolved"), recorded(instance, "details")
        whole = _canonical(spec, config)
        ref = ComponentRef(
            kind=kind,
            name=entry.name,
            spec=str(_recorded(whole, model)),
            version=f"{entry.distribution} {entry.version}",
            config={} if config is None else _shown(config),
            resolved=({} if meant is spec else {"spec": _stands_for(meant, spec)}) | resolved,
            details=details,
        )
        return Component(instance, ref, str(whole))


@cache
def _installed() -> Registry:
    return Registry(installed())


def config_model(target: Callable[..., Any]) -> type[BaseModel] | None:
    """The pydantic model that annotates a component's first parameter, if it takes one."""
    function = target.__init__ if inspect.isclass(target) else target
    parameters = list(inspect.signature(target).parameters)
    if not parameters:
        return None
    hint = get_type_hints(function).get(parameters[0])
    return hint if inspect.isclass(hint) and issubclass(hint, BaseModel) else None


def _model(entry: Entry, target: Callable[..., Any]) -> type[BaseModel] | None:
    if named := module_named(entry, target):
        who = whose_entry(entry)
        raise PluginError(f"{who} is no component: {named}.", owner=who)
    try:
        model, needed = config_model(target), _needed(target)
    except Exception as error:
        cause = cause_of(error)
        who = whose_entry(entry)
        raise PluginError(f"{who} is no component: {cause}.", owner=who) from error
    if needed and model is None:
        who = whose_entry(entry)
        text = f"{who} cannot be made: its parameter '{needed[0]}' is not annotated"
        raise PluginError(f"{text} with a pydantic model.", owner=who, call="__init__")
    return model


def _needed(target: Callable[..., Any]) -> list[str]:
    """The parameters that a component cannot be made without."""
    var = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(target).parameters.values()
    empty = inspect.Parameter.empty
    return [each.name for each in parameters if each.default is empty and each.kind not in var]


def _configure(entry: Entry, model: type[BaseModel] | None, spec: Spec) -> BaseModel | None:
    values = dict(spec.options)
    if spec.argument is not None:
        field = getattr(model, "argument", None)
        if field is None:
            raise UsageError(
                f"{entry.kind} '{entry.name}' takes no argument, but got '{spec.argument}'.",
                f"Write --{entry.kind} {entry.name}{_with_option(entry, model)}",
            )
        if model is not None and field not in model.model_fields:
            who = whose_entry(entry)
            text = f"{who} states argument = '{field}', which is none of its options."
            raise PluginError(text, owner=who)
        if not spec.argument:
            raise _unnamed(entry, field)
        if field in values:
            text = f"{entry.kind} '{entry.name}': {field} is said twice."
            hint = f"It is '{spec.argument}' after the colon: leave out {field}={values[field]}."
            raise WrongOption(text, hint, option=field)
        values[field] = spec.argument
    if model is None:
        if values:
            text = f"{entry.kind} '{entry.name}' has no options."
            raise WrongOption(text, option=next(iter(values)))
        return None
    _refuse_unknown(entry, model, values)
    try:
        return _validated(model, values)
    except ValidationError as error:
        raise _mistaken(entry, model, error, spec.argument) from error


def _mistaken(
    entry: Entry, model: type[BaseModel], error: ValidationError, argument: str | None
) -> UsageError:
    """What is wrong with the options, and what to write instead."""
    where, said, missing = mistake(error)
    if missing and where == getattr(model, "argument", None):
        return _unnamed(entry, where)
    described = model.model_fields.get(where)
    meaning = (described.description if described is not None else None) or ""
    hint = choice_meant(error) or (meaning if " is not " in said else "")
    if missing and described is not None:
        lacking = Spec(name=entry.name, argument=argument, options={where: "VALUE"})
        hint = f"Write {lacking}" + (f": {meaning}" if meaning else "")
    text = f"{entry.kind} '{entry.name}': {where or 'options'}: {said}."
    return WrongOption(text, hint, option=where.partition(".")[0])


def _with_option(entry: Entry, model: type[BaseModel] | None) -> str:
    """How a value is given to a component that takes no argument, where it has options."""
    field = next(iter(model.model_fields), None) if model is not None else None
    return f" or {entry.name}?{field}=VALUE" if field else ""


def _validated(model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    """A config; a text that a field does not take is read as JSON where it is a list or a table."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        wrong = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        read = {key: _structured(values[key]) for key in wrong & set(values)}
        if all(read[key] is values[key] for key in read):
            raise
        return model.model_validate({**values, **read})


def _structured(value: Any) -> Any:
    """A list or table that is written as JSON; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _unnamed(entry: Entry, field: str) -> UsageError:
    return UsageError(
        f"{entry.kind} '{entry.name}' needs a {field}.",
        f"Write --{entry.kind} {entry.name}:{field.upper()}",
    )


def _canonical(spec: Spec, config: BaseModel | None) -> Spec:
    """The spec as the config understood it, so that it means the same later, and elsewhere."""
    field = getattr(type(config), "argument", None)
    update: dict[str, Any] = {
        "options": {key: _understood(value, config, key) for key, value in spec.options.items()}
    }
    if spec.argument is not None and field is not None:
        update["argument"] = str(getattr(config, field))
    return spec.model_copy(update=update)


def _stands_for(meant: Spec, written: Spec) -> str:
    """An alias's spec, without the options that the written one has of its own."""
    kept = {key: value for key, value in meant.options.items() if key not in written.options}
    return str(meant.model_copy(update={"options": kept}))


def _understood(given: Any, config: BaseModel | None, key: str) -> Any:
    """A text or path as its field made it, without `~`, say; other values as they were written."""
    value = getattr(config, key, given)
    return str(value) if isinstance(value, str | Path) else given


def _recorded(spec: Spec, model: type[BaseModel] | None) -> Spec:
    """A spec without the options that its model keeps out of every record, secrets among them.

    What a user allows once must not be allowed again by a run folder, which may be a stranger's.
    """
    fields = model.model_fields if model is not None else {}
    kept = {key: value for key, value in spec.options.items() if not unrecorded(fields[key])}
    return spec.model_copy(update={"options": kept})


def _shown(config: BaseModel) -> dict[str, Any]:
    """A config without the options that no record keeps: not even that one was given."""
    hidden = {name for name, field in type(config).model_fields.items() if unrecorded(field)}
    return config.model_dump(mode="json", exclude=hidden)


def _refuse_unknown(entry: Entry, model: type[BaseModel], values: dict[str, Any]) -> None:
    for key in values:
        if key not in model.model_fields:
            known = ", ".join(model.model_fields) or "none"
            raise WrongOption(
                f"{entry.kind} '{entry.name}' has no option '{key}'.",
                did_you_mean(key, model.model_fields, f"Its options: {known}."),
                option=key,
            )


def _unknown(kind: str, spec: Spec, known: list[str]) -> tuple[str, str]:
    listed = ", ".join(sorted(set(known))) or "none"
    if spec.distribution and spec.name in known:
        # The name is right, so that what is wrong is whose it is to be.
        text = f"There is no {kind} '{spec.name}' of '{spec.distribution}'."
        return text, f"There is one without '{spec.distribution}::'."
    bare = spec.name.removeprefix(f"{kind}.")
    if bare in known:
        return f"There is no {kind} '{spec.name}'.", f"Write '{bare}': its kind is said already."
    hint = did_you_mean(spec.name, known, f"Installed: {listed}.")
    return f"There is no {kind} '{spec.name}'.", hint
