"""What runs in a sandbox of the stand-in: processes whose output is sent to who listens, files."""

from __future__ import annotations

import base64
import os
import queue
import shutil
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.standins.machine import Machine, Process

CHUNK = 32768
Event = dict[str, Any]


class NotFound(Exception):
    """No such process, file or sandbox."""


class Listener:
    """One connection that hears of a process; what it missed before it never hears."""

    def __init__(self) -> None:
        self.events: queue.Queue[Event] = queue.Queue(maxsize=64)
        self.gone = False

    def tell(self, event: Event) -> None:
        while not self.gone:
            with suppress(queue.Full):
                self.events.put(event, timeout=0.1)
                return


@dataclass
class Command:
    """A process that was started over the API."""

    process: Process
    config: dict[str, Any]
    listeners: list[Listener] = field(default_factory=list)
    limit: threading.Timer | None = None

    def tell(self, event: Event) -> None:
        for listener in list(self.listeners):
            listener.tell(event)


class Envd:
    """The daemon of one sandbox: its processes and its files."""

    def __init__(self, machine: Machine, env: dict[str, str]) -> None:
        self.machine = machine
        self.env = env
        self.dead = False
        self.commands: dict[int, Command] = {}

    def start(self, request: dict[str, Any], user: str, timeout_s: float | None) -> Listener:
        """Start a command; the listener hears all of it."""
        config = request["process"]
        home = "/root" if user == "root" else "/home/user"
        env = {"HOME": home, "USER": user, "PATH": "/usr/bin:/bin", **self.env}
        listener = Listener()
        process = self.machine.start(
            [config["cmd"], *config.get("args", [])],
            env={**env, **config.get("envs", {})},
            cwd=config.get("cwd") or home,
            user=user,
            stdin=request.get("stdin", True),
        )
        command = Command(process, config, [listener])
        self.commands[process.pid] = command
        listener.tell({"start": {"pid": process.pid}})
        if timeout_s is not None:
            command.limit = threading.Timer(timeout_s, self.machine.kill, (process.pid, 9))
            command.limit.daemon = True
            command.limit.start()
        threading.Thread(target=self._follow, args=(command,), daemon=True).start()
        return listener

    def connect(self, pid: int) -> Listener:
        """Listen to a command from now on."""
        command = self._command(pid)
        listener = Listener()
        listener.tell({"start": {"pid": pid}})
        command.listeners.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Send no more to a listener."""
        listener.gone = True
        for command in list(self.commands.values()):
            if listener in command.listeners:
                command.listeners.remove(listener)

    def write(self, pid: int, data: bytes) -> None:
        """Send to a command's standard input."""
        stdin = self._command(pid).process.stdin
        if stdin is None:
            raise NotFound(f"process {pid} has no stdin")
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(stdin, data) :]

    def close_input(self, pid: int) -> None:
        """End a command's standard input."""
        process = self._command(pid).process
        if process.stdin is not None:
            os.close(process.stdin)
            process.stdin = None

    def signal(self, pid: int, name: str) -> None:
        """Send SIGKILL or SIGTERM."""
        self._command(pid)
        self.machine.kill(pid, 9 if name.endswith("KILL") else 15)

    def list(self) -> list[dict[str, Any]]:
        """The commands that run."""
        return [{"pid": pid, "config": command.config} for pid, command in self.commands.items()]

    def _command(self, pid: int) -> Command:
        if pid not in self.commands:
            raise NotFound(f"process with pid {pid} not found")
        return self.commands[pid]

    def _follow(self, command: Command) -> None:
        process = command.process
        pumps = [
            threading.Thread(target=_pump, args=(command, name, fd), daemon=True)
            for name, fd in (("stdout", process.stdout), ("stderr", process.stderr))
        ]
        for pump in pumps:
            pump.start()
        process.ended.wait()
        if command.limit is not None:
            command.limit.cancel()
        for pump in pumps:
            pump.join()
        with suppress(NotFound):
            self.close_input(process.pid)
        self.commands.pop(process.pid, None)
        code = os.waitstatus_to_exitcode(process.status or 0)
        end: dict[str, Any] = {"exited": code >= 0, "status": f"exit status {code}"}
        if code:
            end |= {"exitCode": code if code > 0 else -1, "error": f"exit status {code}"}
        if not self.dead:
            command.tell({"end": end})

    def path(self, path: str) -> Path:
        """A path of the sandbox as the host sees it."""
        return self.machine.root / str(Path("/home/user", path)).lstrip("/")

    def upload(self, path: str, data: bytes, user: str) -> dict[str, Any]:
        """Write a file, making its folders."""
        target = self.path(path)
        for folder in reversed(target.parents):
            if not folder.exists():
                self._own(folder, user, make=True)
        target.write_bytes(data)
        self._own(target, user)
        return {"name": target.name, "type": "file", "path": path}

    def files(self, method: str, request: dict[str, Any], user: str) -> dict[str, Any]:
        """One call of the file system service."""
        path = request.get("path", request.get("source", ""))
        target = self.path(path)
        if method == "MakeDir":
            self._own(target, user, make=True)
        elif not os.path.lexists(target):
            raise NotFound(f"path not found: {path}")
        if method == "ListDir":
            return {"entries": [entry(f"{path}/{x.name}", x) for x in sorted(target.iterdir())]}
        if method == "Remove":
            shutil.rmtree(target) if target.is_dir() else target.unlink()
            return {}
        if method == "Move":
            path, moved = request["destination"], self.path(request["destination"])
            target = target.rename(moved)
        return {"entry": entry(path, target)}

    def _own(self, path: Path, user: str, *, make: bool = False) -> None:
        if make:
            path.mkdir(parents=True)
        if user != "root":
            os.chown(path, 1000, 1000)


def entry(path: str, target: Path) -> dict[str, Any]:
    """A file's entry in the words of the service."""
    found = target.lstat()
    kind = "DIRECTORY" if stat.S_ISDIR(found.st_mode) else "FILE"
    return {
        "name": target.name,
        "type": f"FILE_TYPE_{kind}",
        "path": path,
        "size": str(found.st_size),
        "mode": stat.S_IMODE(found.st_mode),
        "permissions": stat.filemode(found.st_mode),
        "owner": "user" if found.st_uid else "root",
        "group": "user" if found.st_gid else "root",
        "modifiedTime": datetime.fromtimestamp(found.st_mtime, UTC).isoformat(),
    }


def _pump(command: Command, name: str, fd: int) -> None:
    while data := os.read(fd, CHUNK):
        command.tell({"data": {name: base64.b64encode(data).decode()}})
    os.close(fd)
