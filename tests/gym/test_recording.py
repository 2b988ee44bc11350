import json
import stat
from pathlib import Path

import gymnasium
import pytest

from mlxlab.cli.main import main
from mlxlab.core.errors import MlxError
from mlxlab.core.planning import attestation
from mlxlab.core.runs import RunFolder, list_runs
from mlxlab.core.states import StateStore
from mlxlab.core.task import Board
from mlxlab.testing import ScriptedPolicy
from tests.gym.toys import GOOD, MIDDLE, Plain, box, toy


def played(folder: Path, *answers: str, actions: str = "code") -> RunFolder:
    env = toy(record=folder, actions=actions, max_steps=3)
    _, info = env.reset(seed=2)
    for answer in answers:
        *_, info = env.step(answer)
    env.close()
    return RunFolder(Path(info["run"]))


def test_an_episode_is_a_run_folder(tmp_path: Path) -> None:
    run = played(tmp_path, MIDDLE, "no program", GOOD)
    manifest, steps = run.manifest(), run.steps()
    assert (manifest.status, manifest.ended) == ("done", "all 3 steps are done")
    assert manifest.best is not None
    assert (manifest.best.step, manifest.best.public_score) == (2, 0.0)
    assert (manifest.spent.steps, manifest.spent.cost_usd) == (3, None)
    assert manifest.components["scaffold"].config == {"actions": "code"}
    assert [step.observation.status for step in steps] == ["ok", "invalid_action", "ok"]
    assert [step.parent for step in steps] == [None, 0, 1]
    assert steps[1].completion is not None and steps[1].completion.text == "no program"
    assert (run.path / "best" / "solution.py").read_text() == GOOD
    states = StateStore(run.path / "states")
    assert steps[2].next_state is not None and states.manifest(steps[2].next_state)
    assert steps[1].prompt is not None
    told = [message.content for message in run.prompt(steps[1].prompt)]
    assert "Predict y = id" in told[0] and told[1].startswith("Status: ok. Score: 3.")


def numbers(value: object) -> list[float]:
    """Every number anywhere in a JSON value."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [number for each in inner for number in numbers(each)]
    return [value] if isinstance(value, int | float) else []


def test_private_scores_are_in_their_own_file_and_nowhere_else(tmp_path: Path) -> None:
    run = played(tmp_path, MIDDLE)
    assert run.private_scores()[0].score == 2.5
    assert stat.S_IMODE((run.path / "scores.jsonl").stat().st_mode) == 0o600
    told = [json.loads(line) for line in (run.path / "steps.jsonl").read_text().splitlines()]
    assert told and 2.5 not in numbers(told)  # as a text it may stand in any moment of time
    assert run.manifest().attestation.private_scores_shown is False


def test_it_attests_what_a_run_does(tmp_path: Path) -> None:
    run = played(tmp_path, MIDDLE)
    said, info = run.manifest().attestation, run.manifest().task
    isolation = box().isolation
    assert said == attestation("public", isolation, info.data_hash)
    assert said.network == ("none" if isolation.network else "reachable")
    assert len(said.data_hash) == 64
    assert said.public_scores_shown and said.versions and not said.boards_shown


def test_a_reward_that_ranks_on_a_board_shows_it(tmp_path: Path) -> None:
    board = Board(name="models", kind="model", source="a test", scores=(0.5, 1.5, 4.0))

    def shown(boards: tuple[Board, ...], reward: str) -> bool:
        env = toy(task=Plain(boards=boards), record=tmp_path, reward=reward)
        *_, info = env.reset()
        env.close()
        return RunFolder(Path(info["run"])).manifest().attestation.boards_shown

    assert shown((board,), "human-rank")
    assert not shown((), "human-rank")
    assert not shown((board,), "ml-agent")


def test_an_episode_that_is_left_was_interrupted_and_the_next_is_another_run(
    tmp_path: Path,
) -> None:
    env = toy(record=tmp_path)
    env.reset(seed=1)
    env.step(GOOD)
    env.reset()
    env.step("FINAL ANSWER")
    env.close()
    first, second = sorted((run.manifest() for run in list_runs(tmp_path)), key=lambda m: m.status)
    assert (second.status, first.status) == ("interrupted", "done")
    assert first.ended == "the agent gave its final answer"
    assert first.seed != second.seed


def test_the_editor_s_calls_are_recorded(tmp_path: Path) -> None:
    asked = '{"type": "edit_script", "path": "a.py", "instruction": "x", "save_path": "a.py"}'
    editor = ScriptedPolicy([f"```python\n{GOOD}\n```"])
    env = toy(actions="json", editor=editor, record=tmp_path)
    *_, info = env.reset()
    env.step(asked)
    env.close()
    run = RunFolder(Path(info["run"]))
    (call,) = run.calls()
    assert (call.role, call.step) == ("editor", 0)
    assert run.steps()[0].calls == (0,)


@pytest.mark.parametrize("recorded", [True, False])
def test_an_episode_that_failed_is_over_and_the_next_one_is_not(
    tmp_path: Path, recorded: bool
) -> None:
    asked = '{"type": "edit_script", "path": "a.py", "instruction": "x", "save_path": "a.py"}'
    editor = ScriptedPolicy([])
    env = toy(actions="json", editor=editor, record=tmp_path if recorded else None)
    env.reset()
    with pytest.raises(MlxError, match="no more"):
        env.step(asked)
    for _ in range(2):
        with pytest.raises(gymnasium.error.ResetNeeded):
            env.step(asked)
    env.reset()
    *_, info = env.step('{"type": "list_files", "path": "."}')
    assert info["status"] == "ok"
    env.close()
    env.close()
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(asked)
    assert {run.manifest().status for run in list_runs(tmp_path)} == (
        {"failed", "interrupted"} if recorded else set()
    )


def test_mlx_runs_shows_it_and_nobody_resumes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = played(tmp_path, MIDDLE, GOOD)
    assert main(["runs", "show", str(run.path)]) == 0
    shown = capsys.readouterr().out
    assert "interrupted" in shown and "unknown" in shown
    assert main(["runs", "show", str(run.path), "--step", "1"]) == 0
    assert "Score: 3" in capsys.readouterr().out
    assert main(["run", "--resume", str(run.path)]) == 2
    assert "was the Python object" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    env = toy(record=tmp_path / "file")
    with pytest.raises(MlxError) as failure:
        env.reset()
    assert "cannot be written" in str(failure.value) and "\n" not in str(failure.value)
    env.close()


def test_episodes_that_begin_at_the_same_moment_are_runs_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["one", "one", "one", "two"])
    monkeypatch.setattr("mlxlab.gym.recording.run_id", lambda *parts: next(names))
    envs = [toy(record=tmp_path) for _ in range(2)]
    runs = [Path(env.reset()[1]["run"]).name for env in envs]
    assert runs == ["one", "two"]
    for env in envs:
        env.close()
