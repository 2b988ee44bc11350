"""The prompts: a task's facts and what was tried, and for language models the grammar."""

from __future__ import annotations

import json
import re
from functools import cache

from mlxlab.core import wording
from mlxlab.core.records import Message
from mlxlab.core.scaffold import Ask
from mlxlab.core.task import TaskInfo
from mlxlab.core.tree import TreeView
from mlxlab.scaffolds.recipe.config import RecipeConfig
from mlxlab.scaffolds.recipe.history import lines
from mlxlab.scaffolds.recipe.space import MODEL, Kind, families

INSPECTED_CHARS = 1_000
_MANY = 40
"""A column of words with more values than this is free text rather than a category."""
_COLUMN = re.compile(r"- .*?: (int|float|text|empty)\b.*?(?:, (\d+)(?: or more)? distinct)?(?:,|$)")

_ROLE = """\
You improve the solution of a machine-learning task, one recipe at a time. A recipe is a JSON \
object. It is compiled to a program, which is fitted on the training rows and handed in. What \
counts is the best score, so propose what may beat the best recipe so far. Your whole answer is \
one JSON object, without comments and without any other text.

The models, with what each does and the values that each key may have. Every key of the chosen \
model has to be written, and no other key:"""
_INSPECT = """\
{"do":"inspect"} shows the first lines of the training table instead, and costs a step."""
_SKILL = """\
Scores are told in thousandths of the way from the naive submission (0) to a perfect one (1000), \
so higher is better, where the task has both; else in the metric itself."""
_AGAIN = "Answer with one JSON object that follows the grammar, and with nothing else."


def prompt(tree: TreeView, kind: Kind, config: RecipeConfig) -> list[Message]:
    """The messages of one decision."""
    facts = [_facts(tree.task, kind), *_tried(tree, config.history)]
    if tree.remaining.steps is not None:
        facts.append(f"left {tree.remaining.steps}")
    if not config.explain:
        facts[1:1] = [f"idea: {idea}" for idea in tree.task.ideas]
        return [Message(role="user", content="\n".join(facts))]
    told = wording.trimmed(wording.task(tree.task), config.description_chars)  # with the ideas
    text = "\n\n".join([told, *_inspected(tree), "\n".join(facts)])
    return [Message(role="system", content=grammar(kind)), Message(role="user", content=text)]


def again(problem: str) -> Ask:
    """What to send where an answer held no recipe."""
    message = Message(role="user", content=f"{problem} {_AGAIN}")
    return Ask(messages=(message,), reason=problem)


@cache
def grammar(kind: Kind) -> str:
    """The space of recipes, for models that were not trained on it."""
    said = [f"- {json.dumps(MODEL)}: {_family(name, kind)}" for name in families(kind)]
    return "\n".join([_ROLE, *said, "", _INSPECT, _SKILL])


def _family(name: str, kind: Kind) -> str:
    family = families(kind)[name]
    keys = [
        f"{json.dumps(key)}: {' | '.join(json.dumps(value) for value in values)}"
        for key, values in family.settings.items()
    ]
    return f"{json.dumps(name)} ({family.about}){''.join(f', {key}' for key in keys)}"


def _facts(info: TaskInfo, kind: Kind) -> str:
    """One line: kind, metric, and the task's own features, else what its preview shows."""
    way = "max" if info.metric.direction == "maximize" else "min"
    known = (kind, info.metric.name, way)
    told = [f"{name} {_short(value)}" for name, value in info.features.items()]
    if not told:
        told = [info.modality, *(f"{name} {count}" for name, count in _counted(info).items())]
    return " ".join([*known, *told])


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def _counted(info: TaskInfo) -> dict[str, int]:
    """Rows, and the test table's columns by kind, as far as the preview shows them."""
    counts = {"numbers": 0, "categories": 0, "texts": 0}
    section = re.search(r"^## \S*test\.csv\n(.*?)(?:\n\n|\Z)", info.preview, re.M | re.S)
    for line in section[1].splitlines() if section else []:
        found = _COLUMN.match(line)
        if found is None or line.startswith(f"- {info.submission.id_column}:"):
            continue
        if found[1] != "text":
            counts["numbers"] += 1
        else:
            counts["texts" if int(found[2] or 0) > _MANY else "categories"] += 1
    return {"rows": info.train_rows, **counts}


def _tried(tree: TreeView, most: int) -> list[str]:
    shown = lines(tree, most)
    if not shown:
        return ["tried none"]
    told = [f"{line.text} {line.outcome}{' best' if line.best else ''}" for line in shown]
    return ["tried", *told]


def _inspected(tree: TreeView) -> list[str]:
    """What the last look at the training table showed."""
    for node in reversed(tree.nodes):
        if node.action is not None and node.action.type == "read_file" and node.status == "ok":
            seen = node.observation.stdout or node.observation.message
            return [f"The training table begins:\n{wording.trimmed(seen, INSPECTED_CHARS)}"]
    return []
