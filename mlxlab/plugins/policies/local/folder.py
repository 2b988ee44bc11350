"""What is in a checkpoint's folder, found out without torch."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlxlab.core.errors import UsageError
from mlxlab.plugins.policies.local.rope import steady_length

ADAPTER = "adapter_config.json"
CONFIG = "config.json"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model")
_PICKLES = ("pytorch_model*.bin", "adapter_model.bin", "*.pt", "*.pth")
_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk.

    Args:
        path: the folder that the user named.
        weights: the folder of the model's weights; for an adapter, its base.
        adapter: the folder of an adapter, None for a whole model.
        gguf: the name of the weights' file, where it is one of llama.cpp's.
        words: the folder that has the tokenizer.
        template: the chat template; None where it stands in a GGUF file.
    """

    path: Path
    weights: Path
    adapter: Path | None
    gguf: str | None
    words: Path
    template: str | None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.stem if self.path.suffix == ".gguf" else self.path.name

    def context(self) -> int | None:
        """The most tokens that the model takes, prompt and answer together."""
        config = self._config()
        nested = config.get("text_config")
        places = [nested, config] if isinstance(nested, dict) else [config]
        found = (place.get(key) for place in places for key in _CONTEXT)
        return next((value for value in found if isinstance(value, int)), None)

    def steady(self) -> int | None:
        """The most tokens whose positions do not change while a text grows; None: any number."""
        return steady_length(self._config())

    def sampling(self) -> dict[str, Any]:
        """What generation_config.json says about sampling."""
        for folder in (self.path, self.weights):
            if (folder / "generation_config.json").is_file():
                return read_json(folder / "generation_config.json")
        return {}

    def _config(self) -> dict[str, Any]:
        return {} if self.gguf is not None else read_json(self.weights / CONFIG)


def find_checkpoint(path: str, base: str | None, template: str | None = None) -> Checkpoint:
    """Look through a folder; raises UsageError for what is missing, with what to do about it.

    Args:
        path: a checkpoint's or an adapter's folder, or a GGUF file.
        base: the folder of an adapter's model, where the adapter does not name it.
        template: stands in for the folder's own chat template, which it then need not have.
    """
    folder = Path(path)
    if folder.is_file() and folder.suffix == ".gguf":
        return _gguf(folder, folder, base, template)
    if not folder.is_dir():
        raise UsageError(
            f"There is no checkpoint at '{path}'.",
            "Give a folder with config.json and model.safetensors, as save_pretrained writes it.",
        )
    if (folder / ADAPTER).is_file():
        _check_weights(folder, "adapter_model")
        weights = _base(folder, base)
        return _described(folder, weights, folder, base, template)
    if (folder / CONFIG).is_file():
        _check_weights(folder, "model")
        return _described(folder, folder, None, base, template)
    files = sorted(folder.glob("*.gguf"))
    if len(files) == 1:
        return _gguf(folder, files[0], base, template)
    raise UsageError(f"'{path}' holds no checkpoint: it has no {CONFIG}.", _nearby(folder, files))


def read_json(path: Path) -> dict[str, Any]:
    """A file's JSON object; raises UsageError where it is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}.", "Save it again.") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path} holds no JSON object.", "Save the checkpoint again.")
    return value


def _described(
    path: Path, weights: Path, adapter: Path | None, base: str | None, template: str | None
) -> Checkpoint:
    places = [path, weights, *([Path(base)] if base else [])]
    words = next((place for place in places if _has_tokenizer(place)), None)
    if words is None:
        raise UsageError(
            f"'{path}' has no tokenizer (tokenizer.json).",
            "Save the tokenizer next to the weights, or name the folder that has it: "
            f"local:{path}?base=FOLDER",
        )
    template = template or next((found for place in places if (found := _template(place))), None)
    if template is None:
        raise UsageError(
            f"'{path}' has no chat template, so that it is not known how to ask this model.",
            f"Put one into {path / 'chat_template.jinja'}; a base model that was never taught to "
            "answer will not do.",
        )
    return Checkpoint(path, weights, adapter, None, words, template)


def _gguf(path: Path, file: Path, base: str | None, template: str | None) -> Checkpoint:
    words = Path(base) if base else file.parent
    return Checkpoint(path, file.parent, None, file.name, words, template or _template(words))


def _base(adapter: Path, base: str | None) -> Path:
    named = base or str(read_json(adapter / ADAPTER).get("base_model_name_or_path") or "")
    found = Path(named).expanduser()
    if not named or not found.is_dir():
        found = adapter / named
    if not named or not found.is_dir():
        raise UsageError(
            f"The adapter '{adapter}' belongs to the model '{named}', which is not on this disk.",
            f"Name the folder that holds it: local:{adapter}?base=FOLDER",
        )
    if (found / ADAPTER).is_file() or not (found / CONFIG).is_file():
        raise UsageError(
            f"The adapter '{adapter}' belongs to '{found}', which is no whole checkpoint.",
            f"Name the folder of the base model: local:{adapter}?base=FOLDER",
        )
    _check_weights(found, "model")
    return found.resolve()


def _check_weights(folder: Path, name: str) -> None:
    index = folder / f"{name}.safetensors.index.json"
    if index.is_file():
        shards = {str(shard) for shard in dict(read_json(index).get("weight_map", {})).values()}
        missing = sorted(shard for shard in shards if not (folder / shard).is_file())
        if missing or not shards:
            raise UsageError(
                f"'{folder}' lacks weights: {', '.join(missing) or 'the index names none'}.",
                "Copy the whole folder, or save the checkpoint again.",
            )
    elif not (folder / f"{name}.safetensors").is_file():
        pickled = [file.name for form in _PICKLES for file in folder.glob(form)]
        what = f"only pickled ones ({pickled[0]}), which may run code" if pickled else "none"
        raise UsageError(
            f"'{folder}' should hold its weights as {name}.safetensors, and has {what}.",
            "Save it with model.save_pretrained(FOLDER): transformers writes safetensors.",
        )


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _TOKENIZERS)


def _template(folder: Path) -> str | None:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    for name in ("tokenizer_config.json", "chat_template.json"):
        if not (folder / name).is_file():
            continue
        found = read_json(folder / name).get("chat_template")
        if isinstance(found, list):
            found = {each["name"]: each["template"] for each in found}.get("default")
        if isinstance(found, str):
            return found
    return None


def _nearby(folder: Path, files: list[Path]) -> str:
    if files:
        return f"Name one of its GGUF files: local:{files[0]}"

    def number(path: Path) -> int:
        return int(re.sub(r"\D", "", path.name) or 0)

    inner = [
        child
        for child in folder.iterdir()
        if (child / CONFIG).is_file() or (child / ADAPTER).is_file()
    ]
    if inner:
        return f"Did you mean local:{max(inner, key=number)}?"
    return "Give a folder with config.json and model.safetensors, as save_pretrained writes it."
