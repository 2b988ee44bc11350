"""`mlx explore`, and the ideas that a run is given by hand."""

from __future__ import annotations

import json

from mlxlab.api import RunFolder
from tests.cli.conftest import TOY_RUN, Place

ASK = ("explore", "--task", "generated:rings/1", "--candidates", "12", "--keep", "3")
IDEAS = ("--idea", "grow a forest", "--idea", "scale it")


def test_ideas_are_shown_and_kept_and_runs_try_them(place: Place) -> None:
    done = place.mlx(*ASK)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == "TASK IDEAS KEPT DISTANCE CALLS COST".split()
    assert "by tfidf" in done.stdout
    assert "--collect N" in done.stderr
    found = json.loads((place.work / "explored/recipe/ideas.json").read_text())
    assert len(found["tasks"]["generated:rings/1"]["kept"]) == 3
    more = place.mlx(*ASK, "--collect", "1", "--steps", "1", "--json")
    assert more.returncode == 0
    said = json.loads(more.stdout)
    assert said["tasks"]["generated:rings/1"]["calls"] == 1
    manifest = RunFolder(place.work / said["runs"][0]).manifest()
    assert set(manifest.ideas) <= set(said["tasks"]["generated:rings/1"]["kept"])
    assert (said["steps"], manifest.status) == (1, "done")


def test_what_cannot_be_explored_is_one_line(place: Place) -> None:
    for words, said in (
        (("--plain",), "--plain is for runs without ideas"),
        (("--embedder", "nowhere"), "There is no embedder 'nowhere'"),
        (("--scaffold", "recipes"), "There is no scaffold 'recipes'"),
        (("--policy", "climbs"), "There is no policy 'climbs'"),
    ):
        done = place.mlx("explore", *words)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert said in done.stderr
        assert not (place.work / "explored").exists()


def test_a_run_records_its_ideas_and_a_resumed_one_keeps_them(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "2", *IDEAS)
    assert done.returncode == 0
    folder = RunFolder(place.run())
    assert folder.manifest().ideas == ("grow a forest", "scale it")
    assert "- grow a forest\n- scale it\n" in folder.manifest().task.description
    other = place.mlx("run", "--resume", "latest", "--steps", "3", "--idea", "scale it")
    assert other.returncode == 2
    assert "A resumed run keeps what it was started with: leave out --idea." in other.stderr
    same = place.mlx("run", "--resume", "latest", "--steps", "3", *IDEAS)
    assert same.returncode == 0
    again = place.mlx("run", "--resume", "latest", "--steps", "4")
    assert again.returncode == 0
    assert folder.manifest().ideas == ("grow a forest", "scale it")
    assert len(folder.steps()) == 4


def test_a_replay_with_the_same_ideas_asks_the_same(place: Place) -> None:
    place.mlx("run", "--task", "generated:rings/1", "--scaffold", "recipe", "--policy", "climb",
              "--steps", "2", *IDEAS)  # fmt: skip
    first = RunFolder(place.run())
    done = place.mlx("run", "--task", "generated:rings/1", "--scaffold", "recipe", "--policy",
                     f"replay:{first.path}", *IDEAS, "--out", "replays", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = RunFolder(place.work / json.loads(done.stdout)["run_dir"])
    assert again.manifest().ideas == first.manifest().ideas
    assert [step.prompt for step in again.steps()] == [step.prompt for step in first.steps()]
    assert [step.action for step in again.steps()] == [step.action for step in first.steps()]
