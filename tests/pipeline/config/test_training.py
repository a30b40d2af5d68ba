"""The algorithm, the problem, the search and the limit of a configuration."""

from __future__ import annotations

from typing import Any

import pytest

from definition_language.objectives import OBJECTIVES, bounds
from pipeline.algorithms.table import ALGORITHMS
from pipeline.config.loading import parse_config
from pipeline.config.models import Config
from pipeline.errors import ConfigError

XGBOOST = {"algorithm": "xgboost"}
BINARY = {"algorithm": "xgboost", "problem": "binary"}
CLASSES = {"classes": ["no", "yes"]}


def parsed(dataset: dict[str, Any] | None = None, **sections: Any) -> Config:
    columns = {"input": "rows.csv", "label": "y", "numeric": ["x"], **(dataset or {})}
    return parse_config({"pipeline": {"name": "small"}, "dataset": columns, **sections}, "c.yaml")


def fault_of(dataset: dict[str, Any] | None = None, **sections: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        parsed(dataset, **sections)
    (fault,) = raised.value.faults
    return str(fault).removeprefix("c.yaml: ")


def test_the_defaults_follow_the_algorithm() -> None:
    config = parsed(training=XGBOOST)
    assert config.tuning.searched == {"max_depth": [3, 6], "eta": [0.1, 0.3], "num_round": [30, 100, 300]}
    assert (config.tuning.learning_rate, config.tuning.l1) == (None, None)
    assert (config.tuning.max_jobs, config.tuning.max_parallel_jobs) == (12, 2)
    assert (config.tuning.objective, config.direction) == ("validation:mse", "Minimize")
    ends = parsed(training=XGBOOST, tuning={"strategy": "Random"}).tuning
    assert ends.searched == {"max_depth": [3, 6], "eta": [0.1, 0.3], "num_round": [30, 300]}
    assert parsed().tuning.searched == {"learning_rate": [0.0001, 0.001, 0.01, 0.1], "l1": [0.001, 0.01, 0.1]}


@pytest.mark.parametrize(
    ("training", "objective"),
    [
        ({"problem": "binary"}, "validation:objective_loss"),
        ({"problem": "binary", "algorithm": "xgboost"}, "validation:logloss"),
        ({"problem": "multiclass"}, "validation:objective_loss"),
        ({"problem": "multiclass", "algorithm": "xgboost"}, "validation:mlogloss"),
    ],
)
def test_the_default_objective_follows_algorithm_and_problem(training, objective) -> None:
    classes = ["a", "b"] if training["problem"] == "binary" else ["a", "b", "c"]
    config = parsed({"classes": classes}, training=training)
    assert config.tuning.objective == objective
    assert config.task.classes == len(classes)


def test_every_default_grid_and_objective_is_valid() -> None:
    for name, algorithm in ALGORITHMS.items():
        for problem, classes in (("regression", None), ("binary", ["a", "b"]), ("multiclass", ["a", "b", "c"])):
            dataset: dict[str, Any] = {} if classes is None else {"classes": classes}
            training = {"algorithm": name, "problem": problem}
            for strategy in ("Grid", "Random", "Bayesian"):
                parsed(dataset, training=training, tuning={"strategy": strategy})
            for objective in algorithm.objectives(problem):  # type: ignore[arg-type]
                parsed(dataset, training=training, tuning={"objective": objective}, quality={"limit": 0.5})


def test_what_is_written_with_all_defaults_is_read_again() -> None:
    for sections in ({}, {"training": XGBOOST}, {"training": XGBOOST, "tuning": {"strategy": "Random"}}):
        config = parsed(**sections)
        assert parse_config(config.model_dump(), "c.yaml") == config


@pytest.mark.parametrize(
    ("training", "tuning", "expected"),
    [
        ({"algorithm": "catboost"}, {}, "training.algorithm: 'catboost' is not an algorithm of this pipeline: linear-"),
        (XGBOOST, {"objective": "validation:auc"}, "tuning.objective: 'validation:auc' is not an objective of XGBoost"),
        ({}, {"objective": "validation:mae"}, "tuning.objective: 'validation:mae' is not an objective of linear-lea"),
        (XGBOOST, {"grid": {"depth": [3]}}, "tuning.grid.depth: is not a tunable hyperparameter of XGBoost: alpha, "),
        (XGBOOST, {"learning_rate": [0.1]}, "tuning.learning_rate: is not a tunable hyperparameter of XGBoost: alpha"),
        (XGBOOST, {"grid": {"max_depth": [3, 11], "num_round": [9]}}, "tuning.grid.max_depth[1]: 11 is outside the r"),
        (XGBOOST, {"grid": {"max_depth": [2.5], "num_round": [9]}}, "tuning.grid.max_depth[0]: 2.5 is not a whole nu"),
        (XGBOOST, {"grid": {"eta": ["0.1"], "num_round": [9]}}, "tuning.grid.eta[0]: '0.1' is not a finite number"),
        (XGBOOST, {"grid": {"eta": [True], "num_round": [9]}}, "tuning.grid.eta[0]: True is not a finite number"),
        (XGBOOST, {"grid": {"eta": [float("nan")], "num_round": [9]}}, "tuning.grid.eta[0]: nan is not a finite nu"),
        (XGBOOST, {"grid": {"eta": [0.2, 0.2], "num_round": [9]}}, "tuning.grid.eta: a value is listed twice"),
        (XGBOOST, {"grid": {"num_round": [*range(1, 32)]}}, "tuning.grid.num_round: has 31 values: SageMaker takes"),
        (XGBOOST, {"grid": {"num_round": []}, "max_jobs": 1}, "tuning.grid.num_round: has 0 values"),
        (XGBOOST, {"grid": {"eta": [0.2]}}, "tuning: XGBoost needs num_round, the number of trees: tune it, or add"),
        ({}, {"grid": {"use_bias": ["maybe"]}}, "tuning.grid.use_bias[0]: 'maybe' is not one of true, false"),
        ({}, {"grid": {"wd": [0.1]}, "l1": [0.1]}, "tuning.l1: write it into tuning.grid, with the other"),
        ({}, {"ranges": {"wd": [0.1, 0.2]}}, "tuning.ranges: the strategy Grid searches listed values: use tuning"),
        (
            XGBOOST,
            {"strategy": "Random", "grid": {"num_round": [1, 9]}},
            "tuning.grid: the strategy Random searches between two ends: use tuning.ranges",
        ),
        (
            XGBOOST,
            {"strategy": "Random", "ranges": {"num_round": [9, 1]}},
            "tuning.ranges.num_round: the strategy Random needs [lowest, highest], not [9, 1]",
        ),
        (XGBOOST, {"static_hyperparameters": {"eta": 0.2}}, "tuning.static_hyperparameters.eta: is tuned: SageMaker"),
        (XGBOOST, {"static_hyperparameters": {"reg_alpha": 1}}, "tuning.static_hyperparameters.reg_alpha: is another"),
        (XGBOOST, {"static_hyperparameters": {"subsampel": 1}}, "tuning.static_hyperparameters.subsampel: is not a h"),
        (XGBOOST, {"static_hyperparameters": {"subsample": 2}}, "tuning.static_hyperparameters.subsample: 2 is not in"),
        (XGBOOST, {"static_hyperparameters": {"csv_weights": 1}}, "tuning.static_hyperparameters.csv_weights: has no "),
        (
            XGBOOST,
            {"static_hyperparameters": {"objective": "binary:logistic"}},
            "tuning.static_hyperparameters.objective: 'binary:logistic' is not one of ['reg:squarederror', ",
        ),
        (
            XGBOOST,
            {"static_hyperparameters": {"monotone_constraints": "(1,)"}},
            "tuning.static_hyperparameters: monotone_constraints can be used only when the tree_method parameter",
        ),
        (
            XGBOOST,
            {"early_stopping": "Auto"},
            "tuning.early_stopping: Auto leaves points without a model on some folds",
        ),
    ],
)
def test_the_search_is_checked_by_the_rules_of_the_algorithm(training, tuning, expected) -> None:
    assert fault_of(training=training, tuning=tuning).startswith(expected)


@pytest.mark.parametrize(
    ("training", "dataset", "expected"),
    [
        ({}, CLASSES, "dataset.classes: is for classification"),
        (BINARY, {}, "dataset.classes: is missing: list the label's values in the file, for example"),
        (BINARY, {"classes": ["a", "a"]}, "dataset.classes: a class is listed twice"),
        (BINARY, {"classes": ["a", "b", "c"]}, "dataset.classes: lists 3 values, and binary needs two; the second is"),
        ({"problem": "multiclass"}, CLASSES, "dataset.classes: lists 2 values, and multiclass needs three or more"),
        (BINARY, {**CLASSES, "label_transform": "log1p"}, "dataset.label_transform: is for numbers, and training.prob"),
        (BINARY, {"classes": ["", "b"]}, "dataset.classes: the value '' is empty, and an empty field is a missing"),
        (BINARY, {"classes": ["a ", "b"]}, "dataset.classes: the value 'a ' has blanks around it, and fields are read"),
        (BINARY, {"classes": [False, True]}, "dataset.classes[0]: text is expected, not False"),
    ],
)
def test_the_classes_fit_the_problem(training, dataset, expected) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(dataset, training=training)
    assert str(raised.value.faults[0]).startswith(f"c.yaml: {expected}")


def test_classes_are_not_spread_by_quantiles() -> None:
    assert fault_of(CLASSES, training=BINARY, folds={"stratify": 5}).startswith("folds.stratify: is for numbers")


@pytest.mark.parametrize(
    ("objective", "quality", "expected"),
    [
        ("validation:auc", {"limit": 1.5}, "quality.limit: 1.5 is no value of validation:auc, which is 0 to 1"),
        ("validation:logloss", {"limit": -0.5}, "quality.limit: -0.5 is no value of validation:logloss, which is 0 to"),
        ("validation:logloss", {"max_mse": 0.5}, "quality.max_mse: is an MSE, and the objective is validation:logloss"),
        ("validation:auc", {"applies_to": "UpperEnd"}, "quality.applies_to: UpperEnd has no effect without quality.l"),
    ],
)
def test_the_limit_fits_the_objective(objective, quality, expected) -> None:
    assert fault_of(CLASSES, training=BINARY, tuning={"objective": objective}, quality=quality).startswith(expected)


def test_a_limit_has_one_of_two_names() -> None:
    assert parsed(quality={"limit": 5.0}).quality.given == parsed(quality={"max_mse": 5.0}).quality.given == 5.0
    assert fault_of(quality={"limit": 5.0, "max_mse": 5.0}) == (
        "quality.max_mse: is another name of quality.limit: remove one of them"
    )


def test_without_a_limit_the_objective_of_a_constant_must_be_known() -> None:
    assert fault_of(tuning={"objective": "validation:absolute_loss"}) == (
        "quality.limit: is missing: validation:absolute_loss of always predicting the same, the usual limit, is unknown"
    )


def test_a_transformed_label_needs_an_objective_in_its_own_unit() -> None:
    sections = {"training": XGBOOST, "tuning": {"objective": "validation:mape"}, "quality": {"limit": 1.0}}
    assert fault_of({"label_transform": "log1p"}, **sections).startswith("dataset.label_transform: validation:mape is")


@pytest.mark.parametrize(
    ("static", "expected"),
    [
        ({"quantile": 0.5}, "quantile: is for regressor, and predictor_type is binary_classifier"),
        ({"num_classes": 2}, "num_classes: is set by the pipeline: remove it"),
        ({"normalize_label": True}, "normalize_label: has no effect, because predictor_type is binary_classifier"),
        (
            {"loss": "huber_loss"},
            "loss: 'huber_loss' is not 'auto' or one of ['logistic', 'hinge_loss']; it is a loss ",
        ),
        ({"target_recal": 0.9}, "target_recal: is not a hyperparameter of linear-learner; did you mean 'target_recall"),
    ],
)
def test_hyperparameters_of_a_classifier_are_checked_by_its_own_rules(static, expected) -> None:
    training, tuning = {"problem": "binary"}, {"static_hyperparameters": static}
    fault = fault_of(CLASSES, training=training, tuning=tuning, quality={"limit": 1.0})
    assert fault.startswith(f"tuning.static_hyperparameters.{expected}")


def test_the_weight_of_the_positives_is_tunable_for_two_classes_only() -> None:
    grid = {"grid": {"positive_example_weight_mult": [1.0, 5.0]}}
    assert parsed(CLASSES, training={"problem": "binary"}, tuning=grid).tuning.points == 2
    assert fault_of(tuning=grid).startswith("tuning.grid.positive_example_weight_mult: is not a tunable hyperparameter")


def test_metrics_have_directions_that_agree_with_their_bounds() -> None:
    for problems in OBJECTIVES.values():
        for objectives in problems.values():
            for name, direction in objectives.items():
                lowest, highest = bounds(name.removeprefix("validation:"))
                assert lowest <= 0 < highest, name
                assert direction == "Minimize" or highest == 1 or name == "validation:dcg"
