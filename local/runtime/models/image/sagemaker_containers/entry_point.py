"""Scripts that train and serve import this module to train on several hosts."""

from __future__ import annotations

from typing import Any


def run(*_: Any, **__: Any) -> Any:
    """Fail: a script that serves has no entry point to run."""
    raise NotImplementedError("sagemaker_containers.entry_point.run is not available while a model is served")
