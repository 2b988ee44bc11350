"""A tiny model made from nothing: small, the same each time, and loaded by anybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxlab.core.errors import UsageError
from mlxlab.core.trainer import PolicyRef
from mlxlab.plugins.training.models import TinyConfig, Weights, load, load_base
from mlxlab.plugins.training.models.tiny import make_tiny, tiny_config
from mlxlab.plugins.training.models.words import learned
from tests.training.toy import TINY, corpus, job

TEXTS = [text for e in corpus().examples for text in (e.messages()[0].content, e.text)]
TEXTS += [f'{{"model":"knn","k":{number}}}' for number in range(9)]


def test_the_default_is_below_two_million_weights_with_heads_that_vllm_takes() -> None:
    model, tokenizer = make_tiny(TinyConfig(), TEXTS, seed=0)
    assert 300_000 < model.num_parameters() < 2_000_000
    heads, kv_heads = TinyConfig().shape
    assert model.config.hidden_size // heads == 32 and heads % kv_heads == 0
    assert len(tokenizer) == model.config.vocab_size <= 1024
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


def test_equal_seeds_and_texts_make_equal_models() -> None:
    import torch

    made = [load_base(TINY, texts=TEXTS, seed=seed, device="cpu") for seed in (1, 1, 2)]
    first, same, other = (each.model.state_dict() for each in made)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert made[0].tokenizer.get_vocab() == made[1].tokenizer.get_vocab()


def test_the_seed_of_others_is_left_alone() -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_base(TINY, texts=TEXTS, seed=9, device="cpu")
    assert torch.equal(torch.rand(3), expected)


def test_keys_and_names_take_one_token_and_values_their_own() -> None:
    tokenizer = learned(TEXTS, 400)
    pieces = [
        tokenizer.decode([token]) for token in tokenizer('{"model":"knn","k":3}')["input_ids"]
    ]
    assert pieces == ['{"model":"', "knn", '","k":', "3", "}"]
    pieces = [tokenizer.decode([token]) for token in tokenizer("17 noise 0.3")["input_ids"]]
    assert pieces == ["1", "7", " noise ", "0.", "3"]


TOKENIZER = learned(TEXTS, 400)


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_any_text_can_be_written_and_read_back(text: str) -> None:
    import unicodedata

    composed = unicodedata.normalize("NFC", text)
    ids = TOKENIZER(composed, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids, clean_up_tokenization_spaces=False) == composed


def test_what_is_saved_is_loaded_as_the_same_by_transformers(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = load_base(TINY, texts=TEXTS, device="cpu")
    loaded.model.save_pretrained(tmp_path)
    loaded.tokenizer.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert tokenizer(text)["input_ids"] == loaded.tokenizer(text)["input_ids"]
    assert tokenizer.chat_template == loaded.tokenizer.chat_template
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert again.num_parameters() == loaded.model.num_parameters()


def test_a_job_keeps_its_base_whatever_is_recorded_later(tmp_path: Path) -> None:
    first = load(job(tmp_path, corpus(2)), Weights())
    later = load(job(tmp_path, corpus(5, 20)), Weights())
    assert first.tokenizer.get_vocab() == later.tokenizer.get_vocab()
    assert first.base == later.base == TINY
    assert (tmp_path / "base" / "model.safetensors").is_file()
    assert json.loads((tmp_path / "base" / "config.json").read_text())["model_type"] == "qwen2"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("tiny?width=3", "width"),
        ("tiny?hidden=100", "hidden"),
        ("tiny?heads=3", "3 heads"),
        ("tiny?layers=none", "layers"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_line(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        tiny_config(spec)
    assert refused.value.hint and "\n" not in str(refused.value)


def test_without_recorded_steps_there_is_nothing_to_learn_a_tokenizer_from(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recorded steps") as refused:
        load(job(tmp_path, []), Weights())
    assert "mlx run" in refused.value.hint
    assert not (tmp_path / "base").exists()


def test_another_spec_of_a_base_stays_readable() -> None:
    assert PolicyRef(spec=TINY).spec.startswith("tiny?")
