"""Imitates ``worker``: the response that a script's ``output_fn`` can return."""

from __future__ import annotations

from typing import Any

import flask


class Response(flask.Response):
    """A response of Flask, JSON unless it says otherwise. ``accept`` is ignored, as by the original."""

    default_mimetype = "application/json"

    def __init__(  # noqa: PLR0913, PLR0917 - the original's arguments
        self,
        response: Any = None,
        accept: Any = None,
        status: Any = 200,
        headers: Any = None,
        mimetype: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        super().__init__(response, status, headers, mimetype, None, direct_passthrough)
