"""What goes wrong below a trainer, in one line."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from mlxlab.core.errors import MlxError, RecordError
from mlxlab.core.trainer import TrainJob

_FULL = ("No space left", "file write failed", "unexpected pos", "PytorchStreamWriter")
_RESUME = "Its checkpoints are kept: resume it, and it goes on from the newest one."


@contextmanager
def told(job: TrainJob) -> Iterator[None]:
    """Turn whatever a library raises into an error for people."""
    try:
        yield
    except MlxError:
        raise
    except Exception as error:
        raise _told(job, error) from error


def _told(job: TrainJob, error: Exception) -> MlxError:
    words = " ".join(str(error).split())[:300] or type(error).__name__
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or any(sign in words for sign in _FULL):
        return RecordError(
            f"A checkpoint cannot be written to {job.out}: {words}.", f"Make room. {_RESUME}"
        )
    if type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in words:
        return MlxError(
            f"The training needs more memory than there is: {words}",
            f"Take a smaller micro_batch, or gradient_checkpointing=true, or lora=true. {_RESUME}",
        )
    return MlxError(f"The training failed: {type(error).__name__}: {words}", _RESUME)
