"""Imitates ``distributed``: on one host, scripts import it and do not call it."""

from __future__ import annotations

from typing import NoReturn


def rabit_run(*_: object, **__: object) -> NoReturn:
    """Refuse: the local service runs each job on one host."""
    raise NotImplementedError("the local service runs each job on one host: no rabit_run")
