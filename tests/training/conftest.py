"""torch on one core, and checkpoints that are made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxlab.testing.checkpoints import tiny_adapter, tiny_checkpoint


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    torch = pytest.importorskip("torch", reason="the extra 'train' is not installed")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def bases(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A plain checkpoint, one whose template begins the thinking, and an adapter on the first."""
    root = tmp_path_factory.mktemp("bases")
    plain = tiny_checkpoint(root / "plain")
    opened = tiny_checkpoint(root / "opened", thinking="opened")
    return {"plain": plain, "opened": opened, "adapter": tiny_adapter(root / "adapter", plain)}
