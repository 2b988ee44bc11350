"""Which installed distributions are worth a word in a prompt."""

from __future__ import annotations

from mlxlab.core.sandbox import Packages

KNOWN = frozenset(
    """
    accelerate albumentations autogluon bitsandbytes catboost category-encoders dask datasets
    duckdb einops faiss-cpu feature-engine fastai featuretools flax gensim geopandas hmmlearn
    hyperopt imageio imbalanced-learn implicit jax joblib keras librosa lifelines lightfm lightgbm
    lightning matplotlib mlxtend monai networkx nltk numba numpy onnxruntime opencv-python
    opencv-python-headless optuna pandas patsy peft pillow polars prophet pyarrow pymc pyod
    pytorch-lightning pytorch-tabnet rapidfuzz rdkit sacremoses scikit-image scikit-learn
    scikit-optimize scipy seaborn sentence-transformers sentencepiece shap skorch sktime spacy
    statsmodels surprise tensorflow textblob timm tokenizers torch torch-geometric torchaudio
    torchvision transformers trl tsfresh umap-learn vllm xgboost
    """.split()
)
"""Distributions that an ML program may want, by their normalised names."""


def libraries(packages: Packages) -> str:
    """The installed libraries for ML work with their versions, and how many others there are."""
    named = [
        f"{name} {version}"
        for name, version in sorted(packages.versions.items(), key=lambda item: item[0].lower())
        if name.lower().replace("_", "-") in KNOWN
    ]
    others = len(packages.versions) - len(named)
    parts = [", ".join(named) or "no library for machine learning"]
    if others:
        parts.append(f"and {others} other package{'s' if others > 1 else ''}")
    return " ".join(parts)
