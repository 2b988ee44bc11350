"""What is lost in one class of tests is not found in another."""

import asyncio
import gc
from collections.abc import Iterator
from importlib import import_module

import pytest

from mlxlab.plugins.policies.litellm.library import load


@pytest.fixture(scope="module")
def litellm_is_there() -> None:
    """Import litellm, which changes the environment, before a suite looks at how it finds it."""
    asyncio.run(load())
    import_module("litellm.litellm_core_utils.default_encoding")


@pytest.fixture(scope="class", autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Collect what litellm loses with cancelled calls while the module ignores its warning."""
    yield
    gc.collect()
