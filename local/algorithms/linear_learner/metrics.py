"""The regressor's metrics: how they appear in the log, and which ones a tuning job can use as its objective.

Sources: the MetricDefinitions that SageMaker injects for its linear-learner image, and the developer guide,
"Tune a linear learner model".
"""

from typing import Final

_PREFIX: Final = r"#quality_metric: host=\S+, "


def _final(channel: str, metric: str, name: str) -> tuple[str, str]:
    return f"{channel}:{metric}", rf"{_PREFIX}{channel} {name} <loss>=(\S+)"


def _each_epoch(channel: str) -> tuple[str, str]:
    return f"{channel}:objective_loss", rf"{_PREFIX}epoch=\S+, {channel} \S+_objective <loss>=(\S+)"


METRIC_DEFINITIONS: Final[tuple[tuple[str, str], ...]] = (
    _each_epoch("train"),
    _final("train", "objective_loss:final", r"\S+_objective"),
    _final("train", "mse", "mse"),
    _final("train", "absolute_loss", "absolute_loss"),
    _each_epoch("validation"),
    _final("validation", "objective_loss:final", r"\S+_objective"),
    _final("validation", "mse", "mse"),
    # Documented as an objective since 2023. The list of injected definitions is from 2020 and does not have it.
    _final("validation", "rmse", "rmse"),
    _final("validation", "absolute_loss", "absolute_loss"),
    _final("test", "objective_loss", r"\S+_objective"),
    _final("test", "mse", "mse"),
    _final("test", "absolute_loss", "absolute_loss"),
    ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    ("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
)
"""Pairs of a name and a regular expression. The expression's first group is the metric's value."""

TUNING_OBJECTIVES: Final[tuple[str, ...]] = (
    "validation:mse",
    "validation:rmse",
    "validation:absolute_loss",
    "validation:objective_loss",
    "test:mse",
    "test:absolute_loss",
    "test:objective_loss",
)
"""The metrics that can be a tuning job's objective. All are minimised."""
