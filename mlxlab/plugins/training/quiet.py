"""The terminal is the command's own: libraries keep their bars and their advice to themselves.

What is trained here is the user's own too: nobody is told of it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_LOGGERS = ("transformers", "trl", "peft", "accelerate", "datasets", "torch.distributed")


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, no advice and no deprecations from libraries; errors pass unchanged."""
    from transformers.utils import logging as advice

    shown = advice.is_progress_bar_enabled()
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    advice.disable_progress_bar()
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), _no_bars(), _no_telemetry():
            for category in (FutureWarning, DeprecationWarning, UserWarning, RuntimeWarning):
                warnings.filterwarnings("ignore", category=category)
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
        if shown:
            advice.enable_progress_bar()


@contextmanager
def _no_bars() -> Iterator[None]:
    """Some bars (that of a GGUF file's conversion) ask none of the libraries' switches."""
    bar: Any = import_module("tqdm.auto").tqdm
    shown = bar.__init__

    def hidden(self: Any, *given: Any, **named: Any) -> None:
        shown(self, *given, **{**named, "disable": True})

    bar.__init__ = hidden
    try:
        yield
    finally:
        bar.__init__ = shown


@contextmanager
def _no_telemetry() -> Iterator[None]:
    """TRL tells Hugging Face of each training, from a thread of its own, unless it is forbidden."""
    constants: Any = import_module("huggingface_hub.constants")
    before = constants.HF_HUB_DISABLE_TELEMETRY
    constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = before
