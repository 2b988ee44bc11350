"""What a dry run says of paid policies: the tokens of their calls, and US dollars where it can."""

from __future__ import annotations

from collections.abc import Iterator

from mlxlab.api.exploring.asking import A_CALL, AXES
from mlxlab.api.loops import finish
from mlxlab.api.pipeline.spec import ExploreTable
from mlxlab.api.pipeline.work import Work
from mlxlab.core.boundary import whose
from mlxlab.core.errors import MlxError
from mlxlab.core.forecast import GUESS, dollars
from mlxlab.core.policy import Price
from mlxlab.core.registry import Registry
from mlxlab.core.stated import price_of
from mlxlab.core.trainer import Estimate


def paid(registry: Registry, policy: str, calls: int | None, what: str) -> Iterator[Estimate]:
    """Tokens and cost of a policy's calls; nothing where it states that it is free.

    Repairs of answers are not counted, nor what a provider takes off for cached prompts.

    Args:
        registry: where the policy is found; it is made, not asked.
        policy: its spec.
        calls: how many; None: nobody knows.
        what: the calls are for, in words.
    """
    price, why = _price(registry, policy)
    if price == Price():
        return
    cost = f"cost of {policy}"
    if calls is None:
        yield Estimate(name=cost, value="unknown", basis=what)
        return
    prompt, answer = (calls * tokens for tokens in GUESS)
    basis = f"{calls:,} calls ({what}) x {GUESS[0]:,} + {GUESS[1]:,}, a guess"
    yield Estimate(name=f"tokens of {policy}", value=f"{prompt:,} + {answer:,}", basis=basis)
    if price is None:
        yield Estimate(name=cost, value="unknown", basis=why)
        return
    usd = prompt * price.prompt_usd + answer * price.completion_usd
    rates = [dollars(rate * 1e6) for rate in (price.prompt_usd, price.completion_usd)]
    yield Estimate(name=cost, value=dollars(usd), basis=f"{' + '.join(rates)} a million tokens")


def _price(registry: Registry, policy: str) -> tuple[Price | None, str]:
    """What a policy states, or why nothing is known: without its key it cannot be made."""
    try:
        made = registry.create("policy", policy)
        found = finish(price_of(whose(made.ref), made.instance))
    except MlxError as error:
        return None, str(error)
    return found, "no price is known of it"


def idea_calls(table: ExploreTable, tasks: int) -> int:
    """Calls that ask for ideas, where every one of them brings as many as it is asked for."""
    if table.version == 1:
        return tasks * -(-table.candidates // A_CALL)
    axis = -(-table.candidates // len(AXES))
    return tasks * len(AXES) * -(-axis // A_CALL)


def evaluation_calls(work: Work, *, swap: bool) -> int:
    """Answers that one policy gives in an evaluation."""
    table = work.spec.evaluate
    assert table is not None
    tasks = len(work.held_out) + min(table.held_in_tasks, len(work.tasks))
    answers = 2 * table.states * table.samples + tasks * table.seeds * table.steps
    swapped = 2 * table.states * max(1, table.samples // 2)
    return answers + (swapped if swap and table.swap else 0)
