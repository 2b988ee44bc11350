"""Look everywhere, join what can be joined, write what it predicts, and say what it was."""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from . import judge, leaks
from .leaks import Leak
from .own import Contract, Own, load
from .readers import read
from .submit import test_ids, variants
from .tables import Table
from .walk import candidates

OUT = "found"
TRIED, OF_ONE = 12, 4
"""Leaks of one route, and of one file, that are written out: the most promising ones."""

WALK_S = 10.0
CERTAIN = 0.9
"""What a leak promises that makes it needless to look long: explained times covered."""

MORE_S = 8.0
"""How long other places are looked for once there is such a leak."""


def main(setting: dict[str, Any]) -> None:
    """Write submissions below `found/` and `found/report.json`.

    Args:
        setting: id_column, predicted, target, sample, and seconds to look outside.
    """
    warnings.simplefilter("ignore")
    seconds = float(setting["seconds"])
    own = load(
        Contract(
            sample=setting["sample"],
            id_column=setting["id_column"],
            predicted=tuple(setting["predicted"]),
            target=tuple(setting["target"]),
        )
    )
    found = [*leaks.twins(own), *leaks.order(own)]
    for table in own.others:
        found += leaks.public(own, table)
    looked = _look(own, found, seconds)
    honest = [] if all(leak.sure for leak in found) else list(leaks.honest(own))
    _complete(found, honest)
    report = {
        "train_rows": own.train,
        "test_rows": own.test,
        "columns": own.frame.shape[1],
        "blocks": len(own.blocks),
        **looked,
        "leaks": _write(own, found),
        "honest": [
            path for n, leak in enumerate(honest) for path in _written(own, leak, f"honest-{n}")
        ],
    }
    Path(OUT, "report.json").write_text(json.dumps(report))


def _complete(found: list[Leak], honest: list[Leak]) -> None:
    """Give the rows that an unsure leak has not found what an honest model says."""
    import numpy as np

    for place, leak in enumerate(found if honest else []):
        usual = honest[0].predicted
        if not leak.sure and leak.predicted is not None and usual is not None:
            missed = np.isnan(leak.predicted).any(axis=1)
            whole = np.where(missed[:, None], usual, leak.predicted)
            facts = {**leak.facts, "missed": missed}
            found[place] = replace(leak, predicted=whole, facts=facts)


def _look(own: Own, found: list[Leak], seconds: float) -> dict[str, Any]:
    """Join every table outside; stops when the time is up, soon if the answers were found.

    It is processor time: on a busy machine the search takes longer and finds the same.
    """
    began = time.process_time()
    until = began + seconds
    search = _Search(own, found)
    files = 0
    for paths in candidates(str(Path.cwd()), own.test // 10, min(WALK_S, seconds / 4)):
        files += len(paths)
        for path in paths:
            if time.process_time() > until:
                break
            search.try_file(path)
            if search.successful:
                until = min(until, search.successful + MORE_S)
        if search.successful and time.process_time() > until:
            break
    return {
        "files": files,
        "read": search.read,
        "tables": search.tables,
        "seconds": round(time.process_time() - began, 2),
        "unjoined": search.unjoined,
    }


class _Search:
    """What was opened and joined so far."""

    def __init__(self, own: Own, found: list[Leak]) -> None:
        self._own = own
        self._found = found
        self.read = 0
        self.tables = 0
        self.unjoined: list[str] = []
        self.successful = 0.0
        """When the answers were found, by the clock of `_look`; 0 if they were not."""

    @cached_property
    def _honest(self) -> float:
        return judge.honest(self._own) if self._own.known is not None else 0.0

    def try_file(self, path: str) -> None:
        """Join the tables of one file."""
        self.read += 1
        unsure: list[Leak] = []
        for table in _tables(path):
            self.tables += 1
            if len(table) < max(10, self._own.test // 20) and not table.blocks:
                continue
            try:
                new = leaks.outside(self._own, table, self._honest)
            except Exception as error:
                self.unjoined.append(f"{table.source}: {error!r}")
                continue
            self._found += (leak for leak in new if leak.sure)
            unsure += (leak for leak in new if not leak.sure)
            if any(leak.promise > CERTAIN and not leak.copied and leak.sure for leak in new):
                self.successful = self.successful or time.process_time()
        # Many files may have some; each hands in its best ones only.
        self._found += sorted(unsure, key=lambda leak: -leak.promise)[:OF_ONE]


def _tables(path: str) -> Iterator[Table]:
    """The tables of a file, as far as it can be read."""
    with contextlib.suppress(Exception):  # strangers' files: a reader may fail in any way
        yield from read(path)


def _write(own: Own, found: list[Leak]) -> list[dict[str, Any]]:
    Path(OUT).mkdir(exist_ok=True)
    told = []
    for route in ("outside", "public", "twins", "order"):
        chosen = _chosen([leak for leak in found if leak.route == route])
        for number, leak in enumerate(chosen):
            paths = _written(own, leak, f"{route}-{number}")
            one = {"route": route, **leak.facts, "sure": leak.sure, "paths": paths}
            if not leak.sure:
                one["missed"] = test_ids(own)[leak.facts["missed"]].tolist()
            told.append(one)
    return told


def _chosen(found: list[Leak]) -> list[Leak]:
    """The most promising ones, of several files if there are several."""
    taken: Counter[str] = Counter()
    kept = []
    for leak in sorted(found, key=lambda leak: (not leak.sure, -leak.promise)):
        taken[leak.facts["source"]] += 1
        if taken[leak.facts["source"]] <= OF_ONE:
            kept.append(leak)
    # The best one of each file first: people want to know of every place.
    best = {leak.facts["source"]: leak for leak in reversed(kept)}
    firsts = [leak for leak in kept if best[leak.facts["source"]] is leak]
    rest = [leak for leak in kept if best[leak.facts["source"]] is not leak]
    return [*firsts, *rest][:TRIED]


def _written(own: Own, leak: Leak, name: str) -> list[str]:
    """Write what it predicts in each form; returns the paths."""
    paths = []
    for form, frame in variants(own, leak).items():
        paths.append(f"{OUT}/{name}-{form}.csv")
        frame.to_csv(paths[-1], index=False, lineterminator="\n")
    return paths
