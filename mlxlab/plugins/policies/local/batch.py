"""Answers that are written together, a token each at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

from mlxlab.core.errors import PolicyError
from mlxlab.plugins.policies.local.cache import RoomyCache, WaveCache, new_cache
from mlxlab.plugins.policies.local.loading import Model
from mlxlab.plugins.policies.local.sampling import Draw, Sampler


class Row:
    """One answer in the making.

    `finish` says why it ended, and is empty until then.
    """

    def __init__(self, prompt: Sequence[int], draw: Draw, ends: frozenset[int]) -> None:
        self.prompt = prompt
        self.draw = draw
        self._ends = ends
        self.restart()

    def restart(self) -> None:
        """Forget what was drawn; the same will be drawn again."""
        self.ids: list[int] = []
        self.logprobs: list[float] = []
        self.finish = ""
        self._die: Any = None

    def die(self, device: Any) -> Any:
        """What draws this row's tokens, whoever else is in the batch: a torch.Generator."""
        if self._die is None:
            import torch

            self._die = torch.Generator(device).manual_seed(self.draw.seed)
        return self._die

    def add(self, token: int, logprob: float) -> None:
        """Take the next token."""
        self.ids.append(token)
        self.logprobs.append(logprob)
        if token in self._ends:
            self.finish = "stop"
        elif len(self.ids) >= self.draw.max_tokens:
            self.finish = "length"


class Batch:
    """Rows that share each forward pass; their prompts are padded on the left.

    Called within torch.inference_mode.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.rows: list[Row] = []
        self._cache: RoomyCache | WaveCache | None = None
        self._sampler: Sampler | None = None
        self._starts: list[int] = []
        self._length = 0

    @property
    def open(self) -> bool:
        """Whether other rows may join."""
        return not self.rows or isinstance(self._cache, RoomyCache)

    def begin(self, rows: Sequence[Row]) -> None:
        """Read the prompts of the first rows, and draw a token for each."""
        import torch

        width = max(len(row.prompt) for row in rows)
        self.rows = list(rows)
        self._cache = new_cache(self._model.net)
        self._starts = [width - len(row.prompt) for row in rows]
        self._length = 0
        padded = [
            [0] * start + list(row.prompt)
            for start, row in zip(self._starts, self.rows, strict=True)
        ]
        self._advance(torch.tensor(padded, device=self._model.device))

    def step(self) -> None:
        """Draw one more token for each row."""
        import torch

        last = [[row.ids[-1]] for row in self.rows]
        self._advance(torch.tensor(last, device=self._model.device))

    def join(self, other: Batch) -> None:
        """Take the rows of another batch in; only where `open`."""
        if not self.rows:
            self.__dict__.update(other.__dict__)
        elif other.rows:
            assert isinstance(self._cache, RoomyCache) and isinstance(other._cache, RoomyCache)
            self._cache.join(other._cache)
            length = max(self._length, other._length)
            self._starts = [
                start + length - batch._length for batch in (self, other) for start in batch._starts
            ]
            self._length = length
            self.rows = [*self.rows, *other.rows]
            self._sampler = None

    def drop(self, gone: Callable[[Row], bool]) -> None:
        """Let rows go, and the padding that only they needed."""
        import torch

        kept = [number for number, row in enumerate(self.rows) if not gone(row)]
        if len(kept) == len(self.rows):
            return
        self.rows = [self.rows[number] for number in kept]
        self._starts = [self._starts[number] for number in kept]
        self._sampler = None
        if not kept:
            self._cache = None
        elif self._cache is not None:
            indices = torch.tensor(kept, device=self._model.device)
            trimmed = self._cache.keep(indices, min(self._starts))
            self._starts = [start - trimmed for start in self._starts]
            self._length -= trimmed

    def _advance(self, tokens: Any) -> None:
        self._draw(self._forward(tokens))

    def _draw(self, logits: Any) -> None:
        """A token for each row, from the logits that follow its last one."""
        if self._sampler is None:
            self._sampler = Sampler([row.draw for row in self.rows], self._model.device)
        drawn = self._sampler(logits, [row.die(self._model.device) for row in self.rows])
        if any(map(isnan, drawn[1])):
            raise PolicyError(
                "The checkpoint's weights give no probabilities (NaN).",
                "Take dtype=float32; if that does not help, its training went wrong.",
            )
        for row, token, logprob in zip(self.rows, *drawn, strict=True):
            row.add(token, logprob)

    def _forward(self, tokens: Any) -> Any:
        """The logits that follow each row's last token."""
        import torch

        assert self._cache is not None
        before, self._length = self._length, self._length + tokens.shape[1]
        columns = torch.arange(self._length, device=self._model.device).unsqueeze(0)
        starts = torch.tensor(self._starts, device=self._model.device).unsqueeze(1)
        told: dict[str, Any] = {}
        if any(self._starts):
            told["attention_mask"] = (columns >= starts).long()
        if "position_ids" in self._model.takes:
            told["position_ids"] = (columns[:, before:] - starts).clamp_(min=0)
        if "logits_to_keep" in self._model.takes:
            told["logits_to_keep"] = 1
        answer = self._model.net(
            input_ids=tokens, past_key_values=self._cache.cache, use_cache=True, **told
        )
        return answer.logits[:, -1]
