from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import mlxlab
from mlxlab.core.actions import RunCode
from mlxlab.core.errors import PolicyError, RecordError, UnknownComponent, UsageError
from mlxlab.core.policy import PolicyRequest, Price
from mlxlab.core.records import Completion, Step
from mlxlab.testing import ConstantReward, MemorySandbox, ScriptedPolicy, ToyTask
from tests.support import JsonScaffold, code, play

ROOT = Path(__file__).parents[2]


def answer(request: PolicyRequest) -> Completion:
    """Ever better guesses; every third crashes."""
    step = request.decision.step
    text = code([row + 1.0 / (1 + step) for row in range(8)])
    if step % 3 == 2:
        text = RunCode(code="crash").model_dump_json()
    return Completion(text=text, model="toy", cost_usd=0.25)


def memory() -> MemorySandbox:
    return MemorySandbox(play)


def parts(**changes: object) -> dict[str, object]:
    """A run in memory, of objects."""
    return {
        "task": ToyTask(),
        "scaffold": JsonScaffold(chain=False),
        "policy": ScriptedPolicy(answer),
        "sandbox": memory,
        "rewards": [ConstantReward(0.5)],
        **changes,
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def test_a_run_of_objects_returns_what_was_recorded(out: Path) -> None:
    seen: list[int] = []

    def tell(step: Step) -> None:
        seen.append(step.step)

    run = mlxlab.run(**parts(), steps=4, seed=7, out=out, progress=tell)
    assert (run.status, [step.step for step in run.steps], seen) == ("done", *[[0, 1, 2, 3]] * 2)
    assert run.best is not None
    assert run.best.step == 3
    assert run.score == run.best.observation.public_score == 0.25
    assert run.private_score() == 0.25
    assert run.cost_usd == 1.0
    assert run.solution == "[0.25, 1.25, 2.25, 3.25, 4.25, 5.25, 6.25, 7.25]"
    assert run.folder.parent == out
    assert (run.manifest.seed, run.manifest.budget.steps) == (7, 4)
    assert run.manifest.components["policy"].spec.startswith("python:mlxlab.testing")


def test_specs_and_objects_mix_and_names_reach_the_registry(out: Path) -> None:
    run = mlxlab.run(
        **parts(rewards=["valid", ConstantReward()]), steps=1, out=str(out), feedback="self"
    )
    assert [ref.name for ref in run.manifest.rewards] == ["valid", "ConstantReward"]
    assert run.manifest.feedback == "self"
    with pytest.raises(UnknownComponent, match="There is no task 'nope'"):
        mlxlab.run("nope", out=out)


def test_rewards_are_named_by_a_dictionary(out: Path) -> None:
    rewards = {"low": ConstantReward(0.1), "high": ConstantReward(0.9)}
    run = mlxlab.run(**parts(rewards=rewards), steps=1, out=out)
    assert {k: v.value for k, v in run.steps[0].rewards.items()} == {
        "python:low": 0.1,
        "python:high": 0.9,
    }
    assert run.resume(steps=2).status == "done"


def test_it_works_beside_a_running_loop_and_leaves_it_alone(out: Path) -> None:
    async def notebook() -> tuple[mlxlab.Run, mlxlab.Run]:
        beside = mlxlab.run(**parts(), steps=2, out=out)
        with pytest.raises(TypeError, match="positional"):
            await mlxlab.arun("temperature", steps=2, out=out)
        within = await mlxlab.arun(**parts(), steps=2, out=out)
        return beside, within

    beside, within = asyncio.run(notebook())
    assert beside.status == within.status == "done"
    assert [s.action for s in beside.steps] == [s.action for s in within.steps]


class Hanging(ScriptedPolicy):
    """Never answers; what it costs is known beforehand."""

    def __init__(self, price: Price | None) -> None:
        super().__init__([])
        self._price = price

    async def act(self, request: PolicyRequest) -> Completion:
        await asyncio.sleep(1000)
        raise AssertionError

    async def price(self) -> Price | None:
        return self._price


@pytest.mark.parametrize(
    ("price", "perhaps"),
    [(Price(), 0), (Price(cached_prompt_usd=0.0), 0), (Price(prompt_usd=1e-6), 1), (None, 1)],
)
def test_of_a_call_that_costs_nothing_nobody_asks_whether_it_was_billed(
    price: Price | None, perhaps: int, out: Path
) -> None:
    async def go() -> None:
        task = asyncio.create_task(mlxlab.arun(**parts(policy=Hanging(price)), steps=1, out=out))
        while not list(out.glob("*/decisions.jsonl")):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    spent = mlxlab.load("latest", out).manifest.spent
    assert (spent.failed_calls, spent.cut_off_calls) == (1, perhaps)


def test_an_error_in_a_notebook_is_the_caller_s(out: Path) -> None:
    async def notebook() -> None:
        mlxlab.run(**parts(policy=3), out=out)

    with pytest.raises(UsageError, match="int is no policy"):
        asyncio.run(notebook())
    assert not out.exists()


def test_a_real_task_runs_in_a_notebook_s_thread(out: Path) -> None:
    async def notebook() -> mlxlab.Run:
        return mlxlab.run(task="temperature", steps=2, out=out)

    run = asyncio.run(notebook())
    assert [step.observation.status for step in run.steps] == ["ok", "ok"]
    assert run.solution is not None
    assert "submission.csv" in run.solution


def test_the_frame_has_a_row_a_step(out: Path) -> None:
    run = mlxlab.run(**parts(), steps=4, workers=2, out=out)
    frame = run.frame()
    assert frame["step"].tolist() == [step.step for step in run.steps]
    assert frame["parent"].isna().all()
    assert str(frame["parent"].dtype) == "Int64"
    by_step = frame.set_index("step")
    assert by_step.loc[2, "status"] == "error"
    assert math.isnan(by_step.loc[2, "score"])
    assert by_step.loc[3, "score"] == 0.25
    assert frame["cost_usd"].tolist() == [0.25] * 4
    assert frame["prompt_tokens"].isna().all()  # the policy does not say
    constant = "reward.python:mlxlab.testing.rewards.constant.ConstantReward"
    assert frame[constant].tolist() == [0.5] * 4
    again = mlxlab.load(run.folder).frame()
    pd.testing.assert_frame_equal(frame, again)


def test_a_run_without_steps_has_an_empty_frame_and_no_best(out: Path) -> None:
    policy = ScriptedPolicy([PolicyError("The provider is down.")])
    with pytest.raises(PolicyError) as caught:
        mlxlab.run(**parts(policy=policy), steps=2, out=out)
    (folder,) = out.iterdir()
    assert f"mlxlab.resume({str(folder)!r})" in "".join(caught.value.__notes__)
    run = mlxlab.load("latest", out)
    assert (run.status, run.best, run.score, run.solution) == ("failed", None, None, None)
    assert run.private_score() is None
    assert len(run.frame()) == 0
    assert "no step left a valid submission" in repr(run)
    done = mlxlab.resume(run, **parts())
    assert (done.status, len(done.steps)) == ("done", 2)


def test_feedback_decides_which_score_is_shown(out: Path) -> None:
    run = mlxlab.run(**parts(), steps=2, out=out, feedback="private")
    scores = [float(score) for score in run.frame()["score"]]
    assert scores == [1.0, 0.5]
    silent = mlxlab.run(**parts(), steps=2, out=out, feedback="none")
    assert silent.score is None
    assert silent.frame()["score"].isna().all()


def test_a_resume_needs_the_objects_again_and_no_others(out: Path) -> None:
    run = mlxlab.run(**parts(), steps=1, out=out)
    with pytest.raises(UsageError, match=r"ScriptedPolicy.*mlxlab\.resume\(run, policy=\.\.\.\)"):
        mlxlab.resume(run.folder, 2)
    with pytest.raises(UsageError, match="keeps its policy"):
        mlxlab.resume(run.folder, 2, **parts(policy="catalog"))
    with pytest.raises(UsageError, match="steps='9' is no whole number"):
        run.resume(steps="9")
    with pytest.raises(UsageError, match="can only raise"):
        mlxlab.resume(mlxlab.run(**parts(), steps=3, out=out), 1)
    again = mlxlab.resume(run.folder.name, 2, out=out, **parts())
    assert (len(again.steps), again.status) == (2, "done")
    assert again.resume(3).status == "done"


def test_a_resumed_run_of_specs_needs_nothing_again(out: Path) -> None:
    run = mlxlab.run(task="temperature", steps=1, out=out)
    assert len(mlxlab.resume("latest", 2, out=out).steps) == 2
    assert mlxlab.load(run.folder.name, out).status == "done"
    with pytest.raises(RecordError, match="There is no run 'nothing'"):
        mlxlab.load("nothing", out)


def test_one_sandbox_serves_one_worker(out: Path) -> None:
    with pytest.raises(UsageError, match="cannot serve 2 workers"):
        mlxlab.run(**parts(sandbox=memory()), workers=2, out=out)
    assert mlxlab.run(**parts(sandbox=memory()), steps=2, out=out).status == "done"


@pytest.mark.parametrize("odd", [3, [-1], ["a"], [0, 0]])
def test_odd_gpus_are_refused_as_on_the_command_line(odd: object, out: Path) -> None:
    with pytest.raises(UsageError, match=r"gpus=3|GPU"):
        mlxlab.run(**parts(), gpus=odd, out=out)
    assert not out.exists()


@pytest.mark.parametrize(
    "odd",
    [
        *({"steps": 0}, {"steps": 1.5}, {"workers": 0}, {"seed": "x"}, {"feedback": "loud"}),
        *({"max_tokens": 0}, {"max_tokens": 1.5}, {"patience": 0}, {"patience": "30m"}),
        *({"max_cost": -1.0}, {"time": 0.0}, {"time": "30m"}, {"exec_timeout": float("nan")}),
    ],
)
def test_odd_numbers_are_refused_before_anything_is_written(
    odd: dict[str, object], out: Path
) -> None:
    with pytest.raises(UsageError, match=next(iter(odd))):
        mlxlab.run(**parts(), **odd, out=out)
    assert not out.exists()


def test_a_progress_function_that_fails_costs_a_warning_only(out: Path) -> None:
    def tell(step: Step) -> None:
        raise ValueError("no such widget")

    with pytest.warns(RuntimeWarning, match=r"progress failed: .*no such widget"):
        run = mlxlab.run(**parts(), steps=2, out=out, progress=tell)
    assert len(run.steps) == 2


def test_progress_lines_go_to_stderr(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mlxlab.run(**parts(), steps=3, out=out, progress=True)
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert lines[0].startswith("run ")
    assert [line.split()[:2] for line in lines[1:]] == [["step", str(n)] for n in range(3)]


def test_what_a_person_sees_holds_no_private_score_and_no_escapes(out: Path) -> None:
    policy = ScriptedPolicy([code([9.0] * 8), PolicyError("down \x1b[2J<script>\u202e")])
    with pytest.raises(PolicyError):
        mlxlab.run(**parts(policy=policy), steps=2, out=out)
    run = mlxlab.load("latest", out)
    text, html = repr(run), run._repr_html_()
    assert run.score != run.private_score()
    assert run.private_score() == 6.0
    assert " 6 " not in text
    assert "\\x1b[2J<script>\\u202e" in text
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "\x1b" not in text + html
    assert "step 0: 5 (baseline 3, reference 0)" in text


SCRIPT = """
import asyncio, sys
import mlxlab
from tests.api.test_run import parts
from mlxlab.testing import ScriptedPolicy
from tests.api.test_run import answer

def go():
    policy = ScriptedPolicy(answer, latency_s=0.2)
    mlxlab.run(**parts(policy=policy), steps=100, out=sys.argv[2], progress=True)

async def notebook():
    go()

asyncio.run(notebook()) if sys.argv[1] == "notebook" else go()
"""


@pytest.mark.parametrize("where", ["notebook", "script"])
def test_ctrl_c_leaves_a_run_that_goes_on(where: str, out: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, where, str(out)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    told = ""
    while "step   1" not in told:
        told += (line := process.stderr.readline())
        assert line, told
    os.kill(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    run = mlxlab.load("latest", out)
    assert run.status == "interrupted", rest
    assert f"mlxlab.resume({str(run.folder)!r}) goes on" in rest
    assert "KeyboardInterrupt" in rest
    steps = len(run.steps) + 2
    assert mlxlab.resume(run, steps, **parts()).status == "done"


def test_importing_mlxlab_stays_light() -> None:
    program = (
        "import mlxlab, sys; assert 'pydantic' not in sys.modules; assert callable(mlxlab.run); "
        "assert mlxlab.Run.__name__ == 'Run'; assert not {'pandas', 'numpy'} & set(sys.modules)"
    )
    begun = time.monotonic()
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
    assert time.monotonic() - begun < 10
    with pytest.raises(AttributeError, match="nonsense"):
        _ = mlxlab.nonsense
