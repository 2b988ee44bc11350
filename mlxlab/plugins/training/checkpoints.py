"""Checkpoints of our own training loops: written whole or not at all, read without running code."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlxlab.core.errors import RecordError
from mlxlab.core.removal import remove_tree

_COUNTERS, _DICE = "counters.json", "rng.pt"
_NAME = re.compile(r"step-(\d+)")


@dataclass(frozen=True)
class Kept:
    """A whole checkpoint on disk.

    Args:
        step: the optimizer step after which it was written.
        counters: what was counted, as it was given.
    """

    folder: Path
    step: int
    counters: dict[str, Any]

    def load(self, modules: Mapping[str, Any]) -> None:
        """Put the kept weights into modules of the same names; raises RecordError for others."""
        import torch
        from safetensors.torch import load_file

        for name, module in modules.items():
            kept = load_file(self.folder / f"{name}.safetensors")
            wanted = _trained(module)
            if kept.keys() != wanted.keys():
                raise RecordError(
                    f"{self.folder} holds other weights of '{name}' than this training has.",
                    "Go on with the options that it was begun with.",
                )
            with torch.no_grad():
                for key, weight in wanted.items():
                    weight.copy_(kept[key].to(weight.device))

    def states(self, name: str) -> dict[str, Any]:
        """The state of an optimizer or scheduler, for its `load_state_dict`."""
        import torch

        return dict(torch.load(self.folder / f"{name}.pt", map_location="cpu", weights_only=True))

    def restore_rng(self) -> None:
        """Go on drawing where the checkpoint was written: Python's, torch's and CUDA's dice."""
        import torch

        kept = torch.load(self.folder / _DICE, weights_only=True)
        version, words, gauss = kept["python"]
        random.setstate((version, tuple(words), gauss))
        torch.set_rng_state(kept["torch"])
        if torch.cuda.is_available() and len(kept["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(kept["cuda"])


class Checkpoints:
    """A folder of checkpoints, of which the newest are kept.

    Whatever moment a process is killed at, the newest whole checkpoint stays: each is written
    beside its place and moved there in one go.

    Args:
        folder: made when the first checkpoint is written.
        keep: how many stay.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self._folder = folder
        self._keep = max(1, keep)

    def save(
        self,
        step: int,
        *,
        modules: Mapping[str, Any],
        states: Mapping[str, Mapping[str, Any]] | None = None,
        counters: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write a checkpoint, then let older ones go.

        Args:
            step: the optimizer step that was just taken.
            modules: torch modules by name; what they train is kept, as safetensors.
            states: `state_dict()`s of optimizers and schedulers by name.
            counters: anything that JSON can hold.

        Raises:
            RecordError: the disk is full, or cannot be written.
        """
        place = self._folder / f"step-{step:08d}"
        new = self._folder / f".{place.name}.new"
        try:
            remove_tree(new)
            new.mkdir(parents=True)
            _write(new, modules, states or {}, dict(counters or {}))
            remove_tree(place)
            new.replace(place)
        except (OSError, RuntimeError) as error:
            raise _unwritten(place, error) from error
        self._sweep()
        return place

    def newest(self) -> Kept | None:
        """The newest whole checkpoint, None where there is none."""
        found = self._found()
        if not found:
            return None
        step, folder = found[-1]
        return Kept(folder, step, json.loads((folder / _COUNTERS).read_text()))

    def clear(self) -> None:
        """Remove all of them."""
        remove_tree(self._folder)

    def _found(self) -> list[tuple[int, Path]]:
        names = ((_NAME.fullmatch(path.name), path) for path in self._folder.glob("step-*"))
        found = [(int(name[1]), path) for name, path in names if name]
        return sorted(found)

    def _sweep(self) -> None:
        for _, folder in self._found()[: -self._keep]:
            gone = folder.with_name(f".{folder.name}.new")  # half removed, it is not found again
            folder.replace(gone)
            remove_tree(gone)


def _write(
    folder: Path,
    modules: Mapping[str, Any],
    states: Mapping[str, Mapping[str, Any]],
    counters: dict[str, Any],
) -> None:
    import torch
    from safetensors.torch import save_file

    for name, module in modules.items():
        weights = {key: w.detach().contiguous() for key, w in _trained(module).items()}
        save_file(weights, folder / f"{name}.safetensors")
    for name, state in states.items():
        torch.save(dict(state), folder / f"{name}.pt")
    version, words, gauss = random.getstate()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    dice = {"python": [version, list(words), gauss], "torch": torch.get_rng_state(), "cuda": cuda}
    torch.save(dice, folder / _DICE)
    (folder / _COUNTERS).write_text(json.dumps(counters))
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _trained(module: Any) -> dict[str, Any]:
    """The weights that training changes, each once where layers share it."""
    return {name: weight for name, weight in module.named_parameters() if weight.requires_grad}


def _unwritten(place: Path, error: Exception) -> RecordError:
    words = " ".join(str(getattr(error, "strerror", None) or error).split())
    return RecordError(
        f"The checkpoint {place} cannot be written: {words}.",
        "Make room on the disk; the training goes on from the one before.",
    )
