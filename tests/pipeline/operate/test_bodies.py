from __future__ import annotations

import io

import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody

from pipeline.operate.bodies import read_body


def bodies(*contents: bytes):
    """Returns a body of three declared bytes for each call."""
    calls = iter(contents)
    return lambda: StreamingBody(io.BytesIO(next(calls)), 3)


def test_a_body_that_breaks_off_is_requested_again() -> None:
    assert read_body(bodies(b"a", b"ab", b"abc")) == b"abc"


def test_a_body_that_always_breaks_off_is_an_error() -> None:
    with pytest.raises(IncompleteReadError):
        read_body(bodies(*[b"ab"] * 9))
