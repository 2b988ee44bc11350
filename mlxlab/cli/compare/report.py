"""From the options of `mlx compare` to a report in the form that was asked for."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path

from mlxlab.api.comparing import Comparison, as_json, compare, grading_report
from mlxlab.api.comparing.flat import flat_rows
from mlxlab.cli.stdout import out
from mlxlab.cli.text import plain
from mlxlab.core.errors import MlxError, UsageError

BY_SUFFIX = {".md": "markdown", ".csv": "csv", ".json": "json"}


def report(args: argparse.Namespace) -> int:
    """Compare, write, and name what could not be read; returns the exit status."""
    form = _form(args)
    comparison = compare(
        *args.paths,
        by=",".join(args.by),
        score=",".join(args.score),
        public=args.public,
        allow_mixed=args.allow_mixed,
        out=args.out,
    )
    if form == "terminal":
        from mlxlab.cli.compare.terminal import print_comparison

        print_comparison(comparison)
    else:
        _write(_text(comparison, form, args.table), args.output)
    for line in comparison.unreadable:
        print("unreadable:", plain(line), file=sys.stderr)
    return 1 if comparison.unreadable else 0


def _form(args: argparse.Namespace) -> str:
    """The form that was named, by an option or by the file's name."""
    named = "json" if args.json else args.format
    if args.json and args.format not in (None, "json"):
        raise UsageError(f"--json is --format json, not --format {args.format}.")
    by_name = BY_SUFFIX.get(args.output.suffix) if args.output else "terminal"
    form: str | None = named or by_name
    if form is None or (form == "terminal" and args.output):
        raise UsageError(
            f"What {args.output} is to hold is not clear.",
            "Name it .md, .csv or .json, or say --format.",
        )
    return form


def _text(comparison: Comparison, form: str, table: str) -> str:
    if form == "markdown":
        from mlxlab.cli.compare.markdown import as_markdown

        return as_markdown(comparison)
    if form == "csv":
        return _csv(comparison, table)
    value = as_json(comparison) if form == "json" else _mle_bench(comparison)
    return json.dumps(value, indent=1) + "\n"


def _csv(comparison: Comparison, table: str) -> str:
    """With what others wrote made harmless: it may be read in a terminal."""
    rows = [
        {plain(name): plain(v) if isinstance(v, str) else v for name, v in row.items()}
        for row in flat_rows(comparison, table)
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _mle_bench(comparison: Comparison) -> object:
    """One report an agent: of several arms an object of reports by arm."""
    pairs = list(zip(comparison.results, comparison.arm_of_result, strict=True))
    reports = {
        row.arm: grading_report(
            [run for run, arm in pairs if arm == row.arm and run.finished], comparison.signal
        )
        for row in comparison.arms
    }
    return next(iter(reports.values())) if len(reports) == 1 else reports


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="", file=out())
        return
    new = output.with_name(f"{output.name}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.replace(output)
    except OSError as error:
        raise MlxError(f"{output} cannot be written: {error.strerror or error}.") from error
    finally:
        new.unlink(missing_ok=True)
