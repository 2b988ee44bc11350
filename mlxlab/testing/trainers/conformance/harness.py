"""Trainings in folders of their own, and what was seen of each."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from mlxlab.core.trainer import PolicyRef, Trainer, TrainJob, TrainProgress
from mlxlab.core.training.examples import Corpus
from mlxlab.testing.found import output
from mlxlab.testing.kit import Conformance
from mlxlab.testing.trainers.material import REWARD, NoArena, ToyArena, toy_corpus

SEED = 7
Tell = Callable[[TrainProgress], None]


@dataclass
class Trained:
    """What was seen of one training."""

    out: Path
    ref: PolicyRef | None = None
    told: list[TrainProgress] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    arena: Any = None
    printed: str = ""
    ended_in: Path | None = None
    """The working folder when it had ended."""

    @property
    def steps(self) -> list[int]:
        """The numbers of the steps that were told."""
        return [each.step for each in self.told]


class Harness(Conformance, ABC):
    """Trains once for all checks that only look; the others train in folders of their own."""

    prefix = "trainer"
    basics = ("result_is_final",)
    checkpoint: ClassVar[bool] = False
    """Whether training begins with a model's weights: a tiny checkpoint, which takes torch."""
    options: ClassVar[Mapping[str, Any]] = {}
    """Options of two steps or more that take seconds: what `mlx plugins check` makes it with."""
    declarable = ("base", "checkpoint", "corpus", "options")

    folder: ClassVar[Path]
    first: ClassVar[PolicyRef]
    """Where every training begins."""
    _seen: ClassVar[dict[str, Trained | BaseException]]

    @classmethod
    @abstractmethod
    def make(cls) -> Trainer:
        """A new trainer, with options that make two steps or more, in seconds."""

    @classmethod
    def base(cls, folder: Path) -> PolicyRef:
        """The model that training begins with, written into a folder.

        A tiny checkpoint of Hugging Face where `checkpoint` says so, else a configuration alone.
        """
        if cls.checkpoint:
            from mlxlab.testing.checkpoints import tiny_checkpoint

            tiny_checkpoint(folder)
        else:
            (folder / "config.json").write_text('{"model_type": "qwen2"}')
        return PolicyRef(spec=f"local:{folder}")

    @classmethod
    def corpus(cls) -> Corpus:
        """What is learned from."""
        return toy_corpus()

    @classmethod
    def setup_class(cls) -> None:
        """Make the base, beside a folder to work in."""
        cls.folder = Path(tempfile.mkdtemp(prefix="mlx-trainer-")).resolve()
        cls._seen = {}
        try:
            for name in ("base", "work", "out"):
                (cls.folder / name).mkdir()
            cls.first = cls.base(cls.folder / "base")
        except BaseException:
            shutil.rmtree(cls.folder)
            raise

    @classmethod
    def teardown_class(cls) -> None:
        """Leave nothing behind."""
        shutil.rmtree(cls.folder)

    @classmethod
    def train(
        cls, name: str, tell: Tell = lambda told: None, root: Path | None = None, **changes: Any
    ) -> Trained:
        """Train into `out/name`, or go on there; raises what the trainer raises.

        Args:
            name: of the training's folder.
            tell: hears of its steps.
            root: where `out` and the working folder lie; None: where those of the others do.
            changes: what the job is beside the usual.
        """
        trainer = cls.make()
        root = root or cls.folder
        out, work = root / "out" / name, root / "work"
        for folder in (out, work):
            folder.mkdir(parents=True, exist_ok=True)
        seen = Trained(out, arena=ToyArena() if trainer.needs_arena else None)

        def heard(progress: TrainProgress) -> None:
            given: object = progress
            fits = isinstance(given, TrainProgress)
            assert fits, f"tell got {given!r:.80}, which is no TrainProgress"
            seen.told.append(progress)
            tell(progress)

        given: dict[str, Any] = {
            "corpus": cls.corpus(), "base": cls.first, "out": out, "arena": seen.arena,
            "reward": REWARD, "seed": SEED, "tell": heard, "warn": seen.warned.append,
        }  # fmt: skip
        given.update(changes)
        seen.arena = given["arena"]
        with within(work), output() as printed:
            seen.ref = trainer.train(TrainJob(**given))
            seen.ended_in = Path.cwd()
        seen.printed = printed[0]
        return seen

    @classmethod
    def whole(cls) -> Trained:
        """The training that all checks look at; what it was at its first step is kept for one."""
        return cls.once("whole", cls._whole)

    @classmethod
    def again(cls) -> Trained:
        """The same training anew; an arena that is not needed notes who touches it."""
        needed = cls.make().needs_arena
        more: dict[str, Any] = {} if needed else {"arena": NoArena()}
        return cls.once("again", lambda: cls.train("again", **more))

    @classmethod
    def killed(cls) -> Trained:
        """The training that goes on from what was on disk when the first step was told."""
        return cls.once("killed", cls._killed)

    @classmethod
    def once(cls, name: str, make: Callable[[], Trained]) -> Trained:
        """What `make` saw when it was first asked for, or what it raised then."""
        if name not in cls._seen:
            try:
                cls._seen[name] = make()
            except Exception as error:
                cls._seen[name] = error
        found = cls._seen[name]
        if isinstance(found, BaseException):
            raise found
        return found

    @classmethod
    def _whole(cls) -> Trained:
        kept = cls.folder / "killed"

        def tell(progress: TrainProgress) -> None:
            if not kept.exists():
                shutil.copytree(cls.folder / "out" / "whole", kept, symlinks=True)

        seen = cls.train("whole", tell)
        assert len(seen.told) > 1, (
            f"train called job.tell for {len(seen.told)} steps, of two or more that are needed "
            "here: it tells of each, and `options` (or make() of a test class) make it so many"
        )
        return seen

    @classmethod
    def _killed(cls) -> Trained:
        """In the place that the training had, since a checkpoint may name it."""
        out = cls.whole().out
        done = out.with_name("done")
        out.rename(done)
        try:
            (cls.folder / "killed").rename(out)
            seen = cls.train("whole")
            out.rename(out.with_name("killed"))
        finally:
            shutil.rmtree(out, ignore_errors=True)
            done.rename(out)
        return seen


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of each file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Work in a folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
