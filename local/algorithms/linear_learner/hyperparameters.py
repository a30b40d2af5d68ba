"""The hyperparameters of one training job, checked and with every ``auto`` resolved."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from definition_language.hyperparameters import Rule
from definition_language.linear_learner import (
    BINARY,
    IGNORED,
    MULTICLASS,
    PREDICTOR_TYPES,
    REGRESSOR,
    RULES_BY_TYPE,
    closest_name,
    other_types,
    unbiased_without_bias,
)
from definition_language.linear_learner_metrics import OBJECTIVES_BY_TYPE, TUNING_OBJECTIVES
from local.algorithms.errors import ClientError
from local.algorithms.linear_learner import choices

_CAUSE: Final = "(caused by ValidationError)"


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Holds the hyperparameters of one training job, with every ``auto`` resolved.

    The attributes have the documented names and meanings. ``feature_dim`` is None for ``auto``. ``num_models`` is the
    number of models to train. ``explored`` names the hyperparameters that were ``auto`` and that differ between these
    models. A hyperparameter that the predictor type does not have, has its default.
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
    loss_insensitivity: float = 0.01
    quantile: float = 0.5
    huber_delta: float = 1.0
    normalize_data: bool
    normalize_label: bool
    unbias_data: bool
    unbias_label: bool
    num_point_for_scaler: int
    num_models: int
    early_stopping_patience: int
    early_stopping_tolerance: float
    explored: tuple[str, ...] = ()
    predictor_type: str = REGRESSOR
    num_classes: int = 1
    margin: float = 1.0
    positive_example_weight_mult: float | str = 1.0
    balance_multiclass_weights: bool = False
    binary_classifier_model_selection_criteria: str = "accuracy"
    f_beta: float = 1.0
    target_precision: float = 0.8
    target_recall: float = 0.8
    accuracy_top_k: int = 3
    num_calibration_samples: int = choices.AUTO_NUM_CALIBRATION_SAMPLES

    @property
    def outputs(self) -> int:
        """The number of scores of a row: one per class of a multiclass classifier, else 1."""
        return self.num_classes if self.predictor_type == MULTICLASS else 1

    @property
    def calibrates(self) -> bool:
        """Whether a criterion, and not the loss, chooses the model and its threshold."""
        return self.predictor_type == BINARY and self.binary_classifier_model_selection_criteria != "loss_function"

    def models(self) -> list["Hyperparameters"]:
        """Return the hyperparameters of the job's models. The first model has the job's own values."""
        if self.num_models == 1:
            return [self]
        grid = itertools.product(
            _candidates("learning_rate", self, [f * self.learning_rate for f in choices.EXPLORED_LEARNING_RATES]),
            _candidates("wd", self, choices.EXPLORED_WD),
            _candidates("l1", self, choices.EXPLORED_L1),
        )
        weights = _candidates(_POSITIVE_WEIGHT, self, choices.EXPLORED_POSITIVE_WEIGHTS)
        return [
            replace(self, learning_rate=rate, wd=wd, l1=l1, num_models=1, explored=(), **{_POSITIVE_WEIGHT: weight})
            for rate, wd, l1 in itertools.islice(grid, self.num_models // len(weights))
            for weight in weights
        ]

    def shared(self) -> "Hyperparameters":
        """Return the hyperparameters that models must share to be trained together. The result can be a key."""
        # Balanced weights need both labels. Their absence must not fail jobs with other weights.
        balances = self.positive_example_weight_mult == "balanced" or _POSITIVE_WEIGHT in self.explored
        weight = "balanced" if balances else 0.0
        return replace(
            self, learning_rate=0.0, l1=0.0, wd=0.0, num_models=1, explored=(), positive_example_weight_mult=weight
        )


def _candidates(name: str, job: Hyperparameters, values: Sequence[Any]) -> list[Any]:
    return list(values) if name in job.explored else [getattr(job, name)]


def parse(raw: Mapping[str, str]) -> Hyperparameters:
    """Check and resolve the hyperparameters of a training job.

    Args:
        raw: The names and values of CreateTrainingJob, all strings. SageMaker adds names that begin with an
            underscore; they are accepted.

    Raises:
        ClientError: A hyperparameter is missing, unknown, out of range, or only for other predictor types.
    """
    given = {name: value for name, value in raw.items() if not name.startswith("_")}
    predictor_type = _predictor_type(given)
    for name in given:
        _check_name(name, predictor_type)
    objective = raw.get(_OBJECTIVE, "")
    if objective in TUNING_OBJECTIVES and objective not in OBJECTIVES_BY_TYPE[predictor_type]:
        raise ClientError(f"the objective metric {objective} is not valid for predictor_type '{predictor_type}'")
    rules = RULES_BY_TYPE[predictor_type]
    values = {name: _value(rule, name, given.get(name, rule.default)) for name, rule in rules.items()}
    explored = tuple(name for name in ("learning_rate", "wd", "l1") if values[name] is None)
    combinations = math.prod(_EXPLORED_COUNTS[name] for name in explored)
    values["num_models"] = min(values["num_models"] or combinations, combinations)
    if _OBJECTIVE in raw:
        # In a tuning job, SageMaker turns the internal search off and ignores the user's value.
        values["num_models"] = 1
    if values.get(_POSITIVE_WEIGHT) == "auto":
        explored += _explore_positive_weights(values)
    _resolve_auto(values, predictor_type)
    return Hyperparameters(**values, explored=explored, predictor_type=predictor_type)


def ignored_names(raw: Mapping[str, str]) -> list[str]:
    """Return the given hyperparameters that the job's predictor type takes and does not use."""
    return [name for name in raw if name in IGNORED[_predictor_type(raw)]]


