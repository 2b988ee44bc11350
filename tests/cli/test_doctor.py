"""`mlx doctor`."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from tests.cli.conftest import Place, distribution

SECRET = "sk-very-secret"
HANGING = """
import time
def examine():
    time.sleep(600)
class Part: ...
"""
FAILING = """
from mlxlab.core.errors import SandboxError
def examine():
    raise ValueError("no luck\\x1b[2J")
class Part:
    @staticmethod
    def examine():
        raise SandboxError("The engine is gone.", "Start it.")
class Other: ...
"""


def looked(place: Place, **env: str) -> tuple[int, dict[str, Any]]:
    done = place.mlx("doctor", "--json", **env)
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in found["findings"]}


def test_it_runs_a_program_in_the_default_sandbox(place: Place) -> None:
    status, found = looked(place)
    names = by_name(found)
    assert status == 0 and found["ok"] and names["local sandbox"]["state"] == "ok"
    assert " ms" in names["local sandbox"]["detail"]
    assert {"Python", "disk", "kernel", "namespaces", "seccomp", "GPUs", "docker", "keys"} <= set(
        names
    )
    for one in found["findings"]:
        assert one["state"] in {"ok", "missing", "failed"} and "\n" not in one["detail"]
        assert one["state"] == "ok" or one["hint"], one
    assert names["mlxlab[parquet]"]["detail"].startswith("pyarrow ")


def test_keys_are_named_and_never_shown(place: Place) -> None:
    keys = {"DEEPSEEK_API_KEY": SECRET, "E2B_API_KEY": SECRET}
    done = place.mlx("doctor", **keys)
    assert done.returncode == 0 and SECRET not in done.stdout + done.stderr
    assert "set: DEEPSEEK_API_KEY" in done.stdout
    assert "mlx run works here." in done.stdout
    without = {**os.environ, "DEEPSEEK_API_KEY": ""}
    _, found = looked(place, **without)
    assert "DEEPSEEK_API_KEY" in by_name(found)["keys"]["detail"]


def test_the_status_is_that_of_the_default_sandbox(place: Place) -> None:
    status, found = looked(place, MLX_DISABLE_PLUGINS="sandbox.local")
    names = by_name(found)
    assert status == 1 and not found["ok"]
    assert names["local sandbox"]["state"] == "failed"
    assert "There is no sandbox 'local'" in names["local sandbox"]["detail"]
    told = place.mlx("doctor", MLX_DISABLE_PLUGINS="sandbox.local")
    assert told.returncode == 1 and "mlx run does not work here" in told.stdout


def test_what_fails_is_one_line_and_costs_the_others_nothing(place: Place) -> None:
    place.module("failing", FAILING)
    place.module("broken", "raise RuntimeError('cannot load')")
    parts = {"sandbox.one": "failing:Part", "sandbox.two": "failing:Other",
             "sandbox.three": "broken:Part"}  # fmt: skip
    distribution(place.site, "more-sandboxes", parts)
    status, found = looked(place)
    names = by_name(found)
    assert status == 0
    assert (names["one"]["detail"], names["one"]["hint"]) == ("The engine is gone.", "Start it.")
    who = "sandbox 'two' of more-sandboxes 1.2"
    assert names["two"]["detail"] == f"{who}: examine failed: ValueError: no luck\x1b[2J."
    assert "could not be loaded: RuntimeError: cannot load" in names["three"]["detail"]
    shown = place.mlx("doctor")
    assert "\x1b[2J" not in shown.stdout and "Traceback" not in shown.stdout + shown.stderr


def test_nobody_waits_for_what_hangs(place: Place) -> None:
    place.module("hanging", HANGING)
    distribution(place.site, "slow-sandbox", {"sandbox.slow": "hanging:Part"})
    began = time.monotonic()
    status, found = looked(place)
    assert time.monotonic() - began < 60
    assert status == 0
    assert by_name(found)["slow"]["detail"] == "no answer within 5 seconds"


@pytest.mark.parametrize("argument", ["--nosuch", "extra"])
def test_wrong_usage(place: Place, argument: str) -> None:
    done = place.mlx("doctor", argument)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
