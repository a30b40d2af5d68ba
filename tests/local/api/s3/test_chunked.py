import asyncio
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.api.s3.chunked import Body
from local.aws.bodies import ClientDisconnectedError
from local.aws.sigv4 import Signature, signing_key
from local.core.errors import ServiceError

SIGNATURE = Signature("local", ("20260131", "us-east-1", "s3"), b"host", b"5" * 64, b"20260131T120000Z")
SIGNING_KEY = signing_key("the-secret", SIGNATURE.scope)
SIGNED = b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
TRAILER = b"x-amz-checksum-crc32:AAAAAA=="
NEWLINE = b"\n"


def signed_frames(chunks, trailer=None):
    """As "Signature calculations for the Authorization header: multiple chunks" of the S3 API Reference has it."""
    previous, frames = SIGNATURE.value.decode(), b""
    for chunk in [*chunks, b""]:
        text = (
            "AWS4-HMAC-SHA256-PAYLOAD\n20260131T120000Z\n20260131/us-east-1/s3/aws4_request\n"
            f"{previous}\n{hashlib.sha256(b'').hexdigest()}\n{hashlib.sha256(chunk).hexdigest()}"
        )
        previous = hmac.new(SIGNING_KEY, text.encode(), "sha256").hexdigest()
        frames += b"%x;chunk-signature=%s\r\n" % (len(chunk), previous.encode())
        frames += chunk + b"\r\n" if chunk else b""
    if trailer is not None:
        text = (
            "AWS4-HMAC-SHA256-TRAILER\n20260131T120000Z\n20260131/us-east-1/s3/aws4_request\n"
            f"{previous}\n{hashlib.sha256(trailer + NEWLINE).hexdigest()}"
        )
        signature = hmac.new(SIGNING_KEY, text.encode(), "sha256").hexdigest()
        frames += b"%s\r\nx-amz-trailer-signature:%s\r\n" % (trailer, signature.encode())
    return frames + b"\r\n"


def unsigned_frames(chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + TRAILER + b"\r\n\r\n"


def read(sent, payload_hash, size=7, then_leaves=False):
    parts = [sent[start : start + size] for start in range(0, len(sent), size)]
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    end = {"type": "http.disconnect"} if then_leaves else {"type": "http.request", "body": b"", "more_body": False}
    remaining = iter([*messages, end])

    async def receive():
        return next(remaining)

    async def collect():
        body, content = Body(receive, payload_hash, SIGNATURE, SIGNING_KEY), b""
        while not body.ended:
            content += (await body())["body"]
        return content

    return asyncio.run(collect())


@settings(max_examples=30, deadline=None)
@given(chunks=st.lists(st.binary(min_size=1, max_size=20), max_size=4), size=st.integers(1, 50))
def test_framed_bodies_are_read_whatever_the_pieces_they_come_in(chunks, size) -> None:
    content = b"".join(chunks)
    assert read(signed_frames(chunks), SIGNED, size) == content
    assert read(signed_frames(chunks, TRAILER), SIGNED_TRAILER, size) == content
    assert read(unsigned_frames(chunks), UNSIGNED_TRAILER, size) == content
    assert read(content, hashlib.sha256(content).hexdigest().encode(), size) == content
    assert read(content, b"UNSIGNED-PAYLOAD", size) == content


def test_a_forged_chunk_is_refused() -> None:
    with pytest.raises(ServiceError, match="SignatureDoesNotMatch"):
        read(signed_frames([b"one", b"two"]).replace(b"two", b"six"), SIGNED)


def test_chunks_in_another_order_are_refused() -> None:
    first, second = signed_frames([b"one"]), signed_frames([b"two"])
    with pytest.raises(ServiceError, match="SignatureDoesNotMatch"):
        read(first.split(b"0;")[0] + second, SIGNED)


def test_a_body_other_than_the_signed_one_is_refused() -> None:
    with pytest.raises(ServiceError, match="XAmzContentSHA256Mismatch"):
        read(b"other", hashlib.sha256(b"signed").hexdigest().encode())


def test_a_forged_trailer_is_refused() -> None:
    frames = signed_frames([b"one"], TRAILER)
    for forged in (frames.replace(b"AAAAAA==", b"BBBBBB=="), frames.replace(b"x-amz-trailer-signature", b"x-other")):
        with pytest.raises(ServiceError, match="SignatureDoesNotMatch"):
            read(forged, SIGNED_TRAILER)


def test_nothing_follows_the_last_chunk() -> None:
    with pytest.raises(ServiceError, match="data after its last chunk"):
        read(unsigned_frames([b"one"]) + b"GET / HTTP/1.1\r\n\r\n", UNSIGNED_TRAILER)


@pytest.mark.parametrize("sent", [b"", b"zz\r\n", b"3\r\nabc", b"3\r\nabcdef\r\n", b"-3\r\nabc\r\n", b"f" * 5000])
def test_a_broken_frame_is_refused(sent) -> None:
    with pytest.raises(ServiceError, match="InvalidRequest"):
        read(sent, UNSIGNED_TRAILER)


@pytest.mark.parametrize("payload_hash", [b"UNSIGNED-PAYLOAD", hashlib.sha256(b"a body").hexdigest().encode()])
def test_a_client_that_goes_away_is_noticed(payload_hash) -> None:
    with pytest.raises(ClientDisconnectedError):
        read(b"a body", payload_hash, then_leaves=True)


def test_an_unknown_word_in_the_place_of_the_hash_is_refused() -> None:
    with pytest.raises(ServiceError, match="InvalidRequest"):
        read(b"", b"STREAMING-SOMETHING-ELSE")
