"""Imitates ``errors``."""

from __future__ import annotations


class ClientError(Exception):
    """The request is at fault."""


class UnsupportedFormatError(Exception):
    """No encoder or decoder has this content type."""

    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content type {content_type} is not supported by this framework.")
