"""Checks that the answers cannot be had: a program looks for them, the host grades what it found.

The program is in the folder `cheat`. It does not report what a model of the training rows
predicts: only rows found elsewhere, in further public files or a second time in the training
table count, and what the mere order of the rows tells.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlxlab.core.errors import MlxError
from mlxlab.core.records import Limits
from mlxlab.core.task import Grade
from mlxlab.testing.taskcheck.bar import Bar, bar, completed
from mlxlab.testing.taskcheck.finding import Finding, failed, passed, skipped
from mlxlab.testing.taskcheck.running import MAX_BYTES, execute, opened, problem
from mlxlab.testing.taskcheck.subject import Subject, score

ROUTES = {
    "outside": "no-answers-outside",
    "public": "no-answers-in-files",
    "twins": "no-test-rows-in-train",
    "order": "no-answers-in-order",
}
"""The check's id for each way that the program tries."""

SHOWN = 3
"""Further places that are named in the line."""

LOOK_S = 40.0
LIMITS = Limits(wall_s=300.0, memory_bytes=8 << 30)
PROGRAM = Path(__file__).with_name("cheat")
START = b"""\
import json
from contextlib import suppress
from cheat.main import main

main(json.load(open("setting.json")))
"""


def no_leaks(subject: Subject, look_s: float | None = None) -> list[Finding]:
    """Run the program in the sandbox and grade what it hands in, way by way.

    It looks for `look_s` seconds among files that are not the task's own; None: for `LOOK_S`.
    """
    contract = subject.info.submission
    if contract.form != "table" or not contract.sample:
        lack = "what is handed in is no table" if contract.sample else "there is no sample to fill"
        told = f"Not applicable: {lack}, so answers that were found could not be graded."
        return [skipped(check, told) for check in ROUTES.values()]
    try:
        report, files, why = asyncio.run(_cheat(subject, LOOK_S if look_s is None else look_s))
    except MlxError:
        raise
    except Exception as error:
        report, files, why = {}, {}, f"the sandbox raises {type(error).__name__}"
    if why is not None:
        told = f"The search for answers could not be carried out: {why}."
        return [failed(check, told) for check in ROUTES.values()]
    return [_judged(subject, route, report, files) for route in ROUTES]


async def _cheat(
    subject: Subject, look_s: float
) -> tuple[dict[str, Any], dict[str, bytes], str | None]:
    contract = subject.info.submission
    setting = {
        "id_column": contract.id_column,
        "predicted": contract.columns,
        "target": subject.info.target,
        "sample": contract.sample,
        "seconds": look_s,
    }
    files = {f"cheat/{path.name}": path.read_bytes() for path in sorted(PROGRAM.glob("*.py"))}
    files |= {"look.py": START, "setting.json": json.dumps(setting).encode()}
    async with opened(subject, "cheat") as sandbox:
        result = await execute(sandbox, files, "look.py", LIMITS)
        if why := problem(result):
            return {}, {}, why
        try:
            report = json.loads(await sandbox.read("found/report.json", MAX_BYTES))
        except FileNotFoundError:
            return {}, {}, "the program left no report"
        paths = [path for leak in report["leaks"] for path in leak["paths"]] + report["honest"]
        return report, {path: await sandbox.read(path, MAX_BYTES) for path in paths}, None


def _judged(
    subject: Subject, route: str, report: dict[str, Any], files: dict[str, bytes]
) -> Finding:
    check, base = ROUTES[route], subject.baseline
    if base is None:
        return failed(check, "There is no baseline to compare with, not even by the sample.")
    joined: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    honest: Bar | None = None
    for leak in (leak for leak in report["leaks"] if leak["route"] == route):
        grade = _best(subject, [files[path] for path in leak["paths"]], base)
        if grade is None or grade.private is None:
            continue
        noise = subject.noise(grade)
        facts = {k: v for k, v in leak.items() if k not in {"paths", "route", "missed"}}
        facts |= {"private": grade.private, "noise": noise}
        counts = subject.gain(grade.private, base) > noise
        if not leak["sure"]:
            honest = honest or _bar(subject, report, files, base)
            facts["honest"] = honest.score
            counts = counts and _beats(subject, honest, grade, leak, files)
        joined.append(facts)
        if counts:
            told.append(facts)
    if told:
        return _found(check, subject, told, base)
    return passed(check, _quiet(route, report, joined, base), tried=joined, **_searched(report))


