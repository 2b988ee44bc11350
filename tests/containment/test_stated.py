"""What a policy states before it is asked: one that fails is unknown, one that hangs is named."""

from __future__ import annotations

import pytest

from mlxlab.core.account import Account
from mlxlab.core.boundary import Late, whose
from mlxlab.core.errors import PluginError
from mlxlab.core.loops import run_loop
from mlxlab.core.patience import Patience
from mlxlab.core.provider import Provider
from mlxlab.core.registry import Registry
from mlxlab.core.stated import dearest_of, features_of, price_of
from mlxlab.core.watch import watched_loop
from mlxlab.testing.policies import neutral_request


async def stated(registry: Registry, call: str, fault: str) -> object:
    """What a policy states, as a run or a command asks it; None: nothing is known."""
    made = registry.create("policy", f"bad?call={call}&fault={fault}")
    asked = {"price": price_of, "dearest": dearest_of, "features": features_of}
    with watched_loop():
        if call in asked:
            return await asked[call](whose(made.ref), made.instance)
        provider = Provider(made.instance, made.ref, Account(Patience()))
        found = await provider.bounds(neutral_request("Hello?"))
        return None if found.answer == neutral_request("").sampling.max_tokens else found


@pytest.mark.parametrize("fault", ["raise", "base", "exit", "type"])
@pytest.mark.parametrize("call", ["price", "dearest", "bound"])
def test_what_a_policy_fails_to_state_is_unknown(registry: Registry, call: str, fault: str) -> None:
    assert run_loop(stated(registry, call, fault)) is None


@pytest.mark.parametrize(
    ("call", "fault"),
    [*((call, fault) for call in ("price", "dearest", "bound", "features")
       for fault in ("hang", "spin")),
     *(("features", fault) for fault in ("raise", "base", "exit", "type"))],
)  # fmt: skip
def test_a_statement_that_never_comes_is_named(registry: Registry, call: str, fault: str) -> None:
    with pytest.raises(PluginError, match=rf"policy 'bad' of acme-parts 1\.2: {call} ") as caught:
        run_loop(stated(registry, call, fault))
    assert isinstance(caught.value, Late) is (fault in ("hang", "spin"))
