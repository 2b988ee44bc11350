"""`mlx plugins new NAME --kind KIND`: write the package, and say what comes next."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from mlxlab.cli.plugins.new.making import contents, write
from mlxlab.cli.plugins.new.naming import Names, named
from mlxlab.cli.plugins.new.wording import usage
from mlxlab.cli.table import print_json


def new(kind: str, name: str, out: Path | None, as_json: bool) -> int:
    """Write a new plugin's package.

    Raises:
        UsageError: the name or the folder cannot be had.
    """
    names = named(kind, name)
    folder = out or Path(names.distribution)
    made = contents(names)
    write(folder, made)
    steps = _next(names, folder)
    if as_json:
        found = {"kind": kind, "name": names.component, "distribution": names.distribution}
        print_json({**found, "folder": str(folder), "files": sorted(made), "next": steps})
        return 0
    print(f"The {kind} '{names.component}' is in {folder}: {len(made)} files. Next:")
    for step in steps:
        print(f"  {step}")
    return 0


def _next(names: Names, folder: Path) -> list[str]:
    """The commands that install, test, check and use it."""
    return [
        f"cd {quote(str(folder))} && pip install -e '.[test]'",
        "pytest",
        f"mlx plugins check {names.kind}.{names.component}",
        *usage(names),
    ]