def _bar(subject: Subject, report: dict[str, Any], files: dict[str, bytes], base: float) -> Bar:
    quick = _best(subject, [files[path] for path in report["honest"]], base)
    return bar(subject, quick, base)


def _beats(
    subject: Subject, honest: Bar, grade: Grade, leak: dict[str, Any], files: dict[str, bytes]
) -> bool:
    """Whether what a column gives is better than what is honest, or as good as the answers."""
    if honest.beaten(subject, grade):
        return True
    missed = frozenset(leak["missed"])
    whole = [completed(subject, files[path], missed) for path in leak["paths"]]
    closed = _best(subject, [data for data in whole if data is not None], honest.score)
    return honest.answered(subject, closed, leak["coverage"])


def _found(check: str, subject: Subject, told: list[dict[str, Any]], base: float) -> Finding:
    """The best way in whole, and the other places by name."""
    best = max(told, key=lambda facts: subject.gain(facts["private"], base))
    places = dict.fromkeys(_place(facts["source"]) for facts in (best, *told))
    return failed(
        check,
        _told(best, base) + _also(list(places)[1:]),
        leak=best,
        package=_package(best["source"]),
        places=list(places),
    )


def _also(places: list[str]) -> str:
    """The other places where answers were found: the first few, and how many more."""
    if not places:
        return ""
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return f" Also in {', '.join(places[:SHOWN])}{more}."


def _best(subject: Subject, submissions: list[bytes], base: float) -> Grade | None:
    """The best grade of the forms of one prediction that are valid."""
    scored: list[tuple[float, int, Grade]] = []
    for number, data in enumerate(submissions):
        with suppress(Exception):  # that a grader raises is what `malformed-refused` finds
            grade = subject.grade(data)
            if grade.valid and grade.private is not None:
                scored.append((subject.gain(grade.private, base), number, grade))
    return max(scored)[2] if scored else None


def _told(facts: dict[str, Any], base: float) -> str:
    package = _package(facts["source"])
    whose = f" of the package {package}" if package else ""
    return (
        f"'{facts['column']}' in {_place(facts['source'])}{whose}, joined on {facts['on']} "
        f"({facts['coverage']:.0%} of the test rows), scores {score(facts['private'])}; "
        + _against(facts, base)
    )


def _against(facts: dict[str, Any], base: float) -> str:
    if "honest" in facts:
        return f"honest solutions score {score(facts['honest'])}, the baseline is {score(base)}."
    return f"the baseline is {score(base)}, the noise {score(facts['noise'])}."


def _quiet(route: str, report: dict[str, Any], joined: list[dict[str, Any]], base: float) -> str:
    if joined:
        best = joined[0]
        told = f"'{best['column']}' of {_place(best['source'])} scores {score(best['private'])}"
        if "honest" in best:
            return f"{told}, not more than honest solutions do ({score(best['honest'])})."
        return f"{told}, no better than the baseline {score(base)} but by noise."
    if route == "outside":
        left = report["files"] - report["read"]
        rest = f"; {left} were left for want of time" if left else ""
        if report["unjoined"]:
            rest += f"; {len(report['unjoined'])} of the tables could not be joined"
        return f"{report['tables']} tables in {report['read']} files do not give them{rest}."
    return {
        "public": "No further public file has a copy of the target.",
        "twins": "Test rows stand in train.csv no oftener than training rows do among themselves.",
        "order": "Neither ids nor places in the file tell the target.",
    }[route]


def _searched(report: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key not in {"leaks", "honest"}}


def _place(source: str) -> str:
    """A path as people look for it: from the package on, if it lies in one."""
    for folder in ("/site-packages/", "/dist-packages/"):
        if folder in source:
            return source.rpartition(folder)[2]
    return source


def _package(source: str) -> str | None:
    place = _place(source)
    return place.partition("/")[0] if place != source else None
