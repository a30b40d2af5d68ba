"""Errors that a handler may raise to answer with a status of its own."""

from __future__ import annotations

from typing import Optional

from model_server.formats import UnsupportedFormatError

__all__ = ["BaseInferenceToolkitError", "GenericInferenceToolkitError", "UnsupportedFormatError"]


class BaseInferenceToolkitError(Exception):
    """The request is answered with a status and a message."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        self.status_code, self.message, self.phrase = status_code, message, phrase
        super().__init__(status_code, message, phrase)


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """The same, with a message and a phrase by default."""

    def __init__(self, status_code: int, message: Optional[str] = None, phrase: Optional[str] = None) -> None:
        message = message or "Invalid Request"
        super().__init__(status_code, message, phrase or message)
