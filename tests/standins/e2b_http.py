"""The stand-in's HTTP: the paths of E2B's API, of the daemon's Connect services and its files."""

from __future__ import annotations

import base64
import json
import queue
import re
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.standins.e2b_envd import Envd, Listener, NotFound

if TYPE_CHECKING:
    from tests.standins.e2b import E2B, Sandbox

END_OF_STREAM = 2


class Server(ThreadingHTTPServer):
    """Listens on a free port of this machine."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, service: E2B) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = service
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End connections too: an idle one, kept for a next request, has a thread that waits."""
        super().server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is part of the tests, not worth a traceback."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _deaf = False

    def do_GET(self) -> None:
        service = self.server.service
        streamed = self.path.endswith("/StreamInput")
        body = b"" if streamed else b"".join(self._body())
        line = f"{self.command} {self.path}"
        service.requests.append((line, dict(self.headers.items()), body))
        fault = service.fault(line)
        if fault is not None:
            service.closing.wait(fault.delay_s)
            if fault.drop:
                self.close_connection = True
                return None
            if fault.status is not None:
                return self._send(fault.status, fault.body)
            self._deaf = fault.deaf
        try:
            if "/process." in line or "/filesystem." in line or line.split()[1][1:7] in FILES:
                return self._daemon(body)
            return self._api(body)
        except NotFound as error:
            return self._say(404, {"code": "not_found", "message": str(error)})

    do_POST = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def _api(self, body: bytes) -> None:
        service = self.server.service
        if self.headers.get("X-API-Key") != service.environment["E2B_API_KEY"]:
            return self._say(401, {"code": 401, "message": "Invalid API key"})
        url = urlsplit(self.path)
        if url.path == "/v2/sandboxes" and self.command == "GET":
            return self._list(parse_qs(url.query))
        request = json.loads(body) if body else {}
        if url.path == "/v2/sandboxes":
            if request["templateID"] not in service.templates:
                message = f"template '{request['templateID']}' not found"
                return self._say(404, {"code": 404, "message": message})
            return self._say(201, service.create(request).described)
        found = re.fullmatch(r"(?:/v2)?/sandboxes/(\w+)(/\w+)?", url.path)
        sandbox = service.sandboxes.get(found[1]) if found else None
        if found is None or sandbox is None:
            return self._say(404, {"code": 404, "message": "sandbox not found"})
        if self.command == "DELETE":
            service.kill(sandbox.id)
            return self._send(204, b"")
        if found[2] in ("/timeout", "/connect"):
            self._prolong(sandbox, request.get("timeout"), shorten=found[2] == "/timeout")
            if found[2] == "/timeout":
                return self._send(204, b"")
        return self._say(200, sandbox.described)

    def _prolong(self, sandbox: Sandbox, timeout: int | None, *, shorten: bool) -> None:
        if timeout is not None:
            ends_at = time.monotonic() + timeout
            sandbox.ends_at = ends_at if shorten else max(ends_at, sandbox.ends_at)
            sandbox.timeouts.append(timeout)

    def _list(self, query: dict[str, list[str]]) -> None:
        wanted = parse_qs(unquote(query.get("metadata", [""])[0]))
        found = [
            sandbox.described
            for sandbox in self.server.service.sandboxes.values()
            if all(sandbox.metadata.get(key) == value[0] for key, value in wanted.items())
        ]
        self._say(200, found)

    def _daemon(self, body: bytes) -> None:
        name = self.headers.get("E2b-Sandbox-Id", "")
        sandbox = self.server.service.sandboxes.get(name)
        if sandbox is None:
            message = {"sandboxId": name, "message": "The sandbox was not found", "code": 502}
            return self._say(502, message)
        url = urlsplit(self.path)
        if url.path == "/health":
            return self._send(204, b"")
        if self.headers.get("X-Access-Token") != sandbox.token:
            return self._say(401, {"code": "unauthenticated", "message": "wrong access token"})
        if url.path == "/files":
            return self._files(sandbox.envd, parse_qs(url.query), body)
        service, method = url.path[1:].split("/")
        if service.startswith("filesystem."):
            answer = sandbox.envd.files(method, json.loads(body), self._user())
            return self._say(200, answer)
        return self._process(sandbox.envd, method, body)

    def _process(self, envd: Envd, method: str, body: bytes) -> None:
        if method in ("Start", "Connect"):
            request = json.loads(body[5:])
            if method == "Connect":
                return self._stream(envd, envd.connect(request["process"]["pid"]))
            timeout = self.headers.get("connect-timeout-ms")
            limit = int(timeout) / 1000 if timeout else None
            return self._stream(envd, envd.start(request, self._user(), limit))
        if method == "StreamInput":
            return self._stream_input(envd)
        request = json.loads(body) if body else {}
        answer: dict[str, Any] = {}
        pid = request.get("process", {}).get("pid", 0)
        if method == "List":
            answer = {"processes": envd.list()}
        elif method == "SendInput":
            envd.write(pid, base64.b64decode(request["input"]["stdin"]))
        elif method == "CloseStdin":
            envd.close_input(pid)
        else:
            envd.signal(pid, request["signal"])
        return self._say(200, answer)

    def _stream(self, envd: Envd, listener: Listener) -> None:
        """Send events until the last one, or until the client is gone."""
        self._head(200, "application/connect+json", "Transfer-Encoding: chunked")
        streams = self.server.service.streams
        streams.add(self.connection)
        try:
            while not self.server.service.closing.is_set():
                try:
                    event = listener.events.get(timeout=0.1)
                except queue.Empty:
                    if select.select([self.connection], [], [], 0)[0]:
                        break
                    continue
                if self.connection in self.server.service.muted:
                    continue
                self._chunk(envelope({"event": event}))
                if "end" in event:
                    self._chunk(envelope({}, END_OF_STREAM))
                    self.wfile.write(b"0\r\n\r\n")
                    return
        finally:
            streams.discard(self.connection)
            envd.leave(listener)
        self.close_connection = True

    def _stream_input(self, envd: Envd) -> None:
        pid = 0
        for message in messages(self._body()):
            if "start" in message:
                pid = message["start"]["process"]["pid"]
            elif "data" in message:
                envd.write(pid, base64.b64decode(message["data"]["input"]["stdin"]))
        self._head(200, "application/connect+json", "Transfer-Encoding: chunked")
        self._chunk(envelope({}))
        self._chunk(envelope({}, END_OF_STREAM))
        self.wfile.write(b"0\r\n\r\n")

    def _files(self, envd: Envd, query: dict[str, list[str]], body: bytes) -> None:
        if self.command == "GET":
            path = query["path"][0]
            target = envd.path(path)
            if not target.is_file():
                raise NotFound(f"file not found: {path}")
            return self._send(200, target.read_bytes(), "application/octet-stream")
        user = query.get("username", ["user"])[0]
        kind = self.headers["Content-Type"]
        if kind.startswith("multipart/"):
            parts = multipart(kind, body)
        else:
            parts = [(query["path"][0], body)]
        if "path" in query:
            parts = [(query["path"][0], data) for _, data in parts]
        return self._say(200, [envd.upload(path, data, user) for path, data in parts])

    def _user(self) -> str:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(given).decode().rstrip(":") or "user"

    def _body(self) -> Iterator[bytes]:
        """The request's body in pieces, whether its length was told or not."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _say(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self._head(status, kind, f"Content-Length: {len(body)}", body)

    def _head(self, status: int, kind: str, length: str, body: bytes = b"") -> None:
        if self._deaf:
            raise ConnectionAbortedError("a fault that the stand-in was asked for")
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{length}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


FILES = {"files?", "files", "health"}


def envelope(message: object, flags: int = 0) -> bytes:
    """A message of a Connect stream."""
    data = json.dumps(message).encode()
    return struct.pack(">BI", flags, len(data)) + data


def messages(pieces: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The messages of a Connect stream that arrives in pieces."""
    held = b""
    for piece in pieces:
        held += piece
        while len(held) >= 5 and len(held) >= 5 + (size := struct.unpack(">I", held[1:5])[0]):
            yield json.loads(held[5 : 5 + size])
            held = held[5 + size :]


def multipart(kind: str, body: bytes) -> list[tuple[str, bytes]]:
    """The files of a form: name and content."""
    boundary = b"--" + kind.split("boundary=")[1].strip('"').encode()
    found = []
    for part in body.split(boundary)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"]*)"', head)
        found.append((name[1].decode() if name else "", data[:-2]))
    return found
