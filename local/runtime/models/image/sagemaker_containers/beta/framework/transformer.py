"""Default handlers."""

from model_server.defaults import no_model_fn as default_model_fn

__all__ = ["default_model_fn"]
