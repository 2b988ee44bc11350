"""Vectors of ideas: by a sentence-embedding model where there is one, by their words otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxlab.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS = "tfidf"
Embed = Callable[[Sequence[str]], "NDArray[Any]"]


def embedder_of(asked: str | None) -> tuple[str, Embed]:
    """The name that is recorded, and a function from texts to rows of numbers.

    Neither version of the paper names its embedding model, and no model is fetched here: what is
    not said is TF-IDF over single words and pairs of the task's own candidates.

    Args:
        asked: None or `tfidf`, or the folder of a sentence-transformers model.

    Raises:
        UsageError: no such folder, or sentence-transformers is not installed.
    """
    if asked is None or asked == WORDS:
        return WORDS, _by_words
    folder = Path(asked).expanduser()
    if not folder.is_dir():
        raise UsageError(
            f"There is no embedder '{asked}'.",
            f"Write {WORDS}, or the folder of a sentence-transformers model.",
        )
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UsageError(
            "An embedding model needs sentence-transformers, which is not installed.",
            f"Install it: pip install sentence-transformers; or leave out --embedder for {WORDS}.",
        ) from error
    model = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)

    def embed(texts: Sequence[str]) -> NDArray[Any]:
        import numpy as np

        return np.asarray(model.encode(list(texts), show_progress_bar=False), dtype=float)

    return f"sentence-transformers:{folder.name}", embed


def _by_words(texts: Sequence[str]) -> NDArray[Any]:
    """TF-IDF; texts without a single word have no length and are far from everything."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    try:
        return np.asarray(words.fit_transform(texts).toarray(), dtype=float)
    except ValueError:  # not one word in any of them
        return np.zeros((len(texts), 1))
