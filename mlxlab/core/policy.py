"""The contract of a policy: a request in, a completion out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from pydantic import Field

from mlxlab.core.order import Order
from mlxlab.core.records import Completion, Decision, Message, Record, Role
from mlxlab.core.task import TaskInfo


class Sampling(Record):
    """How a model samples; None leaves the provider's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = Field(None, description="Limit of the completion, in tokens.")


class Form(Record):
    """The parts that a scaffold wants an answer in: a policy may have a model fill them in.

    A policy whose model has structured output or tool calls may ask for these fields, each a
    string, and return them as `Completion.fields`; any other one leaves the form alone, and the
    scaffold reads the text.

    Args:
        name: a name that a tool may have: letters, digits and underscores.
        fields: what belongs into each field, by its name; all are required.
    """

    name: str
    description: str
    fields: dict[str, str]

    @property
    def json_schema(self) -> dict[str, Any]:
        """The form as a JSON schema of an object without further keys."""
        kinds = {
            name: {"type": "string", "description": text} for name, text in self.fields.items()
        }
        return {
            "type": "object",
            "properties": kinds,
            "required": list(self.fields),
            "additionalProperties": False,
        }


class PolicyRequest(Record):
    """What a policy is asked. `seed` differs for each call and repeats with the run's seed.

    `token_limit` is what the run's budget has set aside for the answer: no answer may be longer,
    whatever preset, scaffold and user say. None where no limit of the budget depends on it.
    """

    messages: tuple[Message, ...]
    decision: Decision
    task: TaskInfo
    role: Role = "policy"
    index: int = Field(0, description="How many calls this step has made before.")
    seed: int = 0
    sampling: Sampling = Sampling()
    form: Form | None = None
    token_limit: int | None = Field(None, gt=0)


class Price(Record):
    """What a model costs, in US dollars a token."""

    prompt_usd: float = Field(0.0, ge=0)
    completion_usd: float = Field(0.0, ge=0)
    cached_prompt_usd: float | None = Field(None, ge=0, description="None: as prompt_usd.")


class Rates(Record):
    """What an account may ask of a provider; None is no limit."""

    requests_per_minute: float | None = Field(None, gt=0)
    tokens_per_minute: float | None = Field(None, gt=0)
    concurrent: int | None = Field(None, gt=0)


class Features(Record):
    """What is known of a model without asking it; None is unknown."""

    context_tokens: int | None = None
    output_tokens: int | None = None
    thinking: bool | None = None
    structured: bool | None = Field(None, description="Answers by a JSON schema.")
    tools: bool | None = Field(None, description="Calls tools.")
    token_ids: bool | None = Field(None, description="Says which tokens it drew, and how likely.")


class Offer(Record):
    """A model that can be asked by name, as `mlx policies list` shows it.

    A module with an entry point of the kind `aliases` may have a function `offers` that returns
    them; it makes no call and imports nothing heavy.
    """

    name: str = Field(description="What is written after --policy.")
    model: str = ""
    policy: str = Field("", description="The policy that asks it.")
    key: str | None = Field(None, description="The variable with its key; None: needs none.")
    key_set: bool | None = Field(None, description="Whether the variable is set.")
    own: bool = Field(False, description="Whether it is the user's own.")
    price: Price | None = Field(None, description="None: unknown.")
    features: Features = Features()
    notes: str = ""


@runtime_checkable
class Policy(Protocol):
    """Answers requests. Constructing one is cheap and checks what can be checked without a call.

    A missing key raises UsageError naming the variable, in the constructor, before anything runs.
    """

    async def act(self, request: PolicyRequest) -> Completion:
        """Answer one request; may be called concurrently. Raises PolicyError."""
        ...

    async def close(self) -> None:
        """Free what it holds; a second call does nothing."""
        ...


@runtime_checkable
class Priced(Protocol):
    """A policy that knows its price before it is asked anything; optional."""

    async def price(self) -> Price | None:
        """The price; None where it is unknown. Makes no call."""
        ...


@runtime_checkable
class Varying(Protocol):
    """A priced policy whose price changes during a run, by the hour or the prompt; optional."""

    async def dearest(self) -> Price | None:
        """The most a token may cost at any hour, in a prompt of any length; None: unknown.

        Money is set aside by it. Makes no call.
        """
        ...


@runtime_checkable
class Ordered(Protocol):
    """A policy whose answers belong to a recorded run, in whose order the Runner then works."""

    order: Order


@runtime_checkable
class Choosing(Protocol):
    """A policy that can say beforehand whether it chooses among listed actions; optional."""

    needs_listing: bool
    """Whether it answers only scaffolds whose actions can be listed (`Listing`)."""


@runtime_checkable
class Metered(Protocol):
    """A policy whose calls share an account's limits with others of the same account; optional."""

    account: str
    """What shares the limits: a provider with a key, a server."""
    rates: Rates


@runtime_checkable
class Bounded(Protocol):
    """A policy that knows how many tokens a call may take at most; optional."""

    def bound(self, request: PolicyRequest) -> tuple[int | None, int | None]:
        """Most tokens of the prompt and of the answer; None where unknown. Makes no call.

        (0, 0) says that the answer is at hand: nobody is asked, nothing is paid, no rate counts.
        """
        ...


@runtime_checkable
class Featured(Protocol):
    """A policy that tells what its model can do; optional."""

    async def features(self) -> Features:
        """What is known. Makes no call."""
        ...


@runtime_checkable
class Resolving(Protocol):
    """A component that is made from more than its config, which is recorded too; optional.

    Neither holds a secret. See `ComponentRef`.
    """

    resolved: Mapping[str, Any]
    """What names in its options stand for; a resumed run needs the same."""
    details: Mapping[str, Any]
    """What else it was made with, for the reader of the record."""
