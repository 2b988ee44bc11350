"""What exploration found: ideas of each task, which were kept, and how diverse they are."""

from __future__ import annotations

from pathlib import Path
from random import Random

from pydantic import Field, ValidationError

from mlxlab.core.errors import RecordError
from mlxlab.core.mistakes import mistake
from mlxlab.core.records import SCHEMA, Record

NAME = "ideas.json"
MOST_AT_ONCE = 3
"""A trajectory is given 1 to 3 ideas (both versions of the paper)."""


class Idea(Record):
    """A piece of advice in the policy's words; `axis` is what it is about, where one was asked."""

    text: str
    axis: str = ""


class TaskIdeas(Record):
    """One task's ideas.

    Args:
        task: its spec.
        calls: how often the policy was asked; None as `cost_usd`: unknown.
        before: mean distance of two candidates, in [0, 2]; None with fewer than two.
        after: the same of those that were kept.
    """

    task: str
    data_hash: str
    candidates: tuple[Idea, ...]
    kept: tuple[Idea, ...]
    calls: int
    cost_usd: float | None
    before: float | None
    after: float | None

    def drawn(self, rng: Random) -> tuple[str, ...]:
        """One trajectory's ideas: 1 to 3, equally likely; of distinct axes where there are any.

        v1 draws from all that were kept; v2 draws axes, shuffles them, and takes one idea of each.
        """
        axes: dict[str, list[str]] = {}
        for idea in self.kept:
            axes.setdefault(idea.axis, []).append(idea.text)
        if len(axes) <= 1:
            texts = [idea.text for idea in self.kept]
            return tuple(rng.sample(texts, min(rng.randint(1, MOST_AT_ONCE), len(texts))))
        chosen = rng.sample(list(axes), min(rng.randint(1, MOST_AT_ONCE), len(axes)))
        return tuple(rng.choice(axes[axis]) for axis in chosen)


class Explored(Record):
    """The whole of ideas.json.

    Args:
        policy, scaffold: specs of who was asked, and of whose prompts the ideas go into.
        embedder: what made vectors of the ideas: `tfidf`, or `sentence-transformers:` and the
            folder of the model as it was given.
        embedder_hash: sha256 of the files that this model is loaded from; empty for `tfidf`.
        version: of the paper's selection, 1 or 2.
    """

    schema_version: int = Field(SCHEMA, alias="schema")
    policy: str
    scaffold: str
    embedder: str
    embedder_hash: str = ""
    version: int
    seed: int
    tasks: dict[str, TaskIdeas]

    @classmethod
    def read(cls, folder: Path) -> Explored:
        """What `mlx explore` left in a folder; raises RecordError."""
        path = folder / NAME
        try:
            found = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise RecordError(
                f"{folder} holds no exploration: it has no {NAME}.",
                f"Make one: mlx explore --task T --out {folder}",
            ) from error
        except ValidationError as error:
            where, said, _ = mistake(error)
            raise RecordError(f"{path} cannot be read: {where}: {said}.") from error
        if found.schema_version != SCHEMA:
            raise RecordError(
                f"{path} has schema {found.schema_version}; this version reads schema {SCHEMA}."
            )
        return found

    def write(self, folder: Path) -> None:
        """Replace ideas.json in one move."""
        new = folder / f"{NAME}.new"
        new.write_text(self.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
        new.replace(folder / NAME)
