"""`mlx policies test SPEC`: one real call, and what it shows of the model."""

from __future__ import annotations

from rich.console import Console as Terminal

from mlxlab.cli.failure import report
from mlxlab.cli.policies.question import question
from mlxlab.cli.policies.trial import Trial, as_object, trial_rows
from mlxlab.cli.summary import print_rows
from mlxlab.cli.table import print_json
from mlxlab.cli.text import plain
from mlxlab.core.boundary import whose
from mlxlab.core.errors import MlxError
from mlxlab.core.guarded import GuardedPolicy
from mlxlab.core.loops import run_loop
from mlxlab.core.policy import Ordered, Policy, PolicyRequest
from mlxlab.core.registry import Component, Registry
from mlxlab.core.stated import bound_of, features_of, price_of
from mlxlab.core.watch import watched_loop


def try_policy(spec: str, max_tokens: int, as_json: bool) -> int:
    """Ask once and print what came; a failure is the command's.

    Raises:
        PolicyError: the call failed; it is not tried again.
        PluginError: the policy broke its promise.
    """
    made = Registry.installed().create("policy", spec)
    with Terminal(stderr=True).status(plain(f"Asking {made.ref.spec} ...")):
        trial = run_loop(_tried(made, question(max_tokens)))
    if as_json:
        print_json(as_object(trial))
    else:
        print_rows(list(trial_rows(trial)))
    return 0


async def _tried(made: Component[Policy], request: PolicyRequest) -> Trial:
    who, guarded = whose(made.ref), GuardedPolicy(made)
    with watched_loop():
        try:
            price = await price_of(who, made.instance)
            features = await features_of(who, made.instance)
            completion = None if _recorded(made, request) else await guarded.act(request)
            return Trial(made.ref.spec, price, features, completion)
        finally:
            try:
                await guarded.close()
            except MlxError as error:
                report(error)  # beside the answer, or what came instead of it


def _recorded(made: Component[Policy], request: PolicyRequest) -> bool:
    """Whether the answers are there already, to questions of a run and not to this one."""
    policy = made.instance
    return bound_of(whose(made.ref), policy, request) == (0, 0) or isinstance(policy, Ordered)
