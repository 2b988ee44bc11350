"""What is learned of recorded steps: answers alone, whole, and of some tasks only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.errors import UsageError
from mlxlab.core.planning import woven
from mlxlab.core.records import Message
from mlxlab.core.trainer import Machine
from mlxlab.core.training.examples import Corpus
from mlxlab.plugins.training.ideas import stripped
from mlxlab.plugins.training.models import load_base
from mlxlab.plugins.training.prompts import end_ids, prompt_ids
from mlxlab.plugins.training.sft import SFT, SFTConfig
from mlxlab.plugins.training.sft.rows import IGNORED, Row, made, split
from tests.training.toy import corpus, example, job

BATCH = 4


def test_the_prompt_is_not_learned_and_the_end_of_the_turn_is(bases: dict[str, Path]) -> None:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    tokenizer = load_base(str(bases["plain"]), device="cpu").tokenizer
    examples = corpus(1, BATCH).examples
    rows, left_out = made(examples, tokenizer)
    assert len(rows) == BATCH and not left_out
    collate = DataCollatorForLanguageModeling(pad_token_id=tokenizer.pad_token_id)
    batch = collate([row.as_features() for row in rows])
    for number, each in enumerate(examples):
        prompt = prompt_ids(tokenizer, each.messages())
        answer = tokenizer(each.text)["input_ids"]
        labels, ids = batch["labels"][number].tolist(), batch["input_ids"][number].tolist()
        assert ids[: len(prompt)] == prompt and labels[: len(prompt)] == [IGNORED] * len(prompt)
        learned = [label for label in labels if label != IGNORED]
        assert learned[:-1] == answer and learned[-1] in end_ids(tokenizer)
        after = len(prompt) + len(learned)
        assert set(labels[after:]) <= {IGNORED} and not any(batch["attention_mask"][number][after:])


def test_what_is_too_long_is_counted_and_never_cut(bases: dict[str, Path]) -> None:
    tokenizer = load_base(str(bases["plain"]), device="cpu").tokenizer
    long = example("toy", 9, "word " * 300, "answer")
    empty = example("toy", 10, "asked", " \n")
    spelled = example("toy", 11, "asked", "an <|im_end|> in the middle")
    gone = replace(example("toy", 12, "", "x"), state=replace(long.state, said=None, folder=None))
    examples = [*corpus(1, 3).examples, long, empty, spelled, gone]
    rows, left_out = made(examples, tokenizer, longest=300)
    assert [row.example for row in rows] == examples[:3] and max(map(len, rows)) <= 300
    assert dict(left_out) == {
        "they are longer than 300 tokens": 1,
        "their answer is empty": 1,
        "their answer spells out marks of the chat template": 1,
        "The state toy/9 holds no prompt": 1,
    }


def test_thinking_is_learned_where_it_is_wanted(bases: dict[str, Path]) -> None:
    tokenizer = load_base(str(bases["plain"]), device="cpu").tokenizer
    thought = [example("toy", 0, "asked", "knn", reasoning="rows are few")]
    (without,), (within,) = (made(thought, tokenizer, reasoning=keep)[0] for keep in (False, True))
    assert tokenizer.decode(without.answer[:-1]) == "knn"
    assert tokenizer.decode(within.answer[:-1]) == "<think>\nrows are few\n</think>\n\nknn"


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.floats(0, 0.9), st.integers(0, 99))
def test_whole_tasks_are_set_apart(tasks: list[int], share: float, seed: int) -> None:
    steps = [example(f"t{task}", n, "asked", "answer") for n, task in enumerate(tasks)]
    rows = [Row(each, (1,), (2,)) for each in steps]
    learned, apart = split(rows, share, seed)

    def names(of: Sequence[Row]) -> set[str]:
        return {row.example.state.task for row in of}

    assert not names(learned) & names(apart)
    assert names(learned) and len(learned) + len(apart) == len(rows)
    assert bool(apart) == (share > 0 and len(names(rows)) >= 3)
    assert split(rows, share, seed) == (learned, apart)


IDEAS = ("scale the columns", "take a forest")


def test_woven_ideas_are_taken_out_and_nothing_else() -> None:
    plain = example("toy", 0, "", "").state.info.model_copy(update={"description": "Predict y."})
    told = woven(plain, IDEAS).description
    assert IDEAS[0] in told
    messages = [
        Message(role="system", content=f"{told}\nMetric: accuracy\n- scale nothing"),
        Message(role="user", content="rows 3\nidea: take a forest\nidea: scale the columns\ntried"),
    ]
    bare = stripped(messages, IDEAS)
    assert bare[0].content == "Predict y.\n\nMetric: accuracy\n- scale nothing"
    assert bare[1].content == "rows 3\ntried"
    assert stripped(messages, ()) == messages


def test_a_preset_fills_in_what_is_not_said() -> None:
    paper = SFTConfig(preset="ml-agent")
    assert (paper.lr, paper.batch, paper.epochs, paper.max_length) == (2e-5, 64, 2.0, 15_000)
    assert paper.schedule == "cosine" and paper.warmup == paper.weight_decay == 0
    assert not paper.lora and paper.gradient_checkpointing
    mixed = SFTConfig(preset="ml-agent", lr=1e-4, lora=True)
    assert (mixed.lr, mixed.lora, mixed.batch) == (1e-4, True, 64)
    assert SFTConfig().lr is None and SFTConfig().batch == 32


def test_nothing_to_learn_is_one_line_with_the_reasons(tmp_path: Path) -> None:
    failed = [replace(each, status="error") for each in corpus(1, 3).examples]
    with pytest.raises(UsageError, match="3 recorded steps, 0 of which passed") as refused:
        SFT(SFTConfig(threads=1)).train(job(tmp_path / "a", failed))
    assert "\n" not in str(refused.value)
    warned: list[str] = []
    asked = job(tmp_path / "b", corpus(1, 3), warn=warned.append)
    with pytest.raises(UsageError, match="3 left out: they are longer than 4 tokens"):
        SFT(SFTConfig(max_length=4, threads=1)).train(asked)
    assert warned == ["3 of 3 examples left out: they are longer than 4 tokens."]
    with pytest.raises(UsageError, match="no recorded steps"):
        SFT(SFTConfig(threads=1)).train(job(tmp_path / "c", Corpus(())))


def test_what_it_will_take_is_told_without_loading_anything(tmp_path: Path) -> None:
    asked = job(tmp_path, corpus(4, 16))
    told = {each.name: each.value for each in SFT(SFTConfig()).estimate(asked, Machine(cores=2))}
    assert told["weights"] and told["memory"] and not any(tmp_path.iterdir())
