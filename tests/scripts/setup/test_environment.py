from __future__ import annotations

from importlib.machinery import PathFinder

import pytest

from scripts.setup.environment import MODULES_OF_A_RUN
from tests.commands import ROOT


@pytest.mark.parametrize("module", MODULES_OF_A_RUN)
def test_what_the_set_up_compiles_is_there(module: str) -> None:
    """It says nothing of a module that it cannot import."""
    path = [str(ROOT), str(ROOT / "steps")]
    for name in module.split("."):
        spec = PathFinder.find_spec(name, path)
        assert spec is not None, name
        path = list(spec.submodule_search_locations or ())
