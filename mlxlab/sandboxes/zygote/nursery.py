"""The first process: imports the libraries once and forks a zygote for each sandbox.

Before it has imported anything it can fork a zygote too: that one tells what code will find and
tries the isolation out, while nobody has to wait for the libraries.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from typing import NoReturn

from . import execution, hiding, linux, preload, serve, wire


def tend(control_fd: int) -> None:
    """Obey the host until it closes the control socket."""
    execution.block_signals()
    os.umask(0o022)  # another user must be able to enter what zygotes build
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a zygote: the host watches it
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # what a killed zygote leaves has an end here
    control = socket.socket(fileno=control_fd)
    while True:
        request, fds = wire.receive(control)
        if request is None:
            return
        if request["kind"] == "preload":
            preload.preload(request["hidden"], request["also"])
            _look_ahead(request["hidden"])
        elif request["kind"] == "zygote":
            _bear(control, request, fds)
        for fd in fds:
            os.close(fd)


def _look_ahead(hidden: Sequence[str]) -> None:
    """Find once for all zygotes what they leave out; each would do it again where this fails."""
    with contextlib.suppress(Exception):
        for folder in hiding.site_folders():
            hiding.left_out(folder, set(hidden))


def _bear(control: socket.socket, request: wire.Message, fds: Sequence[int]) -> None:
    """Fork a zygote and give the host a descriptor that follows its life."""
    pid = os.fork()
    if pid == 0:
        _become_zygote(control, request, *fds)
    try:
        life = os.pidfd_open(pid)
    except ProcessLookupError:
        wire.send(control, {"born": request["id"]})
        return
    wire.send(control, {"born": request["id"]}, [life])
    os.close(life)


def _become_zygote(control: socket.socket, request: wire.Message, own: int, log: int) -> NoReturn:
    """Be another process than the nursery in all that a zygote may notice."""
    try:
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        os.environ.clear()
        os.environ.update(request["env"])
        tempfile.tempdir = None  # an import may have asked for it
        serve.serve(own)
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)
