"""Recorded steps of a toy: each prompt holds a word, and the answer is a JSON object with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlxlab.core.actions import RunCode
from mlxlab.core.records import ComponentRef, Decision, Message
from mlxlab.core.trainer import PolicyRef, TrainJob
from mlxlab.core.training.examples import Corpus, Example
from mlxlab.core.training.states import State
from tests.recorded import task

WORDS = ("knn", "tree", "forest", "linear", "boost")
TINY = "tiny?hidden=32&layers=1&vocab=400"


def example(name: str, number: int, said: str, text: str, **changes: Any) -> Example:
    """One step of the task `name`, with a program of its own."""
    decision = Decision(
        step=number,
        operator="draft",
        scaffold=ComponentRef(kind="scaffold", name="toy", spec="toy"),
        task=name,
        data_hash="",
        sandbox="local",
        feedback="public",
        seed=0,
    )
    state = State(
        id=f"{name}/{number}",
        task=name,
        info=task(name),
        decision=decision,
        said=(Message(role="user", content=said),),
    )
    given: dict[str, Any] = {
        "state": state,
        "prompt": None,
        "text": text,
        "reasoning": None,
        "action": RunCode(code=f"{name} {number}"),
        "status": "ok",
        "score": 0.5,
        "improved": True,
        "rewards": {},
    }
    return Example(**{**given, **changes})


def corpus(tasks: int = 4, each: int = 8) -> Corpus:
    """Steps of several tasks: what is asked for in the prompt stands in the answer."""
    found = []
    for number in range(tasks):
        for step in range(each):
            word = WORDS[(number + step) % len(WORDS)]
            said = f"rows {100 + 7 * step} noise 0.{step}\nThe model that you should take: {word}"
            found.append(example(f"toy{number}", step, said, f'{{"model":"{word}"}}'))
    return Corpus(tuple(found))


def job(out: Path, found: Corpus | Sequence[Example], **more: Any) -> TrainJob:
    """A job on these steps that begins with a tiny model."""
    whole = found if isinstance(found, Corpus) else Corpus(tuple(found))
    return TrainJob(**{"corpus": whole, "base": PolicyRef(spec=TINY), "out": out, **more})
