"""The run folder: the one place that writes and reads it."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from json import dumps, loads  # bound now, whatever a plugin replaces later
from pathlib import Path

from mlxlab.core.errors import RecordError
from mlxlab.core.jsonl import JsonlWriter, read_jsonl
from mlxlab.core.manifest import RunManifest
from mlxlab.core.records import SCHEMA, Call, Decision, Message, PrivateScore, Step
from mlxlab.core.removal import remove_tree

HALF_WRITTEN = ("run.json.new", "messages/.*.new", "states/.*.new", "states/blobs/.new-*")
"""What a killed process may have been writing: patterns below a run's folder."""


class RunFolder:
    """Reads a run; every method tolerates a run that is being written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def manifest(self) -> RunManifest:
        """run.json; raises RecordError if this is no run or one of another schema."""
        path = self.path / "run.json"
        try:
            raw = loads(path.read_bytes())
            version = raw.get("schema") if isinstance(raw, dict) else None
            if version != SCHEMA:
                raise RecordError(
                    f"{path} has schema {version}; this version reads schema {SCHEMA}."
                )
            return RunManifest.model_validate(raw)
        except OSError as error:
            raise RecordError(f"{self.path} is not a run folder: it has no run.json.") from error
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{path} cannot be read: {_first_line(error)}.") from error

    def steps(self) -> list[Step]:
        """The recorded steps in the order of their recording."""
        return read_jsonl(self.path / "steps.jsonl", Step)

    def decisions(self) -> list[Decision]:
        """The decisions of every step that was begun, in the order of their beginning."""
        return read_jsonl(self.path / "decisions.jsonl", Decision)

    def calls(self) -> list[Call]:
        """The recorded policy calls in the order of their recording."""
        return read_jsonl(self.path / "calls.jsonl", Call)

    def private_scores(self) -> dict[int, PrivateScore]:
        """Private scores by step: for people and reports, never for an agent."""
        scores = read_jsonl(self.path / "scores.jsonl", PrivateScore)
        return {score.step: score for score in scores}

    def prompt(self, reference: str) -> list[Message]:
        """The messages that a reference stands for."""
        messages = loads(self._message(reference))
        return [
            Message(role=item["role"], content=self._message(item["content"])) for item in messages
        ]

    def _message(self, digest: str) -> str:
        """A message by its hash; what does not have that hash is not handed out."""
        try:
            data = (self.path / "messages" / digest).read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return data.decode("utf-8", "surrogatepass")
        except (OSError, ValueError) as error:
            raise RecordError(f"The message {digest[:12]} is missing from {self.path}.") from error
        raise RecordError(f"The message {digest[:12]} in {self.path} was altered; it is not used.")


class RunWriter(RunFolder):
    """Writes a run; at most one process at a time.

    Raises:
        RecordError: another process is writing this run, or nobody can.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            for name in ("messages", "states", "best"):
                (path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._lock = _take(path)
        try:
            _sweep(path)
            self._steps = JsonlWriter(path / "steps.jsonl")
            self._decisions = JsonlWriter(path / "decisions.jsonl")
            self._calls = JsonlWriter(path / "calls.jsonl")
            self._scores = JsonlWriter(path / "scores.jsonl", mode=0o600)
        except OSError as error:
            os.close(self._lock)
            raise _unwritable(path, error) from error

    @property
    def scratch(self) -> Path:
        """Where sandboxes work; it goes when the run is closed."""
        return self.path / "scratch"

    def write_manifest(self, manifest: RunManifest) -> None:
        """Replace run.json in one move."""
        new = self.path / "run.json.new"
        try:
            new.write_text(manifest.model_dump_json(by_alias=True, indent=1) + "\n")
            new.replace(self.path / "run.json")
        except OSError as error:
            new.unlink(missing_ok=True)
            what = error.strerror or str(error)
            raise RecordError(f"{self.path / 'run.json'} cannot be written: {what}.") from error

    def add_prompt(self, messages: Sequence[Message]) -> str:
        """Keep messages, each content once; returns the reference."""
        for message in messages:
            self._put(message.content)
        return self._put(_listed(messages))

    def add_decision(self, decision: Decision) -> None:
        """Record a decision when its step begins: later ones are made with it in flight."""
        self._decisions.append(decision)

    def add_call(self, call: Call) -> None:
        """Record a call, durably if it cost money or may have."""
        completion = call.completion
        self._calls.append(call, durable=completion is not None and completion.cost_usd != 0)

    def add_step(self, step: Step, private: PrivateScore) -> None:
        """Record a step; its private score first, so that no step is ever without one."""
        self._scores.append(private)
        self._steps.append(step)

    def close(self) -> None:
        """Close the files and let another process write; a second call does nothing."""
        with suppress(OSError):
            remove_tree(self.scratch)
        for writer in (self._steps, self._decisions, self._calls, self._scores):
            writer.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _put(self, text: str) -> str:
        digest = _digest(text)
        target = self.path / "messages" / digest
        if not target.exists():
            new = target.with_name(f".{digest}.new")
            new.write_bytes(text.encode("utf-8", "surrogatepass"))
            new.replace(target)
        return digest


def reference(messages: Sequence[Message]) -> str:
    """What `RunWriter.add_prompt` returns for these messages."""
    return _digest(_listed(messages))


def _listed(messages: Sequence[Message]) -> str:
    return dumps([{"role": m.role, "content": _digest(m.content)} for m in messages])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Be the only process that changes a run's folder; raises RecordError if another one is."""
    lock = _take(path)
    try:
        yield
    finally:
        os.close(lock)


def _take(path: Path) -> int:
    try:
        refuse_links(path)
        lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise RecordError(f"The run {path} is being written by another process.") from error
    return lock


def _unwritable(path: Path, error: OSError) -> RecordError:
    return RecordError(f"The run {path} cannot be written: {error.strerror or error}.")


def refuse_links(path: Path) -> None:
    """A link in a run folder, which may come from elsewhere, would be written through."""
    places = [*path.iterdir(), *(path / "states").glob("blobs")]
    for place in places:
        if place.is_symlink():
            raise RecordError(f"{place} is a link; a run folder has none.", "Remove it.")


def _sweep(path: Path) -> None:
    """Remove what a killed process was still writing; only under the lock."""
    with suppress(OSError):
        remove_tree(path / "scratch")
    for pattern in HALF_WRITTEN:
        for place in path.glob(pattern):
            remove_tree(place)


def find_run(name: str, root: Path) -> RunFolder:
    """A run by its folder, its id, an unambiguous beginning of it, or `latest`, below `root`.

    Raises:
        RecordError: no run or several fit.
    """
    if name == "latest" and (runs := list_runs(root)):
        return runs[-1]
    for path in (Path(name), root / name):
        if (path / "run.json").is_file():
            return RunFolder(path)
    fitting = sorted(path.parent for path in root.glob(f"{_plain(name)}*/run.json"))
    if len(fitting) == 1:
        return RunFolder(fitting[0])
    if fitting:
        names = ", ".join(path.name for path in fitting[:5])
        raise RecordError(f"Several runs begin with '{name}': {names}.")
    raise RecordError(
        f"There is no run '{name}' in {root}.", "'mlx runs list' shows what there is."
    )


def list_runs(root: Path) -> list[RunFolder]:
    """Every run folder directly below `root`, by name."""
    return [RunFolder(path.parent) for path in sorted(root.glob("*/run.json"))]


def _plain(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name.strip("/"))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
