"""The terminal is the command's own: libraries keep their bars and their advice to themselves."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

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
        with warnings.catch_warnings():
            for category in (FutureWarning, DeprecationWarning, UserWarning, RuntimeWarning):
                warnings.filterwarnings("ignore", category=category)
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
        if shown:
            advice.enable_progress_bar()
