from __future__ import annotations

import asyncio
import hashlib
import socket

import pytest

from benchmarks.served_models import ENDPOINT, deploy, rows, signed_headers
from local.app.one_write import _OneWriteTransport


class Written:
    """A transport that remembers what reached it, in one list for each call."""

    def __init__(self):
        self.calls: list[bytes] = []
        self.closed = False

    def write(self, data):
        self.calls.append(data)

    def writelines(self, parts):
        self.calls.append(b"".join(parts))

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


def written(use):
    """What reaches the transport during the turn of the event loop that ``use`` runs in, and by its end."""
    inner = Written()

    async def turn():
        use(_OneWriteTransport(inner, asyncio.get_running_loop()))
        at_once = list(inner.calls)
        await asyncio.sleep(0)
        return at_once, inner.calls, inner.closed

    return asyncio.run(turn())


def test_a_head_goes_out_with_its_body_at_once():
    def use(transport):
        transport.write(HEAD)
        transport.write(b"body")

    assert written(use) == ([HEAD + b"body"], [HEAD + b"body"], False)


def test_a_head_without_a_body_goes_out_by_the_end_of_the_turn():
    assert written(lambda transport: transport.write(HEAD)) == ([], [HEAD], False)


def test_a_body_that_looks_like_a_head_keeps_its_place_and_is_not_lost():
    def use(transport):
        for data in (HEAD, b"1", HEAD, HEAD, b"2"):
            transport.write(data)

    at_once, at_last, _ = written(use)
    assert b"".join(at_last) == HEAD + b"1" + HEAD + HEAD + b"2"
    assert at_once == at_last


def test_a_head_that_is_held_goes_out_before_the_connection_closes():
    def use(transport):
        transport.write(HEAD)
        transport.close()
        assert transport.is_closing()

    assert written(use) == ([HEAD], [HEAD], True)


@pytest.fixture(scope="module")
def port(service, tmp_path_factory):
    deploy(service.settings, tmp_path_factory.mktemp("models"))
    return service.settings.port


def test_a_client_gets_the_whole_of_a_small_answer_in_one_packet(service, port):
    body = rows(1)
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed_headers(service.settings, body).items())
    request = f"POST /endpoints/{ENDPOINT}/invocations HTTP/1.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        packets = []
        for _ in range(20):
            client.sendall(request.encode() + body)
            packets.append(client.recv(65536))
            while not packets[-1].endswith(b"}]}"):
                packets[-1] = b"more than one: " + packets[-1] + client.recv(65536)
    assert all(packet.startswith(b"HTTP/1.1 200") for packet in packets), packets


def test_large_objects_and_answers_without_a_body_arrive_whole(service, port):
    s3 = service.client("s3")
    content = hashlib.shake_256(b"content").digest(3_000_000)
    s3.put_object(Bucket="models", Key="large", Body=content)
    assert s3.head_object(Bucket="models", Key="large")["ContentLength"] == len(content)
    assert s3.get_object(Bucket="models", Key="large")["Body"].read() == content
    assert s3.delete_object(Bucket="models", Key="large")["ResponseMetadata"]["HTTPStatusCode"] == 204
