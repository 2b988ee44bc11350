"""Every failure as one line on stderr and an exit status.

Standard library only: `mlx --help` imports this module.
"""

from __future__ import annotations

import os
import sys
import traceback

from mlxlab.cli.text import plain
from mlxlab.core.errors import MlxError

INTERRUPTED = 130
PIPE_CLOSED = 141


def report(error: BaseException) -> int:
    """Print one line for people, the traceback only if asked; returns the exit status."""
    if os.environ.get("MLX_DEBUG", "0") not in {"", "0"}:
        traceback.print_exception(error)
    told = _for_people(error)
    print("mlx:", plain(str(told)), file=sys.stderr)
    return told.exit_code


def _for_people(error: BaseException) -> MlxError:
    if isinstance(error, MlxError):
        return error
    if isinstance(error, OSError):
        return MlxError(f"{error.filename or 'The system'}: {error.strerror or error}.")
    cause = traceback.format_exception_only(error)[-1].strip()
    return MlxError(f"This is a bug: {cause}.", "MLX_DEBUG=1 shows the traceback.")
