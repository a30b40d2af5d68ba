"""The regressor's metrics: how the service finds them in the log, and what a tuning job may do with them.

Sources: the MetricDefinitions that SageMaker injects for its linear-learner image, and the developer guide,
"Tune a linear learner model".
"""

from dataclasses import dataclass
from typing import Final, Literal

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
    # Documented as an objective since 2023; the dump of injected definitions is from 2020.
    _final("validation", "rmse", "rmse"),
    _final("validation", "absolute_loss", "absolute_loss"),
    _final("test", "objective_loss", r"\S+_objective"),
    _final("test", "mse", "mse"),
    _final("test", "absolute_loss", "absolute_loss"),
    ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    ("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
)
"""(name, regular expression) pairs; the first group of an expression is the metric's value."""

TUNING_OBJECTIVES: Final[tuple[str, ...]] = (
    "validation:mse",
    "validation:rmse",
    "validation:absolute_loss",
    "validation:objective_loss",
    "test:mse",
    "test:absolute_loss",
    "test:objective_loss",
)
"""The metrics that a tuning job may have as its objective; all are to be minimised."""


@dataclass(frozen=True)
class Tunable:
    """How a tuning job may vary a hyperparameter.

    Attributes:
        kind: the kind of range that the developer guide recommends.
        minimum: of a Continuous or Integer range.
        maximum: likewise.
        values: of a Categorical range.
    """

    kind: Literal["Continuous", "Integer", "Categorical"]
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()


TUNABLE: Final[dict[str, Tunable]] = {
    "wd": Tunable("Continuous", 1e-7, 1),
    "l1": Tunable("Continuous", 1e-7, 1),
    "learning_rate": Tunable("Continuous", 1e-5, 1),
    "mini_batch_size": Tunable("Integer", 100, 5000),
    "use_bias": Tunable("Categorical", values=("true", "false")),
}
"""The hyperparameters of a regressor that the guide calls tunable; it also has one of classifiers."""
