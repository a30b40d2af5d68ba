"""Errors."""

from model_server.formats import EncodingError as ClientError
from model_server.formats import UnsupportedFormatError

__all__ = ["ClientError", "UnsupportedFormatError"]
