"""Prompts with completions as tensors, and a model's forward pass over them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlxlab.core.records import Completion

Tensor = Any


@dataclass(frozen=True)
class Sequences:
    """R completions of at most T tokens, each after one of D distinct prompts of at most P.

    Args:
        prompts: (D, P), padded on the left.
        lengths: (D,), the tokens of each prompt.
        whose: (R,), the prompt of each completion.
        ids: (R, T), padded on the right.
        mask: (R, T), 1.0 at tokens.
    """

    prompts: Tensor
    lengths: Tensor
    whose: Tensor
    ids: Tensor
    mask: Tensor

    @classmethod
    def padded(cls, prompts: Tensor, there: Tensor, ids: Tensor, mask: Tensor) -> Sequences:
        """Completions with a row for each one's prompt, equal or not.

        Args:
            prompts: (R, P), padded on the left, and `there`: 1 at their tokens.
            there: (R, P).
            ids: (R, T), padded on the right.
            mask: (R, T), 1 at tokens.
        """
        distinct, whose = prompts.unique(dim=0, return_inverse=True)
        lengths = there.new_zeros(len(distinct)).scatter_(0, whose, there.sum(-1))
        return cls(distinct, lengths, whose, ids, mask.float())

    @classmethod
    def of(cls, completions: Sequence[Completion], pad: int, device: Any) -> Sequences:
        """Completions that hold the ids of their tokens and prompts."""
        import torch

        distinct: dict[tuple[int, ...], int] = {}
        whose = [
            distinct.setdefault(each.prompt_token_ids or (), len(distinct)) for each in completions
        ]
        drawn = [each.token_ids or () for each in completions]
        width, longest = max(map(len, distinct)), max(map(len, drawn))
        mask = [[1.0] * len(ids) + [0.0] * (longest - len(ids)) for ids in drawn]
        return cls(
            prompts=torch.tensor(
                [[pad] * (width - len(ids)) + list(ids) for ids in distinct], device=device
            ),
            lengths=torch.tensor([len(ids) for ids in distinct], device=device),
            whose=torch.tensor(whose, device=device),
            ids=torch.tensor(
                [[*ids, *[pad] * (longest - len(ids))] for ids in drawn], device=device
            ),
            mask=torch.tensor(mask, device=device),
        )

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    def rows(self, places: Sequence[int]) -> Sequences:
        """Some of the completions, with the padding that they need and no more."""
        import torch

        rows = torch.tensor(list(places), device=self.ids.device)
        kept, whose = self.whose[rows].unique(return_inverse=True)
        width = int(self.lengths[kept].max())
        longest = int(self.mask[rows].sum(-1).max())
        return Sequences(
            prompts=self.prompts[kept, self.prompts.shape[1] - width :],
            lengths=self.lengths[kept],
            whose=whose,
            ids=self.ids[rows, :longest],
            mask=self.mask[rows, :longest],
        )


def outputs(net: Any, sequences: Sequences, share: bool = True) -> Any:
    """A model's output at the places that the completions' tokens are drawn from: (R, T, ...).

    The output is `logits`, of a causal model (the vocabulary) or of a critic (one value).

    Args:
        net: takes input_ids, attention_mask and, where it knows them, position_ids and
            past_key_values.
        sequences: prompts and completions.
        share: whether a prompt that several completions follow is read once. The gradient is the
            same; with gradient checkpointing, which keeps no cache, it cannot be done.
    """
    if share and shareable(net, sequences):
        return shared(net, sequences).logits
    return _whole(net, sequences)


def shareable(net: Any, sequences: Sequences) -> bool:
    """Whether some completions follow the same prompt, and the net can read that once."""
    from transformers.cache_utils import DynamicLayer

    if len(sequences) <= int(sequences.prompts.shape[0]) or int(sequences.lengths.min()) < 2:
        return False
    if "past_key_values" not in takes(net):
        return False
    return all(type(layer) is DynamicLayer for layer in _cache(net).layers)


def _whole(net: Any, sequences: Sequences) -> Any:
    """One row for each completion, its prompt before it."""
    import torch

    prompts = sequences.prompts[sequences.whose]
    ids = torch.cat([prompts, sequences.ids], 1)
    mask = torch.cat([_there(sequences)[sequences.whose], sequences.mask], 1).long()
    wanted = sequences.ids.shape[1]
    told = _told(net, {"logits_to_keep": wanted + 1, "position_ids": _positions(mask)})
    output = net(input_ids=ids, attention_mask=mask, **told).logits
    return output[:, -wanted - 1 : -1]


def shared(net: Any, sequences: Sequences, **more: Any) -> Any:
    """The net's answer to each completion's tokens but the last, after its prompt's last one.

    Prompts without their last token are read first, each once; only where `shareable`.

    Args:
        net: as for `outputs`.
        sequences: prompts and completions.
        more: what it is told of the completions besides.
    """
    import torch

    cache = _cache(net)
    there = _there(sequences)
    before, positions = there[:, :-1].long(), _positions(there.long())
    told = _told(net, {"logits_to_keep": 1, "position_ids": positions[:, :-1]})
    net(
        input_ids=sequences.prompts[:, :-1],
        attention_mask=before,
        past_key_values=cache,
        use_cache=True,
        **told,
    )
    cache.batch_select_indices(sequences.whose)
    ids = torch.cat([sequences.prompts[sequences.whose, -1:], sequences.ids[:, :-1]], 1)
    mask = torch.cat([there[sequences.whose], sequences.mask[:, :-1]], 1).long()
    told = _told(net, {"position_ids": _positions(mask)[:, -ids.shape[1] :]})
    told |= {"past_key_values": cache, "use_cache": True}
    return net(input_ids=ids, attention_mask=mask, **told, **more)


def _cache(net: Any) -> Any:
    from transformers.cache_utils import DynamicCache

    return DynamicCache(config=_config(net))


def _there(sequences: Sequences) -> Tensor:
    """Where prompts have tokens: (D, P)."""
    import torch

    width = sequences.prompts.shape[1]
    columns = torch.arange(width, device=sequences.prompts.device).unsqueeze(0)
    return (columns >= width - sequences.lengths.unsqueeze(1)).float()


def _positions(mask: Tensor) -> Tensor:
    return (mask.cumsum(-1) - 1).clamp(min=0)


def _told(net: Any, said: dict[str, Any]) -> dict[str, Any]:
    known = takes(net)
    return {name: value for name, value in said.items() if name in known}


def _config(net: Any) -> Any:
    return inner(net).config


def takes(net: Any) -> frozenset[str]:
    """What a net can be told, under the wrappers of adapters and of mixed precision."""
    bare = inner(net)
    bare = bare.get_base_model() if hasattr(bare, "get_base_model") else bare
    return frozenset(inspect.signature(type(bare).forward).parameters)


def inner(net: Any) -> Any:
    """A model without accelerate's wrapper for several processes."""
    return getattr(net, "module", net)
