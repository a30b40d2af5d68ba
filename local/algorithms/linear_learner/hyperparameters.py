"""The hyperparameters of one training job, checked and with every ``auto`` resolved."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from definition_language.linear_learner import CLASSIFICATION_ONLY, RULES, closest_name, unbiased_without_bias
from local.algorithms.errors import ClientError
from local.algorithms.linear_learner import choices

_CAUSE: Final = "(caused by ValidationError)"


@dataclass(frozen=True)
class Hyperparameters:
    """Holds the hyperparameters of one training job, with every ``auto`` resolved.

    The attributes have the documented names and meanings. ``feature_dim`` is None for ``auto``. ``num_models`` is the
    number of models to train. ``explored`` names the hyperparameters that were ``auto`` and that differ between these
    models.
    """

    feature_dim: int | None
    mini_batch_size: int
    epochs: int
    optimizer: str
    learning_rate: float
    beta_1: float
    beta_2: float
    momentum: float
    l1: float
    wd: float
    use_bias: bool
    bias_lr_mult: float
    bias_wd_mult: float
    init_method: str
    init_scale: float
    init_sigma: float
    init_bias: float
    use_lr_scheduler: bool
    lr_scheduler_step: int
    lr_scheduler_factor: float
    lr_scheduler_minimum_lr: float
    loss: str
    loss_insensitivity: float
    quantile: float
    huber_delta: float
    normalize_data: bool
    normalize_label: bool
    unbias_data: bool
    unbias_label: bool
    num_point_for_scaler: int
    num_models: int
    early_stopping_patience: int
    early_stopping_tolerance: float
    explored: tuple[str, ...] = ()

    def models(self) -> list["Hyperparameters"]:
        """Return the hyperparameters of the job's models. The first model has the job's own values."""
        if self.num_models == 1:
            return [self]
        grid = itertools.product(
            _candidates("learning_rate", self, [f * self.learning_rate for f in choices.EXPLORED_LEARNING_RATES]),
            _candidates("wd", self, choices.EXPLORED_WD),
            _candidates("l1", self, choices.EXPLORED_L1),
        )
        return [
            replace(self, learning_rate=learning_rate, wd=wd, l1=l1, num_models=1, explored=())
            for learning_rate, wd, l1 in itertools.islice(grid, self.num_models)
        ]

    def shared(self) -> "Hyperparameters":
        """Return the hyperparameters that models must share to be trained together. The result can be a key."""
        return replace(self, learning_rate=0.0, l1=0.0, wd=0.0, num_models=1, explored=())


def _candidates(name: str, job: Hyperparameters, values: Sequence[float]) -> list[float]:
    return list(values) if name in job.explored else [getattr(job, name)]


def parse(raw: Mapping[str, str]) -> Hyperparameters:
    """Check and resolve the hyperparameters of a training job.

    Args:
        raw: The names and values of CreateTrainingJob, all strings. SageMaker adds names that begin with an
            underscore; they are accepted.

    Raises:
        ClientError: A hyperparameter is missing, unknown, out of range, or only for classification.
    """
    given = {name: value for name, value in raw.items() if not name.startswith("_")}
    _check_predictor_type(given)
    for name in given:
        _check_name(name)
    values = {name: _value(name, given.get(name, rule.default)) for name, rule in RULES.items()}
    del values["num_calibration_samples"]
    explored = tuple(name for name in ("learning_rate", "wd", "l1") if values[name] is None)
    combinations = math.prod(_EXPLORED_COUNTS[name] for name in explored)
    values["num_models"] = min(values["num_models"] or combinations, combinations)
    if "_tuning_objective_metric" in raw:
        # In a tuning job, SageMaker turns the internal search off and ignores the user's value.
        values["num_models"] = 1
    _resolve_auto(values)
    return Hyperparameters(**values, explored=explored)


_EXPLORED_COUNTS: Final = {
    "learning_rate": len(choices.EXPLORED_LEARNING_RATES),
    "wd": len(choices.EXPLORED_WD),
    "l1": len(choices.EXPLORED_L1),
}


def _check_predictor_type(given: Mapping[str, str]) -> None:
    predictor_type = given.get("predictor_type")
    if predictor_type is None:
        raise ClientError(
            f"No value(s) were specified for 'predictor_type' which are required hyperparameter(s) {_CAUSE}"
        )
    if predictor_type in ("binary_classifier", "multiclass_classifier"):
        raise ClientError(
            f"predictor_type: '{predictor_type}' is not supported by the local service; it trains 'regressor' only"
        )
    if predictor_type != "regressor":
        raise ClientError(f"predictor_type: '{predictor_type}' is not one of ['regressor'] {_CAUSE}")


def _check_name(name: str) -> None:
    if name in CLASSIFICATION_ONLY:
        raise ClientError(
            f"Additional properties are not allowed ('{name}' was unexpected) {_CAUSE}: "
            f"{name} is for classification, and predictor_type is 'regressor'"
        )
    if name not in RULES and name != "predictor_type":
        close = closest_name(name)
        hint = f": did you mean '{close}'?" if close else ""
        raise ClientError(f"Additional properties are not allowed ('{name}' was unexpected) {_CAUSE}{hint}")


def _value(name: str, text: str) -> Any:
    try:
        return RULES[name].parse(text)
    except ValueError as error:
        raise ClientError(f"{name}: {error} {_CAUSE}") from None


def _resolve_auto(values: dict[str, Any]) -> None:
    use_bias = values["use_bias"]
    automatic = {
        "learning_rate": choices.AUTO_LEARNING_RATE[values["optimizer"]],
        "beta_1": choices.AUTO_BETA_1,
        "beta_2": choices.AUTO_BETA_2,
        "momentum": choices.AUTO_MOMENTUM,
        "l1": choices.AUTO_L1,
        "wd": choices.AUTO_WD,
        "bias_lr_mult": choices.AUTO_BIAS_LR_MULT,
        "bias_wd_mult": choices.AUTO_BIAS_WD_MULT,
        "lr_scheduler_step": choices.AUTO_LR_SCHEDULER_STEP,
        "lr_scheduler_factor": choices.AUTO_LR_SCHEDULER_FACTOR,
        "lr_scheduler_minimum_lr": choices.AUTO_LR_SCHEDULER_MINIMUM_LR,
        "normalize_data": True,
        "normalize_label": True,
        "unbias_data": use_bias,
        "unbias_label": use_bias,
    }
    for name, value in automatic.items():
        if values[name] is None:
            values[name] = value
    for name in unbiased_without_bias(values):
        raise ClientError(f"{name}: 'true' needs use_bias 'true'")
