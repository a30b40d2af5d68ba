"""The algorithms' modules agree with each other, and nothing else in the pipeline names an algorithm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest

from definition_language.objectives import OBJECTIVES, Problem
from local.runtime import algorithms as served
from pipeline.algorithms.algorithm import Algorithm
from pipeline.algorithms.table import ALGORITHMS, of_image

PIPELINE = Path(__file__).resolve().parents[3] / "pipeline"
PROBLEMS = cast("tuple[Problem, ...]", ("regression", "binary", "multiclass"))
EACH = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=list(ALGORITHMS))


def test_no_other_module_of_the_pipeline_names_an_algorithm() -> None:
    named = [
        f"{path.relative_to(PIPELINE)}:{number}"
        for path in sorted(PIPELINE.rglob("*"))
        if path.suffix in (".py", ".jinja") and "algorithms" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"linear.?learner|xgb", line, re.IGNORECASE)
    ]
    assert named == []


def test_every_algorithm_has_objectives_for_every_problem() -> None:
    assert OBJECTIVES.keys() == ALGORITHMS.keys()
    for name in ALGORITHMS:
        assert set(OBJECTIVES[name]) == set(PROBLEMS)


@EACH
def test_its_image_is_found_by_its_repository(algorithm: Algorithm) -> None:
    image = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{algorithm.repository}:{algorithm.version or '1'}"
    assert of_image(image) is algorithm
    assert of_image(image.replace(algorithm.repository, "other")) is None
    known = served.find(image)
    assert known is not None
    assert known.repository == algorithm.repository


@EACH
def test_what_it_searches_and_fixes_are_hyperparameters_of_its_own(algorithm: Algorithm) -> None:
    for problem in PROBLEMS:
        rules, tunable = algorithm.rules(problem), algorithm.tunable(problem)
        assert algorithm.default_grid.keys() <= tunable.keys()
        assert set(algorithm.follows_rows) <= rules.keys()
        assert all(algorithm.name_fault(name, problem) is None for name in algorithm.default_grid)
    assert algorithm.least_rows is None or algorithm.least_rows in algorithm.follows_rows
    assert {"text/csv"} <= {*algorithm.content_types}
    assert "application/json" in algorithm.response_types
