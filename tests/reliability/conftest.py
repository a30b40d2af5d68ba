from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.core.settings import Settings
from local.runtime.supervisor import Supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    started = Supervisor(Settings(tmp_path / ".local"))
    yield started
    started.stop_all()
    started.kill_survivors()
