"""Reads the bodies of answers that botocore streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_ATTEMPTS = 4


def read_body(request: Callable[[], StreamingBody]) -> bytes:
    """Send a request and return its answer's whole body.

    botocore repeats a request that fails, but not one whose answer breaks off in its body.

    Args:
        request: sends an idempotent request and returns the body.

    Raises:
        botocore.exceptions.BotoCoreError: the body broke off each time.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return request().read()
        except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError):
            continue
    return request().read()
