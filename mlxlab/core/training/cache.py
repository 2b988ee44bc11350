"""What came of actions that were carried out before: deterministic programs are run once."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from mlxlab.core.jsonl import JsonlWriter
from mlxlab.core.records import Observation, Probe, Record

SCHEMA = 1
OUTCOMES = "transitions.jsonl"
PRIVATE = "private.jsonl"
LOCK = ".lock"
"""Held while a line is appended: a failed append is taken back by cutting the file's end off."""


class Line(Record):
    """What the lines of both files have in common."""

    schema_version: int = Field(SCHEMA, alias="schema")
    key: str


class Outcome(Line):
    """What an action did from a start state; whoever judges it adds the rewards.

    `seconds` is the wall time of restoring, running, grading and probing.
    """

    observation: Observation
    probe: Probe | None = None
    next_state: str | None = None
    seconds: float = 0.0


class Private(Line):
    """The private score of an outcome's submission: for reports alone."""

    score: float


L = TypeVar("L", bound=Line)


class TransitionCache:
    """Outcomes by the hash of task, data, start state, action, limits, sandbox and seed.

    Kept in a folder as JSON lines that survive a kill; private scores in a file of their own, mode
    0600. Rewards are no part of it: they depend on the state's own score. Several processes may
    append to one folder; each finds what was there when it began, and what it added. Any thread
    may use it.

    Args:
        folder: None keeps it in memory.
        tell: hears, in a line each, of what could not be read, and once of a folder that cannot be
            written: outcomes are then kept in memory.
    """

    def __init__(
        self, folder: Path | None = None, tell: Callable[[str], None] = lambda line: None
    ) -> None:
        self.folder = folder
        self.hits = 0
        self.misses = 0
        self.problem = ""
        """Why the folder cannot be written; empty while it can."""
        self._tell = tell
        self._lock = threading.Lock()
        self._outcomes: dict[str, Outcome] = {}
        self._private: dict[str, float] = {}
        self._writers: tuple[JsonlWriter, JsonlWriter] | None = None
        self._held = -1
        if folder is not None:
            self._open(folder)

    def __len__(self) -> int:
        return len(self._outcomes)

    def get(
        self, key: str, fits: Callable[[Outcome], bool] = lambda outcome: True
    ) -> Outcome | None:
        """What came of it before; None where it was not carried out, or does not fit."""
        found = self._outcomes.get(key)
        found = found if found is not None and fits(found) else None
        with self._lock:
            self.hits += found is not None
            self.misses += found is None
        return found

    def put(self, outcome: Outcome, private: float | None = None) -> None:
        """Keep an outcome; its private score first, so that no outcome is ever without one."""
        with self._lock:
            if private is not None:
                self._private[outcome.key] = private
            self._outcomes[outcome.key] = outcome
            if self._writers is None:
                return
            outcomes, scores = self._writers
            try:
                with self._alone():
                    if private is not None:
                        scores.append(Private(key=outcome.key, score=private))
                    outcomes.append(outcome)
            except OSError as error:
                self._fail(error)

    def private(self, key: str) -> float | None:
        """The private score of an outcome: for reports alone, never for a trainer."""
        return self._private.get(key)

    def close(self) -> None:
        """Close the files; a second call does nothing. What is in memory stays."""
        with self._lock:
            for writer in self._writers or ():
                writer.close()
            self._writers = None
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    def _open(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._held = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            with self._alone():
                outcomes = JsonlWriter(folder / OUTCOMES)
                self._writers = outcomes, JsonlWriter(folder / PRIVATE, mode=0o600)
        except OSError as error:
            self._fail(error)
        self._outcomes = {line.key: line for line in self._read(OUTCOMES, Outcome)}
        self._private = {line.key: line.score for line in self._read(PRIVATE, Private)}

    def _read(self, name: str, model: type[L]) -> Iterator[L]:
        """Every line that can be used; a torn last one counts as nothing."""
        assert self.folder is not None
        path, others, corrupt = self.folder / name, 0, 0
        try:
            lines = path.read_bytes().split(b"\n")[:-1]
        except OSError:
            return
        for line in lines:
            try:
                found = model.model_validate_json(line)
            except ValidationError:
                corrupt += 1
                continue
            if found.schema_version == SCHEMA:
                yield found
            else:
                others += 1
        if others:
            self._tell(f"{path}: lines of another schema than {SCHEMA}, left out: {others}.")
        if corrupt:
            self._tell(f"{path}: lines that cannot be read, left out: {corrupt}.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._held, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._held, fcntl.LOCK_UN)

    def _fail(self, error: OSError) -> None:
        if not self.problem:
            why = error.strerror or str(error)
            self.problem = f"The cache {self.folder} cannot be written: {why}."
            self._tell(self.problem)
