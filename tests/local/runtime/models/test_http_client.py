"""Requests to model servers, which may be anybody's programs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from local.runtime.models import http_client
from local.runtime.models.http_client import AnswerTimeoutError, HttpClient, NoAnswerError

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


def read_request(connection: socket.socket) -> None:
    """Read a request, which may come in pieces. Its body is ``1``."""
    received = b""
    while not received.endswith(b"\r\n\r\n1"):
        received += connection.recv(1 << 16)


@contextmanager
def server(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection for each answer: send the bytes after each request, and close after the last one."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    read_request(connection)
                    if callable(answer):
                        answer(connection)
                    else:
                        connection.sendall(answer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


def ask(client: HttpClient, seconds: float = 10) -> http_client.Answer:
    return client.ask("POST", "/invocations", b"1", {"Content-Type": "text/csv"}, seconds)


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    with server(OK, OK) as port:
        client = HttpClient(port)
        assert [ask(client).body, ask(client).body] == [b"ok", b"ok"]
        client.close()


def test_a_connection_is_kept_between_requests() -> None:
    def twice(connection: socket.socket) -> None:
        connection.sendall(OK.replace(b"Content-Length: 2\r\n\r\nok", b"Content-Length: 0\r\n\r\n"))
        read_request(connection)
        connection.sendall(OK)

    with server(twice) as port:
        client = HttpClient(port)
        assert [ask(client).body, ask(client).body] == [b"", b"ok"]
        client.close()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", OK[:-1]])
def test_a_server_that_does_not_answer_properly_is_an_error(answer: bytes) -> None:
    with server(answer) as port, pytest.raises(NoAnswerError):
        ask(HttpClient(port))


def test_a_server_that_never_stops_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "LARGEST_BODY", 1000)
    with server(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000) as port, pytest.raises(NoAnswerError, match="1000 bytes"):
        ask(HttpClient(port))


def test_the_limit_is_for_the_whole_answer() -> None:
    stopped = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        # Each byte comes in time.
        while not stopped.wait(0.02):
            connection.sendall(b"x")

    with server(drip) as port:
        with pytest.raises(AnswerTimeoutError):
            ask(HttpClient(port), seconds=0.2)
        stopped.set()


def test_no_server_at_all_is_an_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NoAnswerError):
        ask(HttpClient(port))
