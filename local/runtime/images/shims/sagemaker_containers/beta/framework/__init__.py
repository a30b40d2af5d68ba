"""Imitates ``sagemaker_containers.beta.framework``: content types, encoders, errors and responses.

Scripts import all its modules by one line that they copy from each other. Those that they do not use need only exist.
"""

from __future__ import annotations

from ... import training_env
from . import content_types, encoders, errors, worker

__all__ = [
    "content_types",
    "encoders",
    "entry_point",
    "env",
    "errors",
    "modules",
    "server",
    "trainer",
    "training_env",
    "transformer",
    "worker",
]


class _Absent:
    """A module that is not imitated."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> object:
        raise AttributeError(f"the local service does not imitate sagemaker_containers' {self._name}.{attribute}")


entry_point, env, modules = _Absent("entry_point"), _Absent("env"), _Absent("modules")
server, trainer, transformer = _Absent("server"), _Absent("trainer"), _Absent("transformer")
