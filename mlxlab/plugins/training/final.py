"""OUT/final: a trained model as a standard folder of Hugging Face, with its card."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlxlab.core.errors import RecordError
from mlxlab.core.removal import remove_tree
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import FINAL, PolicyRef, TrainJob
from mlxlab.plugins.training.card import Facts, write_card
from mlxlab.plugins.training.models.loaded import Loaded
from mlxlab.plugins.training.quiet import quiet


def save_final(
    job: TrainJob,
    loaded: Loaded,
    facts: Facts,
    *,
    merge: bool = True,
    state: Mapping[str, Any] | None = None,
) -> PolicyRef:
    """Write the result of a training, in one move, and return the spec that `--policy` accepts.

    Of several processes that train together the first one writes, and the others wait for it. The
    weights of an adapter are merged into `loaded.model`, which is not to be trained further.

    Args:
        job: says where, and what was learned from.
        loaded: the trained model.
        facts: trainer, options, steps and figures; the rest is filled in from job and model.
        merge: whether a LoRA leaves whole weights; else the adapter, which needs its base.
        state: the weights, where they were gathered from several processes.

    Raises:
        RecordError: the disk is full, or cannot be written.
    """
    folder = job.out / FINAL
    ref = PolicyRef(spec=str(Spec(name="local", argument=str(folder))))
    if os.environ.get("RANK", "0") != "0":
        _meet()
        return ref
    new = folder.with_name(f".{FINAL}.new")
    facts = _whole(job, loaded, facts)
    try:
        remove_tree(new)
        with quiet():
            _save(loaded, new, merge, state)
        write_card(new, facts)
        remove_tree(folder)
        new.replace(folder)
    except OSError as error:
        words = error.strerror or str(error)
        raise RecordError(
            f"The trained model cannot be written to {folder}: {words}.",
            "Make room on the disk, and go on with the training: its last checkpoint is kept.",
        ) from error
    _meet()
    return ref


def _meet() -> None:
    """Wait for the other processes: a stage that comes next begins with what one has written."""
    from accelerate import PartialState

    PartialState().wait_for_everyone()


def _save(loaded: Loaded, folder: Any, merge: bool, state: Mapping[str, Any] | None) -> None:
    import torch

    model = loaded.model
    merge = merge and state is None  # what is spread over processes is not merged
    if loaded.adapted and merge:
        model = loaded.model = model.merge_and_unload()
    if loaded.bf16 and state is None:
        model.to(torch.bfloat16)  # what it computed with
    model.config.use_cache = True
    model.save_pretrained(folder, **({} if state is None else {"state_dict": dict(state)}))
    if not loaded.adapted or merge:
        model.generation_config.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)


def _whole(job: TrainJob, loaded: Loaded, facts: Facts) -> Facts:
    examples = job.corpus.examples
    return replace(
        facts,
        base=facts.base or loaded.base,
        tasks=facts.tasks or tuple(dict.fromkeys(example.state.task for example in examples)),
        runs=facts.runs or job.corpus.runs,
        seed=job.seed,
        licence=facts.licence or loaded.licence,
        fingerprint=facts.fingerprint or loaded.fingerprint,
        parameters=loaded.parameters(),
    )
