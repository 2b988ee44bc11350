"""What a run is likely to cost, said before it starts: steps x tokens x price.

The tokens of a step come from the record of similar runs, the calls of repairs and of the editor
included, or are a guess that is called one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from pathlib import Path
from statistics import median

from mlxlab.core.boundary import whose
from mlxlab.core.manifest import RunManifest
from mlxlab.core.policy import Policy, Price, Priced
from mlxlab.core.records import Record
from mlxlab.core.similar import Similar, models, similar_runs
from mlxlab.core.stated import Noted, price_of, unheard

GUESS = (4000, 4000)
"""Prompt and completion tokens of a step where nothing is recorded."""
GUESS_SPREAD = 3.0
ONE_RUN_SPREAD = 2.0
"""How far off, as a factor, a guess or a single earlier run may be."""


class Forecast(Record):
    """Expected tokens and US dollars of the steps to come; `cost_usd` None: not known.

    Args:
        policy: the policy's spec, and the editor's behind it if there is one.
        price: US dollars a token; with an editor, of the dearer of the two.
        runs: how many earlier runs the tokens are taken from; 0: they are a guess.
        alike: what those runs have in common with this one.
        step_usd: what a step costs; low and high bound what all steps may come to.
        lasts: how many of the steps the limit of money is likely to pay, where it is too low.
        tokens_last: likewise of the limit of tokens.
    """

    policy: str
    steps: int
    prompt_tokens: int
    completion_tokens: int
    runs: int
    alike: str = ""
    price: Price | None = None
    step_usd: float | None = None
    cost_usd: float | None = None
    low_usd: float | None = None
    high_usd: float | None = None
    max_cost_usd: float | None = None
    lasts: int | None = None
    max_tokens: int | None = None
    tokens_last: int | None = None

    def __str__(self) -> str:
        tokens = f"{_short(self.prompt_tokens)} + {_short(self.completion_tokens)} tokens a step"
        count = f"{self.runs} earlier run{'s' * (self.runs != 1)}"
        source = f"as in {count} {self.alike}" if self.runs else "a guess: nothing is recorded yet"
        steps = f"{self.steps} step{'s' * (self.steps != 1)}"
        if self.cost_usd is None:
            text = (
                f"Expected: {steps} at an unknown price, for none is known of {self.policy} "
                f"({tokens}, {source})"
            )
            unkept = "\nA limit of money cannot be kept then: the run will end after one call."
            return text + (unkept if self.max_cost_usd is not None else "") + self._tokens(steps)
        priced = f"; {self.policy} at {_rates(self.price)}" if self.price else ""
        text = (
            f"Expected: about {dollars(self.cost_usd)}{self._range()} for {steps} "
            f"({tokens}, {source}{priced})"
        )
        if self.lasts is not None and self.max_cost_usd is not None:
            limit = dollars(self.max_cost_usd)
            text += f"\n{_last(limit, self.lasts, steps)}"
        return text + self._tokens(steps)

    def _tokens(self, steps: str) -> str:
        if self.tokens_last is None or self.max_tokens is None:
            return ""
        limit = f"{self.max_tokens:,} tokens"
        return f"\n{_last(limit, self.tokens_last, steps)}"

    def _range(self) -> str:
        low, high = dollars(self.low_usd or 0.0), dollars(self.high_usd or 0.0)
        return f", {low} to {high}," if low != high else ""


async def forecast(
    manifest: RunManifest, policies: Sequence[Policy], out: Path, noted: Noted = unheard
) -> Forecast | None:
    """The forecast for the rest of a run; None for a free one, or where no price is stated.

    Args:
        manifest: the run, begun or not.
        policies: its policy, and its editor if it has one.
        out: the folder with earlier runs.
        noted: hears of a price that a policy fails to state.

    Raises:
        PluginError: a policy kept everybody waiting for its price.
    """
    asked = zip(_owners(manifest), policies, strict=False)  # an editor may be another one's too
    prices = [await price_of(who, policy, noted) for who, policy in asked]
    if all(price == Price() for price in prices):
        return None
    similar = similar_runs(manifest, out)
    stated = any(isinstance(policy, Priced) for policy in policies)
    if not stated and not (similar and any(similar.cost)):
        return None
    return _made(manifest, _dearest(prices), similar, edited=len(policies) > 1)


def dollars(value: float) -> str:
    """An amount of money to two or three figures."""
    if value >= 10:
        return f"${value:,.0f}"
    return f"${value:.2f}" if value >= 0.1 or value == 0 else f"${value:.2g}"


def _made(
    manifest: RunManifest, price: Price | None, similar: Similar | None, edited: bool
) -> Forecast:
    steps = max(0, manifest.budget.steps - manifest.spent.steps)
    prompts, completions = (similar.prompt, similar.completion) if similar else ((), ())
    prompt = round(median(prompts)) if prompts else GUESS[0]
    completion = round(median(completions)) if completions else GUESS[1]
    costs: Sequence[float] = similar.cost if similar else ()
    recorded = costs and (price is None or edited)
    if price is not None and not recorded:
        pairs = list(zip(prompts, completions, strict=True)) or [GUESS]
        costs = [p * price.prompt_usd + c * price.completion_usd for p, c in pairs]
    spread = 1.0 if len(costs) > 1 else ONE_RUN_SPREAD if similar else GUESS_SPREAD
    step = median(costs) if costs else None
    found = Forecast(
        policy=_who(manifest),
        steps=steps,
        prompt_tokens=prompt,
        completion_tokens=completion,
        runs=len(prompts),
        alike=similar.alike if similar else "",
        price=None if recorded else price,
        max_cost_usd=manifest.budget.max_cost_usd,
        max_tokens=manifest.budget.max_tokens,
        tokens_last=_tokens_last(manifest, prompt + completion, steps),
    )
    if step is None:
        return found
    update = {
        "step_usd": step,
        "cost_usd": step * steps,
        "low_usd": min(costs) * steps / spread,
        "high_usd": max(costs) * steps * spread,
        "lasts": _lasts(manifest, step, steps),
    }
    return found.model_copy(update=update)


def _last(limit: str, lasts: int, steps: str) -> str:
    """How far a limit goes; what is set aside for the longest answer makes it fewer steps."""
    if not lasts:
        return f"The limit of {limit} is likely to be too small for a single step."
    most = f"The limit of {limit} is likely to last {lasts} of the {steps}"
    return f"{most}, or fewer: no call is begun that might not fit."


def _lasts(manifest: RunManifest, step_usd: float, steps: int) -> int | None:
    """How many steps the rest of the money pays, where that is fewer than there are."""
    limit = manifest.budget.max_cost_usd
    if limit is None or not step_usd:
        return None
    spent = manifest.spent
    usd = spent.known_cost_usd if spent.cost_usd is None else spent.cost_usd
    paid = floor((limit - usd) / step_usd)
    return max(0, paid) if paid < steps else None


def _tokens_last(manifest: RunManifest, step_tokens: int, steps: int) -> int | None:
    """How many steps the rest of the tokens is likely to last, where that is fewer."""
    limit = manifest.budget.max_tokens
    if limit is None:
        return None
    lasts = max(0, limit - manifest.spent.tokens) // max(1, step_tokens)
    return lasts if lasts < steps else None


def _dearest(prices: Sequence[Price | None]) -> Price | None:
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    return max(known, key=lambda price: price.prompt_usd + price.completion_usd)


def _owners(manifest: RunManifest) -> list[str]:
    """Who is asked, by kind, name and version, in the order of the policies."""
    parts = manifest.components
    return [whose(parts[role]) for role in ("policy", "editor") if role in parts]


def _who(manifest: RunManifest) -> str:
    return " and ".join(dict.fromkeys(models(manifest)))


def _short(tokens: float) -> str:
    return f"{tokens / 1000:.1f}k" if tokens >= 1000 else str(round(tokens))


def _rates(price: Price) -> str:
    million = [dollars(rate * 1e6) for rate in (price.prompt_usd, price.completion_usd)]
    return f"{' + '.join(million)} per million tokens"
