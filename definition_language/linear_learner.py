"""The documented hyperparameters of linear-learner: names, defaults, valid values and tunable ranges.

They depend on ``predictor_type``. Sources: Amazon SageMaker developer guide, "Linear learner hyperparameters" and
"Tune a linear learner model".
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from definition_language.hyperparameters import Rule, Tunable

REGRESSOR: Final = "regressor"
BINARY: Final = "binary_classifier"
MULTICLASS: Final = "multiclass_classifier"
PREDICTOR_TYPES: Final = (BINARY, MULTICLASS, REGRESSOR)

REGRESSION_LOSSES: Final = (
    "squared_loss",
    "absolute_loss",
    "eps_insensitive_squared_loss",
    "eps_insensitive_absolute_loss",
    "quantile_loss",
    "huber_loss",
)
BINARY_LOSSES: Final = ("logistic", "hinge_loss")
MULTICLASS_LOSSES: Final = ("softmax_loss",)
CLASSIFICATION_LOSSES: Final = (*BINARY_LOSSES, *MULTICLASS_LOSSES)
SELECTION_CRITERIA: Final = (
    *("accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision", "loss_function"),
)

_REGRESSION_ONLY: Final = ("loss_insensitivity", "quantile", "huber_delta")
_BINARY_ONLY: Final = (
    *("binary_classifier_model_selection_criteria", "margin", "positive_example_weight_mult", "target_precision"),
    "target_recall",
)
_MULTICLASS_ONLY: Final = ("num_classes", "accuracy_top_k", "balance_multiclass_weights")
CLASSIFICATION_ONLY: Final = (*_MULTICLASS_ONLY, *_BINARY_ONLY, "f_beta")
"""The hyperparameters that a regressor does not have."""

IGNORED: Final[dict[str, tuple[str, ...]]] = {
    REGRESSOR: ("num_classes", "balance_multiclass_weights"),
    BINARY: ("num_classes", "balance_multiclass_weights", "normalize_label", "unbias_label"),
    MULTICLASS: ("normalize_label", "unbias_label"),
}
"""The hyperparameters that a predictor type takes and does not use, as the developer guide says."""


def _integer(default: str, **auto: Any) -> Rule:
    return Rule(default, "an integer greater than 0", lambda text: _read_integer(text, 1, 10**18), **auto)


def _read_integer(text: str, least: int, most: int) -> int | None:
    return int(text) if re.fullmatch(r"\+?[0-9]{1,18}", text) and least <= int(text) <= most else None


def _number(default: str, valid: str, accept: Callable[[float], bool], **auto: Any) -> Rule:
    def read(text: str) -> float | None:
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
            return None
        value = float(text)
        return value if math.isfinite(value) and accept(value) else None

    return Rule(default, f"a number {valid}", read, **auto)


def _positive(default: str, **auto: Any) -> Rule:
    return _number(default, "greater than 0", lambda value: value > 0, **auto)


def _not_negative(default: str, **auto: Any) -> Rule:
    return _number(default, "of at least 0", lambda value: value >= 0, **auto)


def _fraction(default: str, **auto: Any) -> Rule:
    return _number(default, "between 0 and 1, both excluded", lambda value: 0 < value < 1, **auto)


def _boolean(default: str, **auto: Any) -> Rule:
    return Rule(default, "'true' or 'false'", lambda text: {"true": True, "false": False}.get(text.lower()), **auto)


def _read_positive_weight(text: str) -> str | float | None:
    weight: float | None = _positive("1").read(text)
    return "balanced" if text == "balanced" else weight


def _choice(default: str, values: tuple[str, ...], **auto: Any) -> Rule:
    return Rule(default, f"one of {list(values)}", lambda text: text if text in values else None, **auto)


_ALL_RULES: Final[dict[str, Rule]] = {
    "feature_dim": _integer("auto", auto=None),
    "mini_batch_size": _integer("1000"),
    "epochs": _integer("15"),
    "optimizer": _choice("auto", ("adam", "sgd", "rmsprop"), auto="adam"),
    "learning_rate": _positive("auto", auto=None),
    "beta_1": _fraction("auto", auto=None),
    "beta_2": _fraction("auto", auto=None),
    "momentum": _number("auto", "of at least 0 and below 1", lambda value: 0 <= value < 1, auto=None),
    "l1": _not_negative("auto", auto=None),
    "wd": _not_negative("auto", auto=None),
    "use_bias": _boolean("true"),
    "bias_lr_mult": _positive("auto", auto=None),
    "bias_wd_mult": _not_negative("auto", auto=None),
    "init_method": _choice("uniform", ("uniform", "normal")),
    "init_scale": _positive("0.07"),
    "init_sigma": _positive("0.01"),
    "init_bias": _number("0", "", lambda value: True),
    "use_lr_scheduler": _boolean("true"),
    "lr_scheduler_step": _integer("auto", auto=None),
    "lr_scheduler_factor": _fraction("auto", auto=None),
    "lr_scheduler_minimum_lr": _positive("auto", auto=None),
    "loss_insensitivity": _positive("0.01"),
    "quantile": _fraction("0.5"),
    "huber_delta": _positive("1.0"),
    "margin": _positive("1.0"),
    # No default: required for a multiclass classifier.
    "num_classes": Rule("", "an integer from 3 to 1000000", lambda text: _read_integer(text, 3, 1_000_000)),
    "accuracy_top_k": _integer("3"),
    "balance_multiclass_weights": _boolean("false"),
    "binary_classifier_model_selection_criteria": _choice("accuracy", SELECTION_CRITERIA),
    "f_beta": _positive("1.0"),
    "target_precision": _fraction("0.8"),
    "target_recall": _fraction("0.8"),
    "positive_example_weight_mult": Rule(
        "1.0", "'balanced' or a number greater than 0", _read_positive_weight, auto="auto"
    ),
    "normalize_data": _boolean("true", auto=None),
    "normalize_label": _boolean("auto", auto=None),
    "unbias_data": _boolean("auto", auto=None),
    "unbias_label": _boolean("auto", auto=None),
    "num_point_for_scaler": _integer("10000"),
    "num_models": _integer("auto", auto=None),
    # For classifiers only, but the container's defaults include it for regressors too.
    "num_calibration_samples": _integer("auto", auto=None),
    "early_stopping_patience": _integer("3"),
    "early_stopping_tolerance": _positive("0.001"),
}


def _rules(loss: Rule, excluded: Iterable[str]) -> dict[str, Rule]:
    return {"loss": loss} | {name: rule for name, rule in _ALL_RULES.items() if name not in excluded}


RULES_BY_TYPE: Final[dict[str, dict[str, Rule]]] = {
    BINARY: _rules(_choice("auto", BINARY_LOSSES, auto="logistic"), (*_REGRESSION_ONLY, *_MULTICLASS_ONLY)),
    MULTICLASS: _rules(_choice("auto", MULTICLASS_LOSSES, auto="softmax_loss"), (*_REGRESSION_ONLY, *_BINARY_ONLY)),
    REGRESSOR: _rules(_choice("auto", REGRESSION_LOSSES, auto="squared_loss"), CLASSIFICATION_ONLY),
}
"""The hyperparameters of each predictor type. ``predictor_type`` itself is not among them."""

RULES: Final = RULES_BY_TYPE[REGRESSOR]
"""The regressor's hyperparameters."""


