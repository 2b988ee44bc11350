"""A stand-in for E2B: the API and the daemon in its sandboxes, over HTTP, executing for real.

    with E2B() as service:
        os.environ.update(service.environment)
        ... use the e2b SDK ...
        service.fail("POST /v2/sandboxes", status=429)   # the next creation is refused
        service.vanish()                                  # every sandbox is gone
        service.drop()                                    # every stream is cut, nothing is killed
        service.requests                                  # what was asked

It needs root on Linux: each sandbox gets namespaces of its own (see `machine.py`).
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import pytest

from mlxlab.sandboxes.zygote import hiding
from tests.standins.e2b_envd import Envd
from tests.standins.e2b_http import Server
from tests.standins.machine import Machine

KEY = "e2b_0123456789abcdef0123456789abcdef01234567"


@dataclass
class Fault:
    """What is done to requests in the place of an answer, `times` times.

    Args:
        match: how the method and path of such a request begin.
        status: None to answer as usual, after `delay_s`.
        drop: cut the connection without a word.
        deaf: do what is asked, then cut the connection without a word.
    """

    match: str
    status: int | None = None
    body: bytes = b'{"code": 0, "message": "a fault of the stand-in"}'
    delay_s: float = 0.0
    drop: bool = False
    deaf: bool = False
    times: int = 1


@dataclass
class Sandbox:
    """One sandbox that is alive."""

    id: str
    template: str
    metadata: dict[str, str]
    machine: Machine
    envd: Envd
    internet: bool
    ends_at: float
    timeouts: list[int]
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def described(self) -> dict[str, Any]:
        """As the API describes it."""
        left = max(0.0, self.ends_at - time.monotonic())
        return {
            "sandboxID": self.id,
            "templateID": self.template,
            "clientID": "standin",
            "envdVersion": "0.6.4",
            "envdAccessToken": self.token,
            "metadata": self.metadata,
            "startedAt": self.started_at.isoformat(),
            "endAt": datetime.fromtimestamp(time.time() + left, UTC).isoformat(),
            "cpuCount": 2,
            "memoryMB": 1024,
            "diskSizeMB": 2048,
            "state": "running",
            "allowInternetAccess": self.internet,
        }


class E2B:
    """The service.

    Args:
        absent: paths that no sandbox has; the packages of tasks' data in our tests.
        files: programs that each sandbox has besides, by path.
    """

    def __init__(self, absent: Sequence[str] = (), files: dict[str, str] | None = None) -> None:
        self.absent = absent
        self.templates = {"base", "code-interpreter-v1"}
        self.files = files or {}
        self.sandboxes: dict[str, Sandbox] = {}
        self.created: list[Sandbox] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.closing = threading.Event()
        self.streams: set[socket.socket] = set()
        self.muted: set[socket.socket] = set()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = Server(self)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True),
            threading.Thread(target=self._expire, daemon=True),
        ]

    @property
    def url(self) -> str:
        """Where both API and daemons answer."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point the SDK here."""
        return {"E2B_API_URL": self.url, "E2B_SANDBOX_URL": self.url, "E2B_API_KEY": KEY}

    def fail(self, match: str, status: int | None = None, **how: Any) -> None:
        """Add a fault; see `Fault`."""
        with self._lock:
            self._faults.append(Fault(match, status, **how))

    def fault(self, line: str) -> Fault | None:
        """The fault that a request meets, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and line.startswith(fault.match):
                    fault.times -= 1
                    return fault
        return None

    def create(self, request: dict[str, Any]) -> Sandbox:
        """Start a sandbox."""
        internet = request.get("allow_internet_access", True)
        machine = Machine(self.absent, self.files, network=internet)
        timeout = request.get("timeout", 15)
        sandbox = Sandbox(
            id=f"i{secrets.token_hex(9)}",
            template=request["templateID"],
            metadata=request.get("metadata", {}),
            machine=machine,
            envd=Envd(machine, request.get("envVars", {})),
            internet=internet,
            ends_at=time.monotonic() + timeout,
            timeouts=[timeout],
        )
        with self._lock:
            self.sandboxes[sandbox.id] = sandbox
            self.created.append(sandbox)
        return sandbox

    def kill(self, name: str) -> bool:
        """End one sandbox; tells whether there was one."""
        with self._lock:
            sandbox = self.sandboxes.pop(name, None)
        if sandbox is not None:
            sandbox.machine.stop()
        return sandbox is not None

    def vanish(self) -> None:
        """End every sandbox, as if their time were up or their computer broken."""
        for name, sandbox in list(self.sandboxes.items()):
            sandbox.envd.dead = True  # a computer that breaks tells nobody how its processes ended
            self.kill(name)
        self.drop()

    def drop(self) -> None:
        """Cut every stream of output; what runs goes on."""
        for stream in list(self.streams):
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def mute(self) -> None:
        """Send nothing more on the streams that there are, without cutting them."""
        self.muted |= self.streams

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.vanish()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()

    def _expire(self) -> None:
        while not self.closing.wait(0.05):
            for sandbox in list(self.sandboxes.values()):
                if sandbox.ends_at < time.monotonic():
                    self.kill(sandbox.id)


@contextmanager
def serving(**options: Any) -> Iterator[E2B]:
    """The service, with the environment that points the SDK at it; skips where it cannot be."""
    pytest.importorskip("e2b", reason="the e2b SDK is not installed: pip install 'mlxlab[e2b]'")
    if os.geteuid() != 0:
        pytest.skip("the stand-in for E2B makes namespaces, which needs root here")
    with E2B(**options) as service, pytest.MonkeyPatch.context() as patch:
        for name, value in service.environment.items():
            patch.setenv(name, value)
        yield service


def without(packages: Sequence[str]) -> list[str]:
    """Paths to be `absent` from a template that lacks these packages, as a task's must."""
    names = hiding.packages(packages)
    return [
        str(folder / entry)
        for folder in hiding.site_folders()
        for entry in sorted(hiding.left_out(folder, names))
    ]


@pytest.fixture
def e2b() -> Iterator[E2B]:
    """A service for one test."""
    with serving() as service:
        yield service


@pytest.fixture(scope="module")
def e2b_module() -> Iterator[E2B]:
    """A service for the tests of a module, whose sandboxes several of them may use."""
    with serving() as service:
        yield service
