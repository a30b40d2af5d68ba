"""Responses."""

from model_server.response import Response

__all__ = ["Response"]