def closest_name(name: str, predictor_type: str = REGRESSOR) -> str | None:
    """Return the hyperparameter whose name is most similar to an unknown one, or None if none is similar."""
    return next(iter(difflib.get_close_matches(name, RULES_BY_TYPE[predictor_type], n=1)), None)


def other_types(name: str, predictor_type: str) -> str | None:
    """Return what a hyperparameter is for, in words, if it is for other predictor types only, else None."""
    if name in RULES_BY_TYPE[predictor_type] or name in IGNORED[predictor_type]:
        return None
    if predictor_type == REGRESSOR and name in CLASSIFICATION_ONLY:
        return "classification"
    owners = [other for other, rules in RULES_BY_TYPE.items() if name in rules]
    return owners[0] if owners else None


def unbiased_without_bias(values: Mapping[str, Any]) -> list[str]:
    """Return the hyperparameters that remove a mean although the model has no bias, which is invalid.

    Removing a mean gives the model a bias in raw units, but ``use_bias`` has turned the bias off.

    Args:
        values: Parsed values by name; None is an ``auto`` that is resolved later.
    """
    return [name for name in ("unbias_data", "unbias_label") if values[name] and not values["use_bias"]]


TUNABLE: Final[dict[str, Tunable]] = {
    "wd": Tunable("Continuous", 1e-7, 1),
    "l1": Tunable("Continuous", 1e-7, 1),
    "learning_rate": Tunable("Continuous", 1e-5, 1),
    "mini_batch_size": Tunable("Integer", 100, 5000),
    "use_bias": Tunable("Categorical", values=("true", "false")),
    "positive_example_weight_mult": Tunable("Continuous", 1e-5, 1e5),
}
"""The tunable hyperparameters. Those that are not among a predictor type's rules cannot be tuned for it."""
