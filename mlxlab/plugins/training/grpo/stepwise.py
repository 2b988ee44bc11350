"""What GRPOTrainer of TRL does otherwise here; mixed into it, since it is imported when needed.

TRL 1.16 samples, rewards and then updates, one after the other. Here all actions of an optimizer
step are sampled first, each portion is carried out while the next one is sampled, and the first
backward pass begins while the actions of later ones are still carried out. A pass reads the prompt
of a group once. Nothing about the gradient changes: the actions come from the same weights, and the
passes are added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mlxlab.core.records import Completion
from mlxlab.plugins.policies.local.answers import Reader
from mlxlab.plugins.policies.local.batch import Row
from mlxlab.plugins.policies.local.prompts import Prompt
from mlxlab.plugins.policies.local.sampling import Draw
from mlxlab.plugins.training.drawn import Waves
from mlxlab.plugins.training.grpo.drift import Drift
from mlxlab.plugins.training.grpo.ledger import Ledger
from mlxlab.plugins.training.grpo.rollouts import Rollouts
from mlxlab.plugins.training.grpo.sharing import of_group
from mlxlab.plugins.training.sampling import Writer


class Stepwise:
    """Mixed into trl.GRPOTrainer; `prepared` gives it what it works with."""

    _rollouts: Rollouts
    _ledger: Ledger
    _drift: Drift | None
    _writer: Writer
    _reader: Reader
    _labels: list[str]

    def prepared(
        self,
        rollouts: Rollouts,
        ledger: Ledger,
        drift: Drift | None,
        writer: Writer,
        reader: Reader,
    ) -> None:
        """Say what it works with; once, before `train`."""
        self._rollouts, self._ledger, self._drift = rollouts, ledger, drift
        self._writer, self._reader = writer, reader

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        """The tokens that the policy `local` would send, whatever TRL makes of the template."""
        self._labels = list(prompts)
        self._rollouts.at(prompts, self._waves)
        current, places = self._rollouts.asked(prompts)
        group = len(current.completions) // len(current.prompts)
        return [current.prompts[place // group].ids for place in places], None, {}

    def _generate_single_turn(
        self, prompt_ids: list[list[int]], *_: Any, **__: Any
    ) -> tuple[list[list[int]], list[list[float]] | None]:
        """What was drawn when the step began."""
        current, places = self._rollouts.asked(self._labels)
        drawn = [current.completions[place] for place in places]
        logprobs = [list(each.logprobs or ()) for each in drawn]
        use_vllm = getattr(self, "use_vllm", False)
        return [list(each.token_ids or ()) for each in drawn], logprobs if use_vllm else None

    def _get_per_token_logps_and_entropies(
        self, model: Any, ids: Any, mask: Any, width: int, **more: Any
    ) -> Any:
        """As TRL does, but for the prompt of a group, which is read once."""
        me: Any = self
        parent: Any = super()
        alone = me.accelerator.num_processes == 1 and not me.args.gradient_checkpointing
        rows = more.get("batch_size") or len(ids)
        if alone and rows >= len(ids) and not more.get("compute_aux_loss"):
            with me.accelerator.autocast():
                found = of_group(model, ids, mask, width)
            if found is not None:
                return *found, None
        return parent._get_per_token_logps_and_entropies(model, ids, mask, width, **more)

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        parent: Any = super()
        batch = parent._generate_and_score_completions(inputs)
        if self._drift is not None:
            self._drift.measure(self, batch)
        return batch

    def _waves(self, prompts: Sequence[Prompt], samples: int, seed: str, /) -> Waves:
        """Draw with our own batches, or as TRL does where weights are spread or vLLM draws."""
        me: Any = self
        if self._drawn_elsewhere():
            yield from self._drawn_by_trl(prompts, samples)
            return
        waves = self._writer.waves(prompts, samples, seed)
        while True:
            with me.accelerator.autocast():
                wave = next(waves, None)
            if wave is None:
                return
            yield wave

    def _drawn_elsewhere(self) -> bool:
        """Whether this process' own weights are not those to draw from."""
        me: Any = self
        return bool(me.use_vllm or me.is_deepspeed_enabled or me.is_fsdp_enabled)

    def _drawn_by_trl(self, prompts: Sequence[Prompt], samples: int) -> Iterator[Any]:
        parent: Any = super()
        repeated = [prompt for prompt in prompts for _ in range(samples)]
        ids, logprobs = parent._generate_single_turn(
            [prompt.ids for prompt in repeated], None, {}, samples
        )
        said = logprobs if logprobs is not None else [None] * len(ids)
        yield (
            list(range(len(ids))),
            [self._completion(*each) for each in zip(repeated, ids, said, strict=True)],
        )

    def _completion(
        self, prompt: Prompt, ids: list[int], logprobs: list[float] | None
    ) -> Completion:
        me: Any = self
        drawing = self._writer.drawing
        draw = Draw(temperature=drawing.temperature, max_tokens=drawing.max_tokens)
        row = Row(prompt.ids, draw, frozenset(me.eos_token_ids))
        for place, token in enumerate(ids):
            row.add(token, float("nan") if logprobs is None else logprobs[place])
        drawn = self._reader.completion(prompt, row, ())
        return drawn if logprobs is not None else drawn.model_copy(update={"logprobs": None})

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trackers see our figures beside those of TRL; the last words of all are of no step."""
        parent: Any = super()
        me: Any = self
        if "loss" not in logs:
            parent.log(logs, start_time)
            return
        means = {
            name: sum(values) / len(values)
            for name, values in me._metrics["train"].items()
            if values and name in ("kl", "entropy")
        }
        self._ledger.add({**logs, **means})
        own = {name: value for name, value in self._ledger.figures.items() if name not in means}
        parent.log({**own, **logs}, start_time)

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """The card is written from the record, at the end."""
