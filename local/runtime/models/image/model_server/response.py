"""Responses to requests."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional, Tuple

from .formats import JSON

Answer = Tuple[int, str, bytes]
"""Status, content type and body."""


class Response:
    """What stands in for ``sagemaker_containers.beta.framework.worker.Response``, a Flask response.

    Args:
        response: The body.
        accept: Ignored, as there.
        status: The HTTP status.
        headers: Ignored but for Content-Type: SageMaker returns no others.
        mimetype: The content type.
        direct_passthrough: Ignored.
    """

    default_mimetype = JSON

    def __init__(  # noqa: PLR0913, PLR0917 - the arguments of the class that it replaces
        self,
        response: Any = None,
        accept: Optional[str] = None,
        status: int = 200,
        headers: Optional[Dict[str, str]] = None,
        mimetype: Optional[str] = None,
        direct_passthrough: bool = False,
    ) -> None:
        del accept, direct_passthrough
        self.response = response
        self.status_code = int(str(status).split()[0])
        self.headers = {"Content-Type": _with_charset(mimetype or self.default_mimetype), **(headers or {})}

    def get_data(self) -> bytes:
        """Return the body's bytes."""
        return as_bytes(self.response)


def flask_answer(result: Any) -> Answer:
    """Return the answer for a handler's result, as Flask converts what a view returns.

    Raises:
        TypeError: Flask cannot convert it.
    """
    if isinstance(result, tuple) and len(result) == 2:
        result = Response(result[0], mimetype=result[1])
    if isinstance(result, (str, bytes, bytearray)):
        return 200, "text/html; charset=utf-8", as_bytes(result)
    if isinstance(result, dict):
        return 200, JSON, json.dumps(result).encode()
    if hasattr(result, "get_data") and hasattr(result, "status_code"):
        return result.status_code, result.headers.get("Content-Type", JSON), result.get_data()
    raise TypeError(
        "The view function did not return a valid response. The return type must be a string, dict, tuple, Response "
        f"instance, or WSGI callable, but it was a {type(result).__name__}."
    )


def toolkit_answer(result: Any, accept: str) -> Answer:
    """Return the answer for a handler's result, as Multi Model Server converts it."""
    if isinstance(result, tuple):
        result, accept = result
    if hasattr(result, "get_data") and hasattr(result, "status_code"):
        return flask_answer(result)
    if isinstance(result, (str, bytes, bytearray)):
        return 200, accept, as_bytes(result)
    return 200, accept, json.dumps(result).encode()


def as_bytes(body: Any) -> bytes:
    """Return a body's bytes. A body may be text, bytes, or an iterable of them."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    return b"".join(as_bytes(part) for part in body)


def _with_charset(mimetype: str) -> str:
    """Return a content type with the parameter that Werkzeug adds to text."""
    return f"{mimetype}; charset=utf-8" if mimetype.startswith("text/") and ";" not in mimetype else mimetype
