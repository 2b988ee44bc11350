"""A trainer that goes wrong costs its own training, with one line that names it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlxlab.api.training import TrainOptions, plan_training, run_plan
from mlxlab.core.errors import MlxError, PluginError, RecordError
from mlxlab.core.hooks import Hooks
from mlxlab.core.registry import Registry
from mlxlab.core.trainer import Machine
from tests.api.test_training import options as training_of
from tests.containment import parts

WHO = "trainer 'bad' of acme-parts 1.2"


def options(tmp_path: Path, trainer: str) -> TrainOptions:
    return training_of(tmp_path, trainer, sandbox="bad", rewards="bad")


def train(tmp_path: Path, registry: Registry, trainer: str) -> None:
    run_plan(plan_training(options(tmp_path, trainer), registry), hooks=Hooks())


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("train&fault=raise", "train failed: ValueError: no luck."),
        ("train&fault=base", "train failed: tests.containment.parts.Strange: no luck."),
        ("train&fault=exit", "train failed: SystemExit: no luck."),
        ("train&fault=interrupt", "train failed: KeyboardInterrupt: no luck."),
        ("train&fault=type", "train returned int, no PolicyRef."),
        ("elsewhere", "train failed: FileNotFoundError: [Errno 2] No such file: 'vocab.bin'."),
        ("reset", "train failed: ConnectionResetError: [Errno 104] Connection reset by peer."),
        ("pipe", "train failed: BrokenPipeError: [Errno 32] Broken pipe."),
        ("words", "train failed: RuntimeError: tokenizer: file too large."),
    ],
)
def test_it_costs_its_own_training_and_is_named(
    tmp_path: Path, registry: Registry, what: str, told: str
) -> None:
    with pytest.raises(PluginError) as caught:
        train(tmp_path, registry, f"bad?call={what}")
    assert str(caught.value) == f"{WHO}: {told}"
    record = json.loads((tmp_path / "out" / "train.json").read_text())
    assert (record["status"], record["error"]) == ("failed", str(caught.value))
    parts.ARMED[0] = False
    train(tmp_path, registry, f"bad?call={what}")
    assert json.loads((tmp_path / "out" / "train.json").read_text())["status"] == "done"


def test_a_full_disk_and_the_training_s_own_folder_are_told_as_such(
    tmp_path: Path, registry: Registry
) -> None:
    with pytest.raises(RecordError, match="the disk is full"):
        train(tmp_path, registry, "bad?call=full")
    with pytest.raises(PermissionError, match="Not allowed"):
        train(tmp_path / "other", registry, "bad?call=inside")


@pytest.mark.parametrize("fault", ["raise", "base", "hang", "type"])
@pytest.mark.parametrize("call", ["needs_arena", "estimate"])
def test_what_it_states_is_checked_before_anything_is_written(
    tmp_path: Path, registry: Registry, call: str, fault: str
) -> None:
    with pytest.raises(PluginError) as caught:
        plan = plan_training(options(tmp_path, f"bad?call={call}&fault={fault}"), registry)
        plan.estimates(Machine())
    line = str(caught.value)
    assert line.startswith(f"{WHO}: ") and "\n" not in line
    named = call if call == "estimate" or fault == "type" else "its attributes"
    assert f"{named} " in line
    assert not (tmp_path / "out").exists()


def test_what_is_no_trainer_is_named_with_its_version(tmp_path: Path, registry: Registry) -> None:
    lacking = r"trainer 'hollow' of acme-parts 1\.2 is no trainer: it has no needs_arena, no train"
    with pytest.raises(PluginError, match=lacking):
        plan_training(options(tmp_path, "hollow"), registry)


def test_those_that_carry_actions_out_are_checked_too(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.BadTrainer, "needs_arena", True)
    stated = property(lambda self: None, lambda self, given: None)
    monkeypatch.setattr(parts.BadReward, "needs", stated, raising=False)
    wrong = r"reward 'bad' of acme-parts 1\.2: needs is NoneType, no set of names"
    with pytest.raises(MlxError, match=wrong):
        plan_training(options(tmp_path, "bad"), registry)
