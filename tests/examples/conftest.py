from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.clones import link_project


@pytest.fixture
def clone(tmp_path) -> Path:
    """A folder with the project's files, as after a clone."""
    link_project(tmp_path)
    return tmp_path
