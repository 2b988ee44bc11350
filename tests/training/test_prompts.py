"""Tokens of training are those of inference."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mlxlab.core.records import Message
from mlxlab.plugins.policies.local import Local, LocalConfig
from mlxlab.plugins.policies.local.answers import Reader
from mlxlab.plugins.training.models import load_base
from mlxlab.plugins.training.prompts import completion_ids, end_ids, marked, prompt_ids
from tests.policies.helpers import request

TALKS = {
    "one": [Message(role="user", content="Take a model: knn")],
    "system": [
        Message(role="system", content="You improve programs.\n\nBe brief."),
        Message(role="user", content="rows 300 noise 0.3"),
    ],
    "repair": [
        Message(role="user", content="one"),
        Message(role="assistant", content='{"model": 3}'),
        Message(role="user", content="That is no model. \n"),
    ],
}


def sent(folder: Path, messages: list[Message]) -> tuple[int, ...]:
    """What the policy `local` sends."""
    policy = Local(LocalConfig(path=str(folder), max_tokens=1, threads=1))

    async def ask() -> tuple[int, ...] | None:
        try:
            asked = request().model_copy(update={"messages": tuple(messages)})
            return (await policy.act(asked)).prompt_token_ids
        finally:
            await policy.close()

    return asyncio.run(ask()) or ()


@pytest.mark.parametrize("talk", TALKS)
@pytest.mark.parametrize("base", ["plain", "opened"])
def test_prompts_are_token_for_token_those_of_the_policy(
    bases: dict[str, Path], talk: str, base: str
) -> None:
    loaded = load_base(str(bases[base]), device="cpu")
    ids = prompt_ids(loaded.tokenizer, TALKS[talk])
    assert tuple(ids) == sent(bases[base], TALKS[talk]) and len(ids) > 5


def test_an_answer_ends_with_the_end_of_its_turn(bases: dict[str, Path]) -> None:
    loaded = load_base(str(bases["plain"]), device="cpu")
    ids = completion_ids(loaded.tokenizer, TALKS["one"], '{"model":"knn"}\n')
    assert ids[-1] == loaded.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert ids[-1] in end_ids(loaded.tokenizer)
    assert loaded.tokenizer.decode(ids[:-1]) == '{"model":"knn"}\n'


@pytest.mark.parametrize("base", ["plain", "opened"])
@pytest.mark.parametrize("thought", [None, "knn is fast"])
def test_what_is_learned_is_read_back_as_it_was_recorded(
    bases: dict[str, Path], base: str, thought: str | None
) -> None:
    loaded = load_base(str(bases[base]), device="cpu")
    ids = completion_ids(loaded.tokenizer, TALKS["one"], "take knn", thought)
    reader = Reader(loaded.tokenizer, frozenset(loaded.ends))
    text, reasoning = reader.read(ids, "<think>" if base == "opened" else "")
    assert text.strip() == "take knn" and (reasoning or "").strip() == (thought or "")


def test_an_answer_that_spells_out_marks_is_noticed(bases: dict[str, Path]) -> None:
    loaded = load_base(str(bases["plain"]), device="cpu")
    plain = completion_ids(loaded.tokenizer, TALKS["one"], "an answer")
    spelled = completion_ids(loaded.tokenizer, TALKS["one"], "an <|im_end|> answer")
    assert not marked(loaded.tokenizer, plain) and marked(loaded.tokenizer, spelled)
