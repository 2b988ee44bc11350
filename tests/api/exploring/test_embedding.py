"""What makes vectors of ideas: words, or a model that is named; and what the record says of it."""

from __future__ import annotations

import shutil
import sys
from types import ModuleType

import numpy as np
import pytest

from mlxlab.api.exploring import Explored, explore
from mlxlab.api.exploring.diversity import distances, farthest_on_average
from mlxlab.api.exploring.embedding import embedder_of
from mlxlab.core.errors import UsageError

TASK = "generated:rings/1"
QUIET = {"policy": "climb", "scaffold": "recipe", "candidates": 12, "keep": 3, "tell": str}


class ByLength:
    """Stands for SentenceTransformer: all that counts of a text is its length."""

    made: list[tuple[str, dict[str, bool]]] = []

    def __init__(self, folder, **options):
        self.made.append((folder, options))

    def encode(self, texts, show_progress_bar):
        assert show_progress_bar is False
        assert isinstance(texts, list)
        return vectors(texts).astype(np.float32)


def vectors(texts):
    angles = np.array([len(text) / 40 for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.fixture
def library(monkeypatch):
    """sentence-transformers, as if it were installed."""
    module = ModuleType("sentence_transformers")
    module.SentenceTransformer = ByLength
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    monkeypatch.setattr(ByLength, "made", [])
    return module


@pytest.fixture
def model(tmp_path):
    """A model's folder, as far as it is hashed."""
    folder = tmp_path / "one" / "minilm"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "README.md").write_text("A model.")
    return folder


def test_words_make_alike_ideas_near_and_others_far():
    words = embedder_of(None)
    assert (words.name, words.digest) == ("tfidf", "")
    assert embedder_of("tfidf") == words
    between = distances(
        words.embed(["scale the columns", "scale all the columns", "grow a forest", "!?"])
    )
    assert between[0, 1] < 0.5
    assert between[0, 2] == pytest.approx(1.0)
    assert between[3, 0] == 1.0
    assert words.embed(["!", "?"]).shape[0] == 2


def test_an_installed_library_is_not_taken_unless_a_model_is_named(library, tmp_path):
    assert explore([TASK], out=tmp_path, **QUIET).embedder == "tfidf"
    assert ByLength.made == []


def test_a_named_model_makes_the_vectors_and_is_recorded(library, model, tmp_path):
    found = explore([TASK], out=tmp_path / "out", embedder=str(model), **QUIET)
    options = {"local_files_only": True, "trust_remote_code": False}
    assert ByLength.made == [(str(model), options)]
    ideas = found.tasks[TASK]
    between = distances(vectors([idea.text for idea in ideas.candidates]))
    chosen = farthest_on_average(between, 3)
    assert ideas.kept == tuple(ideas.candidates[place] for place in chosen)
    words = explore([TASK], out=tmp_path / "words", **QUIET)
    assert ideas.kept != words.tasks[TASK].kept
    read = Explored.read(tmp_path / "out")
    assert read.embedder == f"sentence-transformers:{model}"
    assert len(read.embedder_hash) == 64
    assert words.embedder_hash == ""


def test_models_in_folders_of_one_name_are_told_apart(library, model, tmp_path):
    other = tmp_path / "two" / "minilm"
    shutil.copytree(model, other)
    (other / "README.md").write_text("The same model.")
    (other / ".cache").mkdir()
    (other / ".cache" / "download.json").write_text("{}")
    one, two = embedder_of(str(model)), embedder_of(str(other))
    assert one.name != two.name
    assert one.digest == two.digest
    for changed in ("model.safetensors", "1_Pooling/config.json"):
        before = embedder_of(str(other)).digest
        (other / changed).write_bytes(b"{} ")
        assert embedder_of(str(other)).digest != before


def test_a_folder_is_recorded_as_it_was_given(library, model, monkeypatch):
    monkeypatch.chdir(model.parent)
    assert embedder_of("minilm").name == "sentence-transformers:minilm"
    monkeypatch.setenv("HOME", str(model.parent))
    assert embedder_of("~/minilm").name == "sentence-transformers:~/minilm"
    assert ByLength.made[-1][0] == str(model)


def test_a_model_without_the_library_says_what_to_install(model, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(UsageError) as caught:
        explore([TASK], out=tmp_path / "out", embedder=str(model), **QUIET)
    assert str(caught.value) == (
        "An embedding model needs sentence-transformers, which is not installed. Install it: "
        "pip install sentence-transformers; or leave out --embedder for tfidf."
    )
    assert not (tmp_path / "out").exists()


def test_what_is_no_model_is_one_clear_line(library, model, monkeypatch):
    with pytest.raises(UsageError, match="There is no embedder 'nowhere'"):
        embedder_of("nowhere")

    def refuse(self, folder, **options):
        raise ValueError("Unrecognized model.\nA long story follows.")

    monkeypatch.setattr(ByLength, "__init__", refuse)
    with pytest.raises(UsageError) as caught:
        embedder_of(str(model))
    assert str(caught.value).count("\n") == 0
    assert f"cannot load {model}: Unrecognized model. Name the folder" in str(caught.value)
