"""The policy as a component: its making, its options, and what it knows without a call."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from mlxlab.core.errors import UsageError
from mlxlab.core.policy import Featured, Features, Metered, Priced, Rates, Varying
from mlxlab.core.registry import Registry
from mlxlab.testing.policies.conformance.harness import Harness, raises


class Components(Harness):
    """Made cheaply, described without a call, and made again from its record."""

    def test_making_it_calls_nobody(self) -> None:
        """No connection is made by making a policy, nor by asking for its price and features."""
        self.make_imported()
        with no_connections() as tried:
            started = time.perf_counter()
            policy = self.make()
            assert time.perf_counter() - started < 5, "a policy does its work when it is asked"
            self.known(policy)
        assert not tried, f"connected to {tried}"
        self.close(policy)

    def test_what_is_known_has_its_form(self) -> None:
        """Price, features, bound, rates and account have the protocols' types, and hold no key."""
        self.known(self.policy)

    def test_a_missing_key(self) -> None:
        """A missing key is a UsageError of the constructor that names the variable."""
        if self.key_variable is None:
            return
        with patch.dict(os.environ):
            os.environ.pop(self.key_variable, None)
            with raises(UsageError, naming=self.key_variable):
                self.make()

    def test_the_record_makes_it_again(self) -> None:
        """The recorded spec makes the same policy again, and holds no key."""
        spec = self.spec()
        if spec is None:
            return
        made = Registry.installed().create("policy", spec)
        again = Registry.installed().create("policy", made.ref.spec)
        other = [name for name, value in made.ref if getattr(again.ref, name) != value]
        assert not other, f"made again by '{made.ref.spec}', it differs in {', '.join(other)}"
        assert type(made.instance) is type(again.instance), (made.instance, again.instance)
        if self.key_variable is not None:
            recorded = made.ref.model_dump_json()
            assert os.environ[self.key_variable] not in recorded, "the key is recorded"
        for policy in (made.instance, again.instance):
            self.close(policy)

    def make_imported(self) -> None:
        """Have everything imported that a first use imports, which is not what is looked at."""
        policy = self.make()
        self.known(policy)
        self.close(policy)

    def known(self, policy: Any) -> None:
        """Ask all that may be asked without a call, and check its form."""
        if isinstance(policy, Priced):
            price = self.price_of(policy)
            assert price is None or min(price.prompt_usd, price.completion_usd) >= 0, price
            most = self.wait(policy.dearest()) if isinstance(policy, Varying) else price
            assert (most is None) == (price is None), (most, price)
            if most is not None and price is not None:
                assert most.completion_usd >= price.completion_usd, (most, price)
        if isinstance(policy, Featured):
            features = self.wait(policy.features())
            assert isinstance(features, Features), f"features: {features!r}"
        self.bound(self.request("Hello?"), policy)
        if isinstance(policy, Metered):
            assert isinstance(policy.rates, Rates) and policy.account, policy.account
            if self.key_variable is not None:
                key = os.environ[self.key_variable]
                assert key not in policy.account, f"the account holds the key: {policy.account}"


@contextmanager
def no_connections() -> Iterator[list[object]]:
    """The addresses that sockets of this process are connected to for a while."""
    tried: list[object] = []
    connect = socket.socket.connect

    def noted(own: socket.socket, address: Any) -> None:
        tried.append(address)
        connect(own, address)

    with patch.object(socket.socket, "connect", noted):
        yield tried
