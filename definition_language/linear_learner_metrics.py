"""linear-learner's metrics: how they appear in the log, and which ones a tuning job can use as its objective.

Sources: the MetricDefinitions that SageMaker injects for its linear-learner image, and the developer guide,
"Tune a linear learner model".
"""

from __future__ import annotations

from typing import Final

from definition_language.linear_learner import BINARY, MULTICLASS, REGRESSOR

_SCORES: Final[dict[str, tuple[str, ...]]] = {
    BINARY: ("binary_classification_accuracy", "binary_f_beta", "precision", "recall", "roc_auc_score"),
    MULTICLASS: (
        *("multiclass_accuracy", "multiclass_top_k_accuracy", "dcg", "macro_recall", "macro_precision"),
        "macro_f_beta",
    ),
}
_LOSSES: Final = ("mse", "absolute_loss")


def _objectives(predictor_type: str) -> dict[str, str]:
    directions = {"objective_loss": "Minimize"}
    if predictor_type == REGRESSOR:
        directions |= dict.fromkeys(_LOSSES, "Minimize")
    else:
        directions |= dict.fromkeys(_SCORES[predictor_type], "Maximize")
    objectives = {f"{channel}:{name}": way for channel in ("validation", "test") for name, way in directions.items()}
    return objectives | ({"validation:rmse": "Minimize"} if predictor_type == REGRESSOR else {})


OBJECTIVES_BY_TYPE: Final[dict[str, dict[str, str]]] = {
    predictor_type: _objectives(predictor_type) for predictor_type in (REGRESSOR, BINARY, MULTICLASS)
}
"""The metrics that can be a tuning job's objective, with their directions, for each predictor type."""

TUNING_OBJECTIVES: Final[dict[str, str]] = {
    metric: direction for objectives in OBJECTIVES_BY_TYPE.values() for metric, direction in objectives.items()
}
"""The metrics that can be a tuning job's objective for any predictor type, with their directions."""

_PREFIX: Final = r"#quality_metric: host=\S+, "
# The log has the value of beta and of k in the metric's name: binary_f_1.000, multiclass_top_k_accuracy_3.
_NAMES_IN_LOG: Final = {
    "binary_f_beta": r"binary_f_\S+",
    "macro_f_beta": r"macro_f_\S+",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+",
}


def _loss(channel: str, metric: str, name: str) -> tuple[str, str]:
    return f"{channel}:{metric}", rf"{_PREFIX}{channel} {name} <loss>=(\S+)"


def _score(channel: str, metric: str) -> tuple[str, str]:
    return f"{channel}:{metric}", rf"{_PREFIX}{channel} {_NAMES_IN_LOG.get(metric, metric)} <score>=(\S+)"


def _each_epoch(channel: str) -> tuple[str, str]:
    return f"{channel}:objective_loss", rf"{_PREFIX}epoch=\S+, {channel} \S+_objective <loss>=(\S+)"


METRIC_DEFINITIONS: Final[tuple[tuple[str, str], ...]] = (
    _each_epoch("train"),
    _loss("train", "objective_loss:final", r"\S+_objective"),
    *(_loss("train", name, name) for name in _LOSSES),
    *(_score("train", name) for name in ("binary_classification_accuracy", "binary_f_beta", "precision", "recall")),
    _each_epoch("validation"),
    _loss("validation", "objective_loss:final", r"\S+_objective"),
    *(_loss("validation", name, name) for name in _LOSSES),
    # rmse and roc_auc_score are documented as objectives. The list of injected definitions, of 2020, has neither.
    _loss("validation", "rmse", "rmse"),
    _loss("test", "objective_loss", r"\S+_objective"),
    *(_loss("test", name, name) for name in _LOSSES),
    *(_score(channel, name) for channel in ("validation", "test") for names in _SCORES.values() for name in names),
    ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    ("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
)
"""Pairs of a name and a regular expression. The expression's first group is the metric's value."""
