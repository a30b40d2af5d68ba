"""Replace the pauses of one module. A patch of ``time.sleep`` would change it for every thread of the process."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest


def replace_pauses(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, pause: Callable[[float], object] = lambda _: None
) -> None:
    """Make a module that imports ``time`` call ``pause`` instead of ``time.sleep``."""
    monkeypatch.setattr(module, "time", SimpleNamespace(**vars(time) | {"sleep": pause}))
