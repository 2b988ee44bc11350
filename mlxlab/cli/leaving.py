"""The end of the process, which a plugin's threads cannot put off for ever.

Standard library only: `mlx --help` imports this module.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from contextlib import suppress

LINGER_S = 5.0
"""How long threads that should have ended are waited for, in seconds."""


def end_soon(status: int) -> None:
    """Let the interpreter end within seconds, although threads that are no daemons go on."""
    if _left():
        threading.Thread(target=_end, args=(status,), daemon=True).start()


def _left() -> list[threading.Thread]:
    main = threading.main_thread()
    return [each for each in threading.enumerate() if each is not main and not each.daemon]


def _end(status: int) -> None:
    time.sleep(LINGER_S)
    if not _left():
        return
    with suppress(Exception):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status)
