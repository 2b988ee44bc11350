"""What a new plugin's name stands for, and why some names are refused."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass

from mlxlab.core.entries import Entry, installed, of_kind
from mlxlab.core.errors import UsageError
from mlxlab.core.registry import PYTHON, Registry

KINDS = ("scaffold", "policy", "sandbox", "reward", "task", "trainer", "command")
MOST_CHARS = 40
_STEM = 20
_BESIDE = {"trainer": ("policy",)}
"""By kind: what else its package registers by the same name."""
_NAME = re.compile(r"[a-z]([a-z0-9]|[-_.](?=[a-z0-9]))*", re.IGNORECASE)
_OWN = ("mlxlab-", "mlx-")
"""What distributions of plugins begin with, and components need not."""


@dataclass(frozen=True)
class Names:
    """One name in all the forms that a package needs it in."""

    kind: str
    distribution: str

    @property
    def module(self) -> str:
        """What is imported."""
        return re.sub(r"[-.]+", "_", self.distribution).lower()

    @property
    def component(self) -> str:
        """What is written after `--kind`, or after `mlx` for a command."""
        plain = re.sub(r"[-_.]+", "-", self.distribution).lower()
        own = next((word for word in _OWN if plain.startswith(word)), "")
        return plain.removeprefix(own)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the package registers under its name: its kind, and what belongs to it."""
        return (self.kind, *_BESIDE.get(self.kind, ()))

    @property
    def stem(self) -> str:
        """What its classes begin with: as many of its words as make no line too long."""
        # No class begins with a digit: mlx-3d is Mlx3d.
        whole = self.component if self.component[0].isalpha() else self.module.replace("_", "-")
        words = [word.capitalize() for word in whole.split("-")]
        if len(words) > 1 and words[-1] == self.kind.capitalize():
            words.pop()
        while len(words) > 1 and len("".join(words)) > _STEM:
            words.pop()
        return "".join(words)[:_STEM]

    @property
    def placeholders(self) -> dict[str, str]:
        """What stands in templates, and what it becomes."""
        return {
            "distribution": self.distribution,
            "module": self.module,
            "name": self.component,
            "stem": self.stem,
            "kind": self.kind,
        }


def named(kind: str, name: str) -> Names:
    """The forms of a name that a new plugin may have.

    Raises:
        UsageError: no package or component can have it, or another one has.
    """
    if not _NAME.fullmatch(name) or len(name) > MOST_CHARS:
        raise UsageError(
            f"'{name}' is no name for a package.",
            f"Take at most {MOST_CHARS} ASCII letters, digits and single dashes, a letter first: "
            "my-plugin.",
        )
    names = Names(kind, name)
    if names.component == PYTHON or keyword.iskeyword(names.module):
        raise _taken(name, "is a word of Python's")
    if names.module in sys.stdlib_module_names:
        raise _taken(name, "is a module of Python's own")
    for each in names.kinds:
        _refuse_component(names, each)
    _refuse_installed(names)
    return names


def _refuse_component(names: Names, kind: str) -> None:
    """Refuse a component's name that has an owner: one of the two could be reached by no name."""
    same = [e for e in of_kind(installed(), kind) if e.name == names.component]
    if same:
        whose: Entry = same[0]
        written = f"{names.distribution}::{names.component}"
        owner = "is built in" if whose.builtin else f"is in {whose.distribution}"
        raise UsageError(
            f"The {kind} '{names.component}' {owner}: yours would only be reached as '{written}'.",
            "Take another name.",
        )
    taken, _ = Registry.installed().aliases(kind)
    if names.component in taken:
        raise UsageError(
            f"'{names.component}' is a preset that 'mlx policies list' shows.", "Take another name."
        )


def _refuse_installed(names: Names) -> None:
    try:
        found = importlib.metadata.version(names.distribution)
    except importlib.metadata.PackageNotFoundError:
        if _importable(names.module):
            raise _taken(names.module, "is the name of a module that is installed") from None
    else:
        raise _taken(names.distribution, f"is installed already, in version {found}")


def _importable(module: str) -> bool:
    """Whether a module is there; a folder of that name in the working directory is none."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None


def _taken(name: str, why: str) -> UsageError:
    return UsageError(f"'{name}' {why}.", f"Take another name, such as mlxlab-{name.lower()}.")
