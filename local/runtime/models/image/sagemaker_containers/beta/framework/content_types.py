"""Content types."""

from model_server.formats import ANY, CSV, JSON, NPY

OCTET_STREAM = "application/octet-stream"
UTF8_TYPES = [JSON, CSV]

__all__ = ["ANY", "CSV", "JSON", "NPY", "OCTET_STREAM", "UTF8_TYPES"]
