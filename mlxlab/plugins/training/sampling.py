"""Completions drawn from a model in training, as the policy `local` draws them, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from mlxlab.core.records import Completion, Message
from mlxlab.plugins.policies.local.answers import Reader
from mlxlab.plugins.policies.local.batch import Batch, Row
from mlxlab.plugins.policies.local.cache import new_cache
from mlxlab.plugins.policies.local.loading import Model
from mlxlab.plugins.policies.local.prompts import Prompt, Prompter
from mlxlab.plugins.policies.local.sampling import Draw
from mlxlab.plugins.training.sequences import takes

DROPPED = 0.25
"""The share of a batch that has to have ended before its rows are let go: that copies the rest."""


@dataclass(frozen=True)
class Drawing:
    """How completions are drawn.

    Nothing is cut from the distribution (no top_p, no top_k), so that the logarithms of the
    probabilities that are recorded are those of the policy that is trained.

    Args:
        temperature: above 0.
        max_tokens: the length limit of one completion.
        rows: how many are drawn at a time: more are faster and take more memory.
    """

    temperature: float = 1.0
    max_tokens: int = 256
    rows: int = 128


class Writer:
    """Draws completions from a causal model of transformers; its weights may change in between.

    The same weights, prompts and seed give the same completions, whatever `rows` is, up to how
    sums are rounded.

    Args:
        net: the model, without wrappers for training.
        ends: the tokens that end an answer.
    """

    def __init__(self, net: Any, tokenizer: Any, ends: Sequence[int], drawing: Drawing) -> None:
        self.drawing = drawing
        self._net = net
        self._ends = frozenset(ends)
        self._prompter = Prompter(tokenizer, None)
        self._reader = Reader(tokenizer, self._ends)
        self._tokenizer = tokenizer
        self._takes = takes(net)

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """Messages as the model sees them; raises PolicyError where the template refuses them."""
        return self._prompter(messages)

    def write(self, prompts: Sequence[Prompt], samples: int, seed: str) -> list[Completion]:
        """Draw completions: `samples` neighbours for each prompt."""
        written: dict[int, Completion] = {}
        for places, completions in self.waves(prompts, samples, seed):
            written.update(zip(places, completions, strict=True))
        return [written[place] for place in range(len(prompts) * samples)]

    def waves(
        self, prompts: Sequence[Prompt], samples: int, seed: str
    ) -> Iterator[tuple[list[int], list[Completion]]]:
        """As `write`, batch after batch, with the place of each completion in the whole.

        Prompts of about the same length are drawn together, and equal prompts are read once.
        """
        places = range(len(prompts) * samples)
        by_length = sorted(places, key=lambda place: (len(prompts[place // samples].ids), place))
        for begin in range(0, len(by_length), self.drawing.rows):
            wave = by_length[begin : begin + self.drawing.rows]
            rows = [self._row(prompts[place // samples], f"{seed}:{place}") for place in wave]
            with drawing_mode(self._net):
                self._finish(rows)
            pairs = zip(wave, rows, strict=True)
            yield wave, [self._read(prompts[place // samples], row) for place, row in pairs]

    def _row(self, prompt: Prompt, seed: str) -> Row:
        draw = Draw(
            temperature=self.drawing.temperature,
            max_tokens=self.drawing.max_tokens,
            seed=Random(seed).getrandbits(31),
        )
        return Ending(prompt.ids, draw, self._ends)

    def _finish(self, rows: Sequence[Row]) -> None:
        batch = Sharing(self._model())
        batch.begin(rows)
        while not all(row.finish for row in batch.rows):
            ended = sum(bool(row.finish) for row in batch.rows)
            if ended >= DROPPED * len(batch.rows):
                batch.drop(lambda row: bool(row.finish))
            batch.step()

    def _read(self, prompt: Prompt, row: Row) -> Completion:
        return self._reader.completion(prompt, row, ())

    def _model(self) -> Model:
        return Model(
            net=self._net,
            tokenizer=self._tokenizer,
            device=next(self._net.parameters()).device,
            ends=self._ends,
            whole=None,
            context=None,
            takes=self._takes,
            fingerprint="",
        )


class Ending(Row):
    """A row that stays as it is once it has ended, while others of its batch go on."""

    def add(self, token: int, logprob: float) -> None:
        """Take the next token, before the end."""
        if not self.finish:
            super().add(token, logprob)


class Sharing(Batch):
    """A batch that reads equal prompts once: the samples of one state share most of the work."""

    def begin(self, rows: Sequence[Row]) -> None:
        """Read each distinct prompt, and draw a token for each row."""
        import torch

        distinct: dict[tuple[int, ...], int] = {}
        whose = [distinct.setdefault(tuple(row.prompt), len(distinct)) for row in rows]
        width = max(map(len, distinct))
        self.rows = list(rows)
        self._cache = new_cache(self._model.net)
        self._length = 0
        self._starts = [width - len(prompt) for prompt in distinct]
        padded = [[0] * (width - len(prompt)) + list(prompt) for prompt in distinct]
        logits = self._forward(torch.tensor(padded, device=self._model.device))
        places = torch.tensor(whose, device=self._model.device)
        self._cache.keep(places, 0)
        self._starts = [self._starts[place] for place in whose]
        self._draw(logits[places])


@contextmanager
def drawing_mode(net: Any) -> Iterator[None]:
    """Without gradients and dropout; as it was before afterwards."""
    import torch

    training = net.training
    net.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        net.train(training)
