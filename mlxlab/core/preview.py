"""A preview of a task's public files for prompts: the tree, and what the tables hold."""

from __future__ import annotations

import ast
import csv
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mlxlab.core.columns import clean, read_table

MAX_DEPTH = 4
LISTED = 8
"""Files of one folder and suffix, and folders of one folder, that are listed; the rest counted."""
LOOKED_INTO = 30
TABLES = frozenset({".csv", ".tsv"})
ARRAYS = frozenset({".npy", ".npz"})
HEAD_CHARS = 400
NUMBERS = {"u": "uint", "i": "int", "f": "float", "c": "complex", "b": "bool"}


def preview(folder: Path, max_chars: int = 6000) -> str:
    """Describe the files below a folder in at most `max_chars` characters.

    The same files give the same text. Links and special files are listed and never opened; a
    file that cannot be read is said to be so. Too long a text is made simpler: fewer columns,
    then their names only, then the tree only.
    """
    entries = list(_walk(folder, 0))
    lines = [line for line, _ in entries]
    files = [path for _, path in entries if path is not None][:LOOKED_INTO]
    tree = "\n".join(lines) or "(no files)"
    for describe in (_full, _brief, _names):
        said = [f"## {_shown(path, folder)}\n{text}" for path in files if (text := describe(path))]
        text = "\n\n".join([tree, *said])
        if len(text) <= max_chars:
            return text
    if len(tree) <= max_chars:
        return tree
    mark = "\n[... cut ...]"
    return (tree[: max(0, max_chars - len(mark))] + mark)[:max_chars]


def _walk(folder: Path, depth: int) -> Iterator[tuple[str, Path | None]]:
    """The lines of the tree, each with the file it names if that may be opened."""
    pad = "  " * depth
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield f"{pad}({error.strerror or 'cannot be listed'})", None
        return
    counts: dict[str, int] = {}
    for entry in entries:
        kind = _kind(entry)
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > LISTED:
            continue
        name = clean(entry.name, 80)
        if kind == "folders":
            yield f"{pad}{name}/", None
            if depth < MAX_DEPTH:
                yield from _walk(Path(entry.path), depth + 1)
        elif kind == "special files":
            yield f"{pad}{name} (not a regular file)", None
        else:
            yield f"{pad}{name} ({_size(entry)})", Path(entry.path)
    for kind, count in sorted(counts.items()):
        if count > LISTED:
            yield f"{pad}... {count} {kind} in all", None


def _kind(entry: os.DirEntry[str]) -> str:
    """What an entry is listed and counted as."""
    if entry.is_dir(follow_symlinks=False):
        return "folders"
    if not entry.is_file(follow_symlinks=False):
        return "special files"
    suffix = Path(entry.name).suffix
    return f"'{clean(suffix)}' files" if suffix else "files without a suffix"


def _size(entry: os.DirEntry[str]) -> str:
    try:
        size = float(entry.stat(follow_symlinks=False).st_size)
    except OSError:
        return "size unknown"
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def _shown(path: Path, folder: Path) -> str:
    return clean(path.relative_to(folder).as_posix(), 120)


def _full(path: Path) -> str:
    if path.suffix.lower() in TABLES:
        return _guarded(path, lambda path: _table(path, first=40, last=10, details=True))
    return _guarded(path, _array if path.suffix.lower() in ARRAYS else _head)


def _brief(path: Path) -> str:
    if path.suffix.lower() in TABLES:
        return _guarded(path, lambda path: _table(path, first=12, last=4, details=True))
    return _guarded(path, _array) if path.suffix.lower() in ARRAYS else ""


def _names(path: Path) -> str:
    if path.suffix.lower() in TABLES:
        return _guarded(path, lambda path: _table(path, first=12, last=4, details=False))
    return ""


def _guarded(path: Path, describe: Callable[[Path], str]) -> str:
    """A description, or why there is none: a bad file costs its own lines only."""
    try:
        return describe(path)
    except (OSError, ValueError, EOFError, csv.Error) as error:
        return f"(cannot be read: {clean(str(error), 100)})"


def _table(path: Path, first: int, last: int, details: bool) -> str:
    """A table's columns; of a wide one the first and last."""
    table = read_table(path)
    count = len(table.columns)
    rows = f"{table.rows} rows" if table.complete else f"the first {table.rows} rows were looked at"
    heading = f"{count} columns, {rows}"
    if table.ragged:
        heading += f", {table.ragged} of them with another number of cells"
    shown = table.columns
    if gap := max(0, count - first - last):
        shown = shown[:first] + shown[count - last :]
    said = [f"- {c.describe()}" if details else f"{clean(c.name)} {c.kind}" for c in shown]
    if gap:
        said.insert(first, f"{'- ' if details else ''}... {gap} more columns ...")
    return "\n".join([heading, *said]) if details else f"{heading}: {', '.join(said)}"


def _array(path: Path) -> str:
    """The shape and type of numpy arrays, read from their headers."""
    if path.suffix.lower() != ".npy":
        return _archive(path)
    with path.open("rb") as file:
        start = file.read(1 << 16)
    wide = start[6:7] > b"\1"
    offset = 12 if wide else 10
    length = int.from_bytes(start[8:offset], "little")
    try:
        header = ast.literal_eval(start[offset : offset + length].decode("latin-1").strip())
        shape, kind = header["shape"], _dtype(header["descr"])
    except (SyntaxError, KeyError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError("no numpy array with a readable header") from error
    return f"array of shape {shape}, {kind}"


def _dtype(described: object) -> str:
    """A dtype as people write it; objects are pickles, which nobody should open."""
    if not isinstance(described, str) or described[1:2] not in NUMBERS:
        raise ValueError(f"an array of {described!r}")
    bits = int(described[2:]) * 8
    return "bool" if described[1] == "b" else f"{NUMBERS[described[1]]}{bits}"


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return "arrays " + ", ".join(clean(name.removesuffix(".npy")) for name in names[:20]) + more


def _head(path: Path) -> str:
    """The beginning of a text file; nothing for a binary one."""
    with path.open("rb") as file:
        start = file.read(4 * HEAD_CHARS)
    if not start or b"\0" in start:
        return ""
    text = start.decode("utf-8", errors="replace")
    if text.count("\N{REPLACEMENT CHARACTER}") > 2:
        return ""
    lines = [clean(line, 120) for line in text[:HEAD_CHARS].splitlines()[:8]]
    return "\n".join(f"> {line}" for line in lines)
