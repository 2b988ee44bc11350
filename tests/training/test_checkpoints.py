"""Checkpoints of our own loops: whole or not there, and exactly what was saved."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.errors import RecordError
from mlxlab.plugins.training.checkpoints import Checkpoints
from mlxlab.plugins.training.models import Lora, load_base

WRITER = """
import sys, torch
from pathlib import Path
from mlxlab.plugins.training.checkpoints import Checkpoints
torch.set_num_threads(1)
net = torch.nn.Linear(300, 300)
kept = Checkpoints(Path(sys.argv[1]))
for step in range(1, 10_000):
    torch.nn.init.constant_(net.weight, step)
    kept.save(step, modules={"net": net}, states={"o": {"step": step}}, counters={"step": step})
    print(step, flush=True)
"""


def stepped(net: Any, optimizer: Any) -> None:
    import torch

    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def made() -> tuple[Any, Any]:
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    return net, torch.optim.AdamW(net.parameters(), lr=0.1)


def test_a_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    import torch

    kept = Checkpoints(tmp_path / "checkpoints")
    assert kept.newest() is None
    net, optimizer = made()
    stepped(net, optimizer)
    states = {"optimizer": optimizer.state_dict()}
    kept.save(1, modules={"policy": net}, states=states, counters={"best": 0.5, "seen": [1, 2]})
    drawn = torch.rand(2), random.random()
    stepped(net, optimizer)

    other, again = made()
    newest = kept.newest()
    assert newest is not None and newest.step == 1 and newest.counters["seen"] == [1, 2]
    newest.load({"policy": other})
    again.load_state_dict(newest.states("optimizer"))
    newest.restore_rng()
    assert torch.equal(torch.rand(2), drawn[0]) and random.random() == drawn[1]
    stepped(other, again)
    assert all(map(torch.equal, net.parameters(), other.parameters()))


def test_of_an_adapter_only_what_is_trained_is_kept(bases: dict[str, Path], tmp_path: Path) -> None:
    loaded = load_base(str(bases["plain"]), lora=Lora(r=2), device="cpu")
    place = Checkpoints(tmp_path).save(3, modules={"policy": loaded.model})
    assert (place / "policy.safetensors").stat().st_size < 4.5 * loaded.parameters()[1] + 20_000
    whole = load_base(str(bases["plain"]), device="cpu")
    newest = Checkpoints(tmp_path).newest()
    assert newest is not None
    with pytest.raises(RecordError, match="other weights"):
        newest.load({"policy": whole.model})


def test_the_newest_are_kept_and_half_written_ones_are_not_found(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, keep=2)
    net, _ = made()
    for step in (1, 2, 10):
        kept.save(step, modules={"net": net})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000002", "step-00000010"]
    (tmp_path / ".step-00000011.new").mkdir()
    newest = kept.newest()
    assert newest is not None and newest.step == 10
    kept.save(10, modules={"net": net}, counters={"again": True})
    assert (again := kept.newest()) is not None and again.counters == {"again": True}


def test_a_disk_that_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    net, _ = made()
    with pytest.raises(RecordError, match="cannot be written") as refused:
        Checkpoints(tmp_path / "file").save(1, modules={"net": net})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("after", [3, 8])
def test_a_kill_at_any_moment_leaves_a_whole_one(tmp_path: Path, after: int) -> None:
    import torch

    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."})
    assert writer.stdout is not None
    for _ in range(after):
        last = int(writer.stdout.readline())
    time.sleep(0.003 * after)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    newest = Checkpoints(tmp_path).newest()
    assert newest is not None and newest.step >= last
    net = torch.nn.Linear(300, 300)
    newest.load({"net": net})
    assert bool((net.weight == newest.step).all())
    assert newest.states("o") == newest.counters == {"step": newest.step}
