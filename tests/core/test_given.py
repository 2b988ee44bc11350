from __future__ import annotations

from importlib.metadata import version

import pytest

from mlxlab.core.errors import UsageError
from mlxlab.core.given import Given
from mlxlab.core.policy import Policy
from mlxlab.core.registry import Registry
from mlxlab.testing import ConstantReward, MemorySandbox, ScriptedPolicy, ToyTask
from tests.support import JsonScaffold, play


def given() -> Given:
    return Given(Registry.installed().entries)


def test_an_object_is_recorded_by_its_class_and_distribution() -> None:
    registry, task = given(), ToyTask()
    spec = registry.add("task", task)
    made = registry.create("task", spec)
    assert made.instance is task
    assert made.ref.spec == "python:mlxlab.testing.tasks.toy.ToyTask"
    assert (made.ref.kind, made.ref.name) == ("task", "ToyTask")
    assert made.ref.version == f"mlxlab {version('mlxlab')}"
    own = registry.create("scaffold", registry.add("scaffold", JsonScaffold()))
    assert own.ref.version == "the module tests.support"
    assert registry.create("policy", "catalog").ref.name == "catalog"


def test_a_named_object_says_its_class_too() -> None:
    registry = given()
    ref = registry.create("reward", registry.add("reward", ConstantReward(), "mine: 100%")).ref
    assert ref.name == "mine: 100%"
    assert ref.config == {"class": "mlxlab.testing.rewards.constant.ConstantReward"}
    assert registry.create("reward", ref.spec).ref == ref


def test_a_class_or_function_makes_a_sandbox_for_each_worker() -> None:
    registry = given()

    def make() -> MemorySandbox:
        return MemorySandbox(play)

    spec = registry.add("sandbox", make)
    first, second = (registry.create("sandbox", spec) for _ in range(2))
    assert isinstance(first.instance, MemorySandbox)
    assert first.instance is not second.instance
    assert first.ref == second.ref
    assert first.ref.name == "make"


def test_what_does_not_fit_is_told_with_what_it_lacks() -> None:
    registry = given()
    with pytest.raises(UsageError, match="int is no policy: it has no act, no close"):
        registry.add("policy", 3)
    with pytest.raises(UsageError, match=r"it is a class. Give an instance: ToyTask\("):
        registry.add("task", ToyTask)
    with pytest.raises(UsageError, match="has no judge, no needs, no range"):
        registry.add("reward", JsonScaffold())
    registry.add("reward", ConstantReward())
    with pytest.raises(UsageError, match="Name them: rewards="):
        registry.add("reward", ConstantReward())


def test_the_same_object_may_be_given_twice() -> None:
    registry, policy = given(), ScriptedPolicy(["a"])
    assert isinstance(policy, Policy)
    assert registry.add("policy", policy) == registry.add("policy", policy)


@pytest.mark.parametrize(
    ("kind", "parameter"), [("policy", "policy="), ("reward", "rewards="), ("task", "task=")]
)
def test_without_the_object_the_error_says_what_to_do(kind: str, parameter: str) -> None:
    with pytest.raises(UsageError, match=r"was the Python object 'a\.B'") as caught:
        Registry.installed().create(kind, "python:a.B")
    assert f"mlxlab.resume(run, {parameter}...)" in caught.value.hint
