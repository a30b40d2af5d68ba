from __future__ import annotations

import re

from definition_language.objectives import OBJECTIVES
from pipeline.algorithms.table import ALGORITHMS
from pipeline.config.reference import document
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs/configuration.md").read_text("utf-8")


def test_the_page_of_keys_says_what_the_models_have() -> None:
    page = (ROOT / "docs/configuration-keys.md").read_text("utf-8")
    assert page == document(), "run: .venv/bin/python -m pipeline.config.reference > docs/configuration-keys.md"


def test_the_document_lists_the_objectives_in_their_order() -> None:
    (header,) = re.findall(r"^\| \| (\S+) \| (\S+) \|$", TEXT, re.MULTILINE)
    rows = re.findall(r"^\| (?:objectives )?for `(\w+)` \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
    listed = {
        (algorithm, problem): [f"validation:{name}" for name in re.findall(r"`(\w+)`", cell)]
        for problem, *cells in rows
        for algorithm, cell in zip(header, cells, strict=True)
    }
    assert listed == {
        (algorithm, problem): list(objectives)
        for algorithm, problems in OBJECTIVES.items()
        for problem, objectives in problems.items()
    }


def test_the_document_has_the_default_grids() -> None:
    (cells,) = re.findall(r"^\| default grid \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
    grids = [
        [f"`{name}: {list(values)}`" for name, values in each.default_grid.items()] for each in ALGORITHMS.values()
    ]
    assert list(cells) == [", ".join(grid) for grid in grids]
