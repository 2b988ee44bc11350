"""Vectors of ideas: by their words, or by a sentence-embedding model that the user names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxlab.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS = "tfidf"
MODEL = "sentence-transformers"
Embed = Callable[[Sequence[str]], "NDArray[Any]"]
_LOADED = {".bin", ".json", ".model", ".safetensors", ".txt"}
"""Endings of what a model is loaded from: weights, settings, vocabularies."""


@dataclass(frozen=True)
class Embedder:
    """What makes vectors of ideas.

    Args:
        name: `tfidf`, or `sentence-transformers:` and the folder as it was given.
        digest: sha256 of the files that a model is loaded from; empty for `tfidf`.
        embed: from texts to rows of numbers.
    """

    name: str
    digest: str
    embed: Embed


def embedder_of(asked: str | None) -> Embedder:
    """What makes vectors of ideas, as the user asks for it.

    Neither version of the paper names its embedding model. A model is taken only where a folder is
    named, never because sentence-transformers is installed: it would have to be downloaded, and
    two machines would keep different ideas. Else it is TF-IDF over single words and pairs of the
    task's own candidates.

    Args:
        asked: None or `tfidf`, or the folder of a sentence-transformers model.

    Raises:
        UsageError: no such folder, sentence-transformers is not installed, or it cannot load what
            lies in the folder.
    """
    if asked is None or asked == WORDS:
        return Embedder(WORDS, "", _by_words)
    folder = Path(asked).expanduser()
    if not folder.is_dir():
        raise UsageError(
            f"There is no embedder '{asked}'.",
            f"Write {WORDS}, or the folder of a {MODEL} model.",
        )
    embed = _by_model(folder)
    return Embedder(f"{MODEL}:{asked}", _digest(folder), embed)


def _by_model(folder: Path) -> Embed:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UsageError(
            f"An embedding model needs {MODEL}, which is not installed.",
            f"Install it: pip install {MODEL}; or leave out --embedder for {WORDS}.",
        ) from error
    try:
        with redirect_stderr(StringIO()):  # a bar, at the speed at which weights are read
            model = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of several libraries, each with its own
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"{MODEL} cannot load {folder}: {why}",
            f"Name the folder of a model of its form, or {WORDS}.",
        ) from error

    def embed(texts: Sequence[str]) -> NDArray[Any]:
        import numpy as np

        return np.asarray(model.encode(list(texts), show_progress_bar=False), dtype=float)

    return embed


def _by_words(texts: Sequence[str]) -> NDArray[Any]:
    """TF-IDF; texts without a single word have no length and are far from everything."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    try:
        return np.asarray(words.fit_transform(texts).toarray(), dtype=float)
    except ValueError:  # not one word in any of them
        return np.zeros((len(texts), 1))


def _digest(folder: Path) -> str:
    """The sha256 of names and contents of a model's files, wherever the folder lies."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in _LOADED and "/." not in f"/{name}" and path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{digest} {name}\n".encode())
    return whole.hexdigest()
