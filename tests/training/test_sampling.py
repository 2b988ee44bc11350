"""Completions drawn in batches, and the forward pass over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mlxlab.core.records import Completion
from mlxlab.plugins.training.losses import masked_mean, token_logprobs
from mlxlab.plugins.training.models import Loaded, load_base
from mlxlab.plugins.training.sampling import Drawing, Writer
from mlxlab.plugins.training.sequences import Sequences, outputs

PROMPTS = ["what is it", "what is it that you would like me to do here", "no"]
TEXTS = [*PROMPTS, "it is a short text of some words, to learn a few of them by heart"] * 3


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    torch.set_num_threads(1)
    return load_base("tiny?hidden=32&layers=2&vocab=300", texts=TEXTS, device="cpu")


def writer(loaded: Loaded, **drawing: Any) -> Writer:
    return Writer(loaded.model, loaded.tokenizer, loaded.ends, Drawing(**drawing))


def drawn(loaded: Loaded, samples: int = 4, seed: str = "s", **drawing: Any) -> list[Completion]:
    from mlxlab.core.records import Message

    made = writer(loaded, **{"max_tokens": 9, **drawing})
    prompts = [made.prompt([Message(role="user", content=text)]) for text in PROMPTS]
    return made.write(prompts, samples, seed)


def test_a_seed_fixes_what_is_drawn_whatever_the_batch(loaded: Loaded) -> None:
    one, other = drawn(loaded, rows=128), drawn(loaded, rows=5)
    assert [each.token_ids for each in one] == [each.token_ids for each in other]
    assert [each.text for each in one] == [each.text for each in other]
    assert len({each.token_ids for each in one}) > 6
    assert [each.token_ids for each in one] != [
        each.token_ids for each in drawn(loaded, seed="other")
    ]


def test_neighbours_answer_the_same_prompt_and_end_in_time(loaded: Loaded) -> None:
    found = drawn(loaded, max_tokens=40)
    prompts = [each.prompt_token_ids for each in found]
    assert prompts[:4] == [prompts[0]] * 4 and len(set(prompts)) == 3
    for each in found:
        ids = each.token_ids or ()
        stopped = ids[-1] in loaded.ends
        assert each.finish_reason == ("stop" if stopped else "length")
        assert stopped or len(ids) == 40
        assert not set(ids[:-1]) & set(loaded.ends)
    assert {each.finish_reason for each in found} == {"stop", "length"}


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_what_was_drawn_has_the_probability_that_a_forward_pass_finds(
    loaded: Loaded, temperature: float
) -> None:
    found = drawn(loaded, temperature=temperature)
    sequences = Sequences.of(found, loaded.tokenizer.pad_token_id, "cpu")
    for share in (True, False):
        logits = outputs(loaded.model, sequences, share)
        again = token_logprobs(logits, sequences.ids, temperature)
        for row, each in enumerate(found):
            wanted = torch.tensor(each.logprobs)
            torch.testing.assert_close(again[row, : len(wanted)], wanted, rtol=0, atol=1e-4)


def test_shared_prompts_change_neither_loss_nor_gradient(loaded: Loaded) -> None:
    sequences = Sequences.of(drawn(loaded), loaded.tokenizer.pad_token_id, "cpu")
    gradients = []
    for share in (True, False):
        loaded.model.zero_grad()
        logprobs = token_logprobs(outputs(loaded.model, sequences, share), sequences.ids)
        masked_mean(logprobs, sequences.mask).backward()
        gradients.append([weight.grad.clone() for weight in loaded.model.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_rows_are_cut_to_what_they_need(loaded: Loaded) -> None:
    found = drawn(loaded)
    sequences = Sequences.of(found, loaded.tokenizer.pad_token_id, "cpu")
    whole = token_logprobs(outputs(loaded.model, sequences), sequences.ids) * sequences.mask
    for rows in ([8, 9], [0, 11, 5]):
        part = sequences.rows(rows)
        longest = max(len(found[row].token_ids or ()) for row in rows)
        assert part.ids.shape == (len(rows), longest)
        again = token_logprobs(outputs(loaded.model, part), part.ids) * part.mask
        torch.testing.assert_close(again, whole[rows, :longest], rtol=0, atol=1e-5)


def test_the_policy_local_draws_the_same(loaded: Loaded, tmp_path: Path) -> None:
    """What is trained is what will be asked: the same prompt, seed and weights, the same answer."""
    import asyncio

    from mlxlab.core.policy import PolicyRequest, Sampling
    from mlxlab.core.records import Message
    from mlxlab.plugins.policies.local import Local, LocalConfig
    from tests.training.bandit import state

    loaded.model.save_pretrained(tmp_path)
    loaded.tokenizer.save_pretrained(tmp_path)
    where = state("a", said=PROMPTS[0])
    from random import Random

    request = PolicyRequest(
        messages=(Message(role="user", content=PROMPTS[0]),),
        decision=where.decision,
        task=where.info,
        seed=Random("s:0").getrandbits(31),
        sampling=Sampling(temperature=1.0, top_p=1.0),
    )
    policy = Local(LocalConfig(path=str(tmp_path), max_tokens=9, threads=1))

    async def ask() -> Completion:
        try:
            return await policy.act(request)
        finally:
            await policy.close()

    mine = drawn(loaded, samples=1)[0]
    theirs = asyncio.run(ask())
    assert (mine.prompt_token_ids, mine.token_ids) == (theirs.prompt_token_ids, theirs.token_ids)