_OBJECTIVE: Final = "_tuning_objective_metric"
_POSITIVE_WEIGHT: Final = "positive_example_weight_mult"
_EXPLORED_COUNTS: Final = {
    "learning_rate": len(choices.EXPLORED_LEARNING_RATES),
    "wd": len(choices.EXPLORED_WD),
    "l1": len(choices.EXPLORED_L1),
}


def _explore_positive_weights(values: dict[str, Any]) -> tuple[str, ...]:
    """Make every model one model per candidate weight, and return the name if there are several candidates.

    A weight of 1 has the lowest loss by definition, so there is nothing to explore if the loss decides.
    """
    values[_POSITIVE_WEIGHT] = 1.0
    if values["binary_classifier_model_selection_criteria"] == "loss_function":
        return ()
    values["num_models"] *= len(choices.EXPLORED_POSITIVE_WEIGHTS)
    return (_POSITIVE_WEIGHT,)


def _predictor_type(given: Mapping[str, str]) -> str:
    predictor_type = given.get("predictor_type")
    if predictor_type is None:
        raise _missing("predictor_type")
    if predictor_type not in PREDICTOR_TYPES:
        raise ClientError(f"predictor_type: '{predictor_type}' is not one of {list(PREDICTOR_TYPES)} {_CAUSE}")
    if predictor_type == MULTICLASS and "num_classes" not in given:
        raise _missing("num_classes")
    return predictor_type


def _missing(name: str) -> ClientError:
    return ClientError(f"No value(s) were specified for '{name}' which are required hyperparameter(s) {_CAUSE}")


def _check_name(name: str, predictor_type: str) -> None:
    if name == "predictor_type" or name in RULES_BY_TYPE[predictor_type] or name in IGNORED[predictor_type]:
        return
    refusal = f"Additional properties are not allowed ('{name}' was unexpected) {_CAUSE}"
    if owner := other_types(name, predictor_type):
        raise ClientError(f"{refusal}: {name} is for {owner}, and predictor_type is '{predictor_type}'")
    close = closest_name(name, predictor_type)
    raise ClientError(refusal + (f": did you mean '{close}'?" if close else ""))


def _value(rule: Rule, name: str, text: str) -> Any:
    try:
        return rule.parse(text)
    except ValueError as error:
        raise ClientError(f"{name}: {error} {_CAUSE}") from None


def _resolve_auto(values: dict[str, Any], predictor_type: str) -> None:
    use_bias = values["use_bias"]
    if predictor_type != REGRESSOR:
        # The label of a classifier is a class. SageMaker ignores a request to normalise it.
        values["normalize_label"] = values["unbias_label"] = False
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
        "num_calibration_samples": choices.AUTO_NUM_CALIBRATION_SAMPLES,
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
