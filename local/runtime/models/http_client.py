"""Requests to a model server on this machine."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import threading
import time
from dataclasses import dataclass

from local.core.settings import HOST

_KEPT = 4
"""Idle connections that are kept for each server."""
_PIECE = 1 << 18
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
"""The header by which clients and containers tell each other what they like."""
LARGEST_BODY = 128 * 1024**2
"""Maximum bytes of a response, so that a faulty server cannot use up the service's memory."""


class NoAnswerError(Exception):
    """A server closed the connection, or does not speak HTTP."""


class AnswerTimeoutError(Exception):
    """A server has not answered in time."""


@dataclass(frozen=True)
class Answer:
    """A server's response. Its attributes are those of ``ATTRIBUTES``."""

    status: int
    content_type: str
    body: bytes
    attributes: str = ""


class HttpClient:
    """Sends requests to one port of this machine. Threads share it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
        """Send a request and return the response.

        Args:
            method: of the request.
            path: of the request.
            body: of the request.
            headers: of the request, beside Host and Content-Length.
            seconds: the longest time until the end of the response.

        Raises:
            NoAnswerError: there is no server, or it answers wrongly.
            AnswerTimeoutError: the response has not ended in time.
        """
        deadline = time.monotonic() + seconds
        try:
            connection, response = self._send(method, path, body, headers, seconds)
            try:
                answer = Answer(
                    response.status,
                    _header(response, "Content-Type"),
                    _body(connection, response, deadline),
                    _header(response, ATTRIBUTES),
                )
            except BaseException:
                connection.close()
                raise
        except TimeoutError:
            raise AnswerTimeoutError from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(f"{type(error).__name__}: {error}") from None
        self._keep(connection)
        return answer

    def _send(
        self, method: str, path: str, body: bytes, headers: dict[str, str], seconds: float
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a request, and return its connection and the begin of the response."""
        while True:
            connection = self._connection(seconds)
            is_new = connection.sock is None
            try:
                connection.request(method, path, body, headers)
                return connection, connection.getresponse()
            except ConnectionError:
                connection.close()
                # A server may close an idle connection just when a request comes. As nginx does with the connections
                # that it keeps, another one is tried: no byte of a response has come.
                if is_new:
                    raise
            except BaseException:
                connection.close()
                raise

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        """Return an idle connection that the server has not closed, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return http.client.HTTPConnection(HOST, self._port, timeout=seconds)
            if connection.sock is not None and not _is_readable(connection.sock):
                connection.sock.settimeout(seconds)
                return connection
            connection.close()

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        # http.client has closed it if the server will not keep it open.
        with self._lock:
            if connection.sock is not None and len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()


def _header(response: http.client.HTTPResponse, name: str) -> str:
    """Return a header's value in one line: http.client keeps the line breaks of folded headers."""
    return " ".join(response.headers.get(name, "").split())


def _body(connection: http.client.HTTPConnection, response: http.client.HTTPResponse, deadline: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = response.read1(_PIECE)
        if not piece:
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            # read1() does not notice the end by itself, and the connection takes no request before it.
            response.close()
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_BODY:
            raise http.client.HTTPException(f"the response has more than {LARGEST_BODY} bytes")


def _is_readable(opened: socket.socket) -> bool:
    """Return whether something has arrived on an idle connection, which means its end."""
    with contextlib.suppress(OSError, ValueError):
        # Unlike select(), poll() takes descriptors over 1023.
        poll = select.poll()
        poll.register(opened, select.POLLIN)
        return bool(poll.poll(0))
    return True
