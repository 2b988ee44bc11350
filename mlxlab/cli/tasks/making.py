"""A task as the user names it, made through the registry."""

from __future__ import annotations

from collections.abc import Callable

from mlxlab.core.components import made, task_spec
from mlxlab.core.entries import Entry
from mlxlab.core.errors import UsageError
from mlxlab.core.registry import Registry, config_model
from mlxlab.core.task import Task


def maker(text: str, registry: Registry) -> Callable[[], Task]:
    """How to make a task, again and again; says in one line what its name lacks.

    Raises:
        UnknownComponent: nothing registers the name.
        UsageError: the task needs an option that was not given.
        PluginError: the task's code could not be loaded.
    """
    spec = task_spec(text, registry)
    entry = registry.find("task", spec)
    given = set(spec.options)
    argument = getattr(config_model(registry.load(entry)), "argument", None)
    if spec.argument is not None and argument:
        given.add(argument)
    lacking = [name for name in needs(entry, registry) if name not in given]
    if lacking:
        field = lacking[0]
        form = f"{spec.name}:{field.upper()}" if field == argument else f"{spec.name}?{field}=..."
        about = needs(entry, registry)[field]
        raise UsageError(f"The task '{spec.name}' needs its {field}.", f"Write {form}. {about}")
    return lambda: made(registry, "task", spec).instance


def needs(entry: Entry, registry: Registry) -> dict[str, str]:
    """The options that a task cannot be made without, and what each is."""
    model = config_model(registry.load(entry))
    fields = model.model_fields if model is not None else {}
    return {name: f.description or "" for name, f in fields.items() if f.is_required()}
