"""The documented hyperparameters of linear-learner's regressor: names, defaults, valid values and tunable ranges.

Sources: Amazon SageMaker developer guide, "Linear learner hyperparameters" and "Tune a linear learner model".
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from definition_language.hyperparameters import Rule, Tunable

REGRESSION_LOSSES: Final = (
    "squared_loss",
    "absolute_loss",
    "eps_insensitive_squared_loss",
    "eps_insensitive_absolute_loss",
    "quantile_loss",
    "huber_loss",
)
CLASSIFICATION_LOSSES: Final = ("logistic", "hinge_loss", "softmax_loss")
CLASSIFICATION_ONLY: Final = (
    "num_classes",
    "accuracy_top_k",
    "balance_multiclass_weights",
    "binary_classifier_model_selection_criteria",
    "f_beta",
    "margin",
    "positive_example_weight_mult",
    "target_precision",
    "target_recall",
)


def _integer(default: str, **auto: Any) -> Rule:
    def read(text: str) -> int | None:
        return int(text) if re.fullmatch(r"\+?[0-9]{1,18}", text) and int(text) > 0 else None

    return Rule(default, "an integer greater than 0", read, **auto)


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


def _choice(default: str, values: tuple[str, ...], **auto: Any) -> Rule:
    return Rule(default, f"one of {list(values)}", lambda text: text if text in values else None, **auto)


RULES: Final[dict[str, Rule]] = {
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
    "loss": _choice("auto", REGRESSION_LOSSES, auto="squared_loss"),
    "loss_insensitivity": _positive("0.01"),
    "quantile": _fraction("0.5"),
    "huber_delta": _positive("1.0"),
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
"""The regressor's hyperparameters. ``predictor_type``, which selects the regressor, is not among them."""


def closest_name(name: str) -> str | None:
    """Return the hyperparameter whose name is most similar to an unknown one, or None if none is similar."""
    return next(iter(difflib.get_close_matches(name, RULES, n=1)), None)


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
}
"""The regressor's tunable hyperparameters. The guide lists one more, which is only for classifiers."""
