"""What the calls of one account have in common: rates, pauses after failures, outages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import inf, isinf

from mlxlab.core.boundary import Boundary
from mlxlab.core.errors import PolicyError
from mlxlab.core.patience import Patience, Tries, lagging, wait_s
from mlxlab.core.pauses import Pauses, Telling
from mlxlab.core.policy import Policy, Rates
from mlxlab.core.rates import Limiter
from mlxlab.core.stated import metered

FAILURES = 3
"""After so many in a row, over all workers, the account is out: one call at a time tries it."""
TOLD_S = 5.0
"""A wait that people are told of even where the account is not out."""


class Account:
    """Lets calls begin one after the other, when rates and failures allow it.

    A failure pauses every call of the account, for as long as the provider asks or else 1, 2, 4
    seconds and so on; one that a call meets again while others are answered pauses that call only.
    After several in a row one call at a time goes on trying, and the first that is answered lets
    the others go on. A call that began before a pause says nothing about it.
    """

    def __init__(self, patience: Patience, tell: Telling | None = None) -> None:
        self.limiter = Limiter(Rates())
        self._patience = patience
        self._tell = tell
        self._queue = asyncio.Lock()
        self._failures = 0
        self._rounds = 0
        self._since: float | None = None
        self._error: PolicyError | None = None
        self._paused_at = self._answered_at = -inf
        self._pause_s = 0.0
        self._probing = False
        self._told = False

    @property
    def out(self) -> bool:
        """Whether it has failed so often in a row that one call at a time tries it."""
        return self._failures >= FAILURES

    @asynccontextmanager
    async def turn(self, tries: Tries, tokens: int) -> AsyncIterator[Turn]:
        """Wait until a call may begin, and hold its place until it has ended.

        Raises:
            PolicyError, BudgetSpent: see `Patience.check`.
        """
        while (wait := tries.not_before - time.monotonic()) > 0:
            self._patience.check(tries.not_before, tries.since, tries.error)
            await self._wait(wait)
        async with self._queue:
            while True:
                self._check()
                if (wait := self._wait_s(tries, tokens)) <= 0:
                    break
                await self._wait(wait)
            turn = Turn(self, tries, tokens, probes=self.out)
            self._probing = self._probing or turn.probes
        try:
            yield turn
        finally:
            turn.end()
            if turn.probes:
                self._probing = False
            self._patience.bell.ring()

    def failed(self, tries: Tries, error: PolicyError) -> None:
        """Pause after a failure that another try may overcome.

        Raises:
            PolicyError: the pause would be longer than the patience or the run's time.
        """
        # A call that fails again while others are answered waits alone, unless all are told to.
        alone = tries.failed_at is not None and self._answered_at >= tries.failed_at
        tries.failed(error.retry_after_s)
        tries.error = error
        if error.retry_after_s or not alone:
            self._pause(tries, error)
        until = max(self._until, tries.not_before)
        self._patience.check(until, tries.since, error)
        self._check()
        self._say(error, until)

    def _pause(self, tries: Tries, error: PolicyError) -> None:
        now = time.monotonic()
        self._failures += 1
        self._since = now if self._since is None else self._since
        self._error = error
        # Calls that fail together have met the same fault, which is one round.
        self._rounds += tries.begun >= self._paused_at
        pause = wait_s(self._rounds, error.retry_after_s)
        if now + pause > self._until:
            self._paused_at, self._pause_s = now, pause

    def answered(self, tries: Tries) -> None:
        """Let everybody go on, unless a pause has begun since this call did: that one stays."""
        self._failures = self._rounds = 0
        self._since = None
        self._answered_at = time.monotonic()
        if tries.begun < self._paused_at and time.monotonic() < self._until:
            return
        self._error = None
        self._pause_s = 0.0
        if self._told and self._tell is not None:
            self._tell.run_resumed()
        self._told = False

    @property
    def _until(self) -> float:
        return self._paused_at + self._pause_s if self._pause_s else -inf

    def _check(self) -> None:
        self._patience.check(self._until, self._since, self._error)

    def _wait_s(self, tries: Tries, tokens: int) -> float:
        """Seconds until this call may begin; infinite until another one has ended."""
        now = time.monotonic()
        paused = self._paused_at + lagging(self._pause_s, tries.lag) - now if self._pause_s else 0.0
        if paused > 0:
            return paused
        return inf if self.out and self._probing else self.limiter.wait_s(tokens)

    async def _wait(self, seconds: float) -> None:
        left = self._patience.left_s()
        least = min(seconds, inf if left is None else left + 0.01)
        await self._patience.bell.wait(None if isinf(least) else least)

    def _say(self, error: PolicyError, until: float) -> None:
        wait = until - time.monotonic()
        if self._tell is None or not (self.out or wait >= TOLD_S):
            return
        self._told = True
        self._tell.run_paused(error.message, datetime.now(UTC) + timedelta(seconds=wait))


class Turn:
    """The place of one call; whether it was answered decides what the account does next."""

    def __init__(self, account: Account, tries: Tries, tokens: int, probes: bool) -> None:
        self.probes = probes
        self._account = account
        self._share = account.limiter.take(tokens)
        self._used: int | None = None
        tries.begun = time.monotonic()

    def used(self, tokens: int | None) -> None:
        """Note how many tokens the call really took."""
        self._used = tokens

    def end(self) -> None:
        """Give the place back."""
        self._account.limiter.settle(self._share, self._used)


class Accounts:
    """The accounts of a run: policies that name the same one share it."""

    def __init__(self, patience: Patience, tell: Telling | None = None) -> None:
        self._patience = patience
        self._pauses = Pauses(tell) if tell is not None else None
        self._named: dict[str, Account] = {}

    def of(self, policy: Policy, who: str = "") -> Account:
        """The account of a policy; one that names none has its own.

        Args:
            policy: the policy.
            who: whose it is, to say whose fault a failure is; see `whose`.

        Raises:
            PluginError: it fails, or what it states is of another type.
        """
        who = who or f"The policy {type(policy).__module__}.{type(policy).__qualname__}"
        with Boundary(who, "account", failed="states no account"):
            said = metered(policy)
        if said is None:
            return self._made()
        name, rates = said
        account = self._named.setdefault(name, self._made())
        account.limiter.also(rates)
        return account

    def _made(self) -> Account:
        return Account(self._patience, self._pauses.one() if self._pauses is not None else None)
