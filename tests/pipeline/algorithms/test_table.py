"""The algorithms' modules agree with each other, and nothing else in the pipeline names an algorithm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest
from evaluation.metrics import computed_metric

from definition_language.objectives import OBJECTIVES, Problem
from local.runtime import algorithms as served
from pipeline.algorithms.algorithm import Algorithm, Task
from pipeline.algorithms.table import ALGORITHMS, of_image

PIPELINE = Path(__file__).resolve().parents[3] / "pipeline"
PROBLEMS = cast("tuple[Problem, ...]", ("regression", "binary", "multiclass"))
EACH = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=list(ALGORITHMS))


def _lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def test_no_other_module_of_the_pipeline_names_an_algorithm() -> None:
    # Docstrings under keys are the documentation of the keys.
    named = [
        f"{path.relative_to(PIPELINE)}:{number}"
        for path in sorted(PIPELINE.rglob("*"))
        if path.suffix in (".py", ".jinja") and "algorithms" not in path.parts
        for number, line in enumerate(re.sub(r'""".*?"""', _lines, path.read_text(), flags=re.DOTALL).splitlines(), 1)
        if re.search(r"linear.?learner|xgb", line, re.IGNORECASE)
    ]
    assert named == []


def test_every_algorithm_has_objectives_for_every_problem() -> None:
    assert OBJECTIVES.keys() == ALGORITHMS.keys()
    for name in ALGORITHMS:
        assert set(OBJECTIVES[name]) == set(PROBLEMS)


@EACH
def test_the_gate_without_a_limit_has_a_baseline_of_select_best(algorithm: Algorithm) -> None:
    for problem in PROBLEMS:
        for objective in algorithm.objectives(problem):
            metric = computed_metric(algorithm.name, problem, objective, {})
            known = metric in ("mse", "rmse", "r2") if problem == "regression" else metric is not None
            assert algorithm.knows_constant(Task(problem, 3, objective), {}) is known, objective


def test_linear_learners_losses_and_weights_decide_whether_there_is_a_baseline() -> None:
    algorithm, task = ALGORITHMS["linear-learner"], Task("binary", 2, "validation:objective_loss")
    for static in ({"loss": "logistic"}, {"loss": "hinge_loss"}, {"positive_example_weight_mult": "balanced"}):
        metric = computed_metric(algorithm.name, "binary", task.objective, static)
        assert algorithm.knows_constant(task, static) is (metric is not None)


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
