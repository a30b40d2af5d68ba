from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline.definition.resources import Resources, conventional_resources


@pytest.fixture(scope="session")
def resources(config) -> Resources:
    return conventional_resources(config)


@pytest.fixture(scope="session")
def built(config, resources) -> dict[str, Any]:
    from pipeline.definition.pipeline import build_definition

    return build_definition(config, resources)


@pytest.fixture
def definition(built) -> dict[str, Any]:
    """A copy that a test may change."""
    return copy.deepcopy(built)
