"""The hyperparameters and metrics of SageMaker's XGBoost image: names, valid values, tunable ranges and regexes.

Sources: the checks of https://github.com/aws/sagemaker-xgboost-container, whose words the errors have, and the Amazon
SageMaker developer guide, "XGBoost hyperparameters" and "Tune an XGBoost model".
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from definition_language.hyperparameters import Rule, Tunable

MAXIMIZED_METRICS: Final = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision", "r2"),
    *("recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
)
MINIMIZED_METRICS: Final = (
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy"),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    "tweedie-nloglik",
)
METRICS: Final = (*MAXIMIZED_METRICS, *MINIMIZED_METRICS)
_METRICS_WITH_THRESHOLD = ("error", "ndcg", "map")

TUNING_OBJECTIVES: Final[dict[str, str]] = {
    **{f"validation:{metric}": "Maximize" for metric in MAXIMIZED_METRICS},
    **{f"validation:{metric}": "Minimize" for metric in MINIMIZED_METRICS},
}
"""The metrics that can be a tuning job's objective, with their directions."""

_NUMBER_OF_A_METRIC = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
METRIC_DEFINITIONS: Final[tuple[tuple[str, str], ...]] = tuple(
    (f"{channel}:{metric}", rf".*\[[0-9]+\].*#011{channel}-{metric}:{_NUMBER_OF_A_METRIC}.*")
    for channel in ("train", "validation")
    for metric in METRICS
)
"""Pairs of a name and a regular expression, as DescribeTrainingJob shows them. ``#011`` is the tabulator in the log."""

ALIASES: Final = {
    "learning_rate": "eta",
    "min_split_loss": "gamma",
    "reg_lambda": "lambda",
    "reg_alpha": "alpha",
}

_OBJECTIVES = (
    *("aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "multi:softmax"),
    *("multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear", "reg:squarederror", "reg:logistic"),
    *("reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror", "reg:tweedie", "survival:aft", "survival:cox"),
)
_TREE_UPDATERS = (
    *("grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_skmaker", "sync", "refresh"),
    *("prune", "grow_quantile_histmaker"),
)
_GROWING_UPDATERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_quantile_histmaker")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_LISTED_UPDATERS = tuple(name for name in (*_TREE_UPDATERS, *_LINEAR_UPDATERS) if name != "grow_quantile_histmaker")


class HyperparameterError(ValueError):
    """A hyperparameter is invalid; the message has the container's words."""


@dataclass(frozen=True)
class Interval:
    """Describes the valid values of a number.

    Attributes:
        least: The lower end.
        most: The upper end.
        open_least: Whether the lower end is excluded.
        open_most: Whether the upper end is excluded.
    """

    least: float
    most: float = math.inf
    open_least: bool = False
    open_most: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.least if self.open_least else value >= self.least
        return above and (value < self.most if self.open_most else value <= self.most)

    def __str__(self) -> str:
        upper = "+inf)" if math.isinf(self.most) else f"{self.most}{')' if self.open_most else ']'}"
        return f"{'(' if self.open_least else '['}{self.least}, {upper}"


def _integer(interval: Interval, default: str = "") -> Rule:
    def read(text: str) -> int | None:
        value = _integer_of(text)
        return value if value in interval else None

    return Rule(default, str(interval), read)


def _number(interval: Interval, default: str = "") -> Rule:
    def read(text: str) -> float | None:
        value = _number_of(text)
        return value if value in interval else None

    return Rule(default, str(interval), read)


def _choice(*values: str, default: str = "") -> Rule:
    return Rule(default, str(list(values)), lambda text: text if text in values else None)


def _names(values: tuple[str, ...], accepts: Callable[[str], bool]) -> Rule:
    def read(text: str) -> list[str] | None:
        names = text.split(",")
        return names if all(map(accepts, names)) else None

    return Rule("", str(list(values)), read)


def _integer_of(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text):
        raise ValueError(text)
    return int(text)


def _number_of(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or "_" in text:
        raise ValueError(text)
    return value


def _monotone_constraints(text: str) -> tuple[int, ...] | None:
    value = _literal(text)
    return value if isinstance(value, tuple) and all(item in (-1, 0, 1) for item in value) else None


def _interaction_constraints(text: str) -> list[list[int]] | None:
    value = _literal(text)
    if not isinstance(value, list) or not all(isinstance(group, list) for group in value):
        return None
    return value if all(type(item) is int and item >= 1 for group in value for item in group) else None


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(text) from error


def _is_metric(name: str) -> bool:
    metric, at, threshold = name.partition("@")
    if not at:
        return name in METRICS
    if metric.strip() not in _METRICS_WITH_THRESHOLD:
        raise HyperparameterError(
            f"Metric '{name}' is not supported. Parameter 'eval_metric' with customized threshold should be one of "
            "these options: 'error', 'ndcg', 'map'."
        )
    try:
        _number_of(threshold)
    except ValueError:
        raise HyperparameterError(f"Threshold value 't' in '{metric}@t' expects float input.") from None
    return True


_AT_LEAST_0, _AT_LEAST_1 = Interval(0), Interval(1)
_UNIT, _FLAG = Interval(0, 1), Interval(0, 1)
_SHARE = Interval(0, 1, open_least=True)

RULES: Final[dict[str, Rule]] = {
    "num_round": _integer(_AT_LEAST_1),
    "csv_weights": _integer(_FLAG, "0"),
    "early_stopping_rounds": _integer(_AT_LEAST_1),
    "booster": _choice("gbtree", "gblinear", "dart", default="gbtree"),
    "verbosity": _integer(Interval(0, 3), "1"),
    "nthread": _integer(_AT_LEAST_1),
    "eta": _number(_UNIT, "0.3"),
    "gamma": _number(_AT_LEAST_0, "0"),
    "max_depth": _integer(_AT_LEAST_0, "6"),
    "min_child_weight": _number(_AT_LEAST_0, "1"),
    "max_delta_step": _number(_AT_LEAST_0, "0"),
    "subsample": _number(_SHARE, "1"),
    "colsample_bytree": _number(_SHARE, "1"),
    "colsample_bylevel": _number(_SHARE, "1"),
    "colsample_bynode": _number(_SHARE, "1"),
    "lambda": _number(_AT_LEAST_0, "1"),
    "alpha": _number(_AT_LEAST_0, "0"),
    "tree_method": _choice("auto", "exact", "approx", "hist", default="auto"),
    "sketch_eps": _number(Interval(0, 1, open_least=True, open_most=True)),
    "scale_pos_weight": _number(Interval(0, open_least=True), "1"),
    "updater": _names(_LISTED_UPDATERS, lambda name: name in _LISTED_UPDATERS),
    "dsplit": _choice("row", "col"),
    "refresh_leaf": _integer(_FLAG, "1"),
    "process_type": _choice("default", "update", default="default"),
    "grow_policy": _choice("depthwise", "lossguide", default="depthwise"),
    "max_leaves": _integer(_AT_LEAST_0, "0"),
    "max_bin": _integer(_AT_LEAST_0, "256"),
    "predictor": _choice("auto", "cpu_predictor", "gpu_predictor"),
    "monotone_constraints": Rule("", "[-1, 0, 1]", _monotone_constraints),
    "interaction_constraints": Rule("", "[1, +inf)", _interaction_constraints),
    "sample_type": _choice("uniform", "weighted", default="uniform"),
    "normalize_type": _choice("tree", "forest", default="tree"),
    "rate_drop": _number(_UNIT, "0"),
    "one_drop": _integer(_FLAG, "0"),
    "skip_drop": _number(_UNIT, "0"),
    "lambda_bias": _number(_UNIT, "0"),
    "tweedie_variance_power": _number(Interval(1, 2, open_least=True, open_most=True), "1.5"),
    "objective": _choice(*_OBJECTIVES, default="reg:squarederror"),
    "num_class": _integer(Interval(2)),
    "base_score": _number(_AT_LEAST_0),
    "_kfold": _integer(Interval(2)),
    "_num_cv_round": _integer(_AT_LEAST_1),
    "_tuning_objective_metric": _choice(*TUNING_OBJECTIVES),
    "eval_metric": _names(METRICS, _is_metric),
    "seed": _integer(Interval(-(2**31), 2**31 - 1, open_least=True, open_most=True), "0"),
    "num_parallel_tree": _integer(_AT_LEAST_1, "1"),
    "save_model_on_termination": _choice("true", "false", default="false"),
    "aft_loss_distribution": _choice("normal", "logistic", "extreme", default="normal"),
    "aft_loss_distribution_scale": _number(_AT_LEAST_0, "1"),
    "single_precision_histogram": _choice("true", "false"),
    "deterministic_histogram": _choice("true", "false"),
    "sampling_method": _choice("uniform", "gradient_based", default="uniform"),
    "prob_buffer_row": _integer(Interval(1, open_least=True)),
    "use_dask_gpu_training": _choice("true", "false", default="false"),
}
"""The hyperparameters by name. A default is what the container or the library uses; it is not sent to the library."""

_LISTS = ("updater", "eval_metric", "monotone_constraints", "interaction_constraints")
_NUMBERS_WITH_FRACTION = frozenset(
    {
        *("eta", "gamma", "min_child_weight", "max_delta_step", "subsample", "colsample_bytree", "colsample_bylevel"),
        *("colsample_bynode", "lambda", "alpha", "sketch_eps", "scale_pos_weight", "rate_drop", "skip_drop"),
        *("lambda_bias", "tweedie_variance_power", "base_score", "aft_loss_distribution_scale"),
    }
)

TUNABLE: Final[dict[str, Tunable]] = {
    "alpha": Tunable("Continuous", 0, 1000),
    "colsample_bylevel": Tunable("Continuous", 0.1, 1),
    "colsample_bynode": Tunable("Continuous", 0.1, 1),
    "colsample_bytree": Tunable("Continuous", 0.5, 1),
    "eta": Tunable("Continuous", 0.1, 0.5),
    "gamma": Tunable("Continuous", 0, 5),
    "lambda": Tunable("Continuous", 0, 1000),
    "max_delta_step": Tunable("Integer", 0, 10),
    "max_depth": Tunable("Integer", 0, 10),
    "min_child_weight": Tunable("Continuous", 0, 120),
    "num_round": Tunable("Integer", 1, 4000),
    "subsample": Tunable("Continuous", 0.5, 1),
}
"""The tunable hyperparameters with the ranges that the developer guide recommends."""


def parse(given: Mapping[str, str]) -> dict[str, Any]:
    """Check the hyperparameters of a training job as the container does.

    Args:
        given: The names and values of CreateTrainingJob, all strings.

    Returns:
        The given values by name, without aliases and without defaults.

    Raises:
        HyperparameterError: A hyperparameter is missing, unknown or invalid, or needs another one.
    """
    texts = {ALIASES.get(name, name): text for name, text in given.items()}
    if "num_round" not in texts:
        raise HyperparameterError("Missing required hyperparameter: num_round")
    for name in texts:
        if name not in RULES:
            raise HyperparameterError(f"Extraneous hyperparameter found: {name}")
    values = {name: parse_value(name, text) for name, text in texts.items()}
    for check in (_check_objective, _check_updater, _check_metrics, _check_constraints):
        check(values)
    return values


def parse_value(name: str, text: str) -> Any:
    """Return the value of one hyperparameter, whose name is in ``RULES``.

    Raises:
        HyperparameterError: The value is invalid.
    """
    rule = RULES[name]
    try:
        value = rule.read(text)
    except HyperparameterError:
        raise
    except ValueError:
        raise HyperparameterError(f"Hyperparameter {name}: could not parse value (caused by ValueError)") from None
    if value is None and name in _LISTS:
        shown = text.split(",") if name in ("updater", "eval_metric") else text
        raise HyperparameterError(f"Hyperparameter {name}: value {shown} not in range {rule.valid}")
    if value is None:
        shown = str(float(text)) if name in _NUMBERS_WITH_FRACTION else text
        raise HyperparameterError(f"Hyperparameter {name}: {shown} is not in {rule.valid}")
    return value


def _check_objective(values: Mapping[str, Any]) -> None:
    if values.get("objective") in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise HyperparameterError("Require input for parameter 'num_class' for multi-classification")


def _check_updater(values: Mapping[str, Any]) -> None:
    updaters = values.get("updater", [])
    if not updaters:
        return
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in _LINEAR_UPDATERS:
            raise HyperparameterError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif values.get("process_type") == "update":
        if not set(updaters) <= {"refresh", "prune"}:
            raise HyperparameterError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif not set(updaters) <= set(_TREE_UPDATERS):
        options = ", ".join(f"'{name}'" for name in _TREE_UPDATERS)
        raise HyperparameterError(f"Tree updater should be selected from these options: {options}.")
    elif sum(name in _GROWING_UPDATERS for name in updaters) > 1:
        options = ", ".join(f"'{name}'" for name in _GROWING_UPDATERS)
        raise HyperparameterError(
            f"Only one tree grow plugin can be selected. Choose one from the following: {options}"
        )


def _check_metrics(values: Mapping[str, Any]) -> None:
    metrics = values.get("eval_metric", [])
    if not metrics:
        return
    objective = values.get("objective")
    if objective is None:
        # The container looks objective up without a default, and fails with a KeyError.
        raise HyperparameterError("Hyperparameter eval_metric: needs the hyperparameter 'objective'")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        raise HyperparameterError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in metrics and objective != "survival:aft":
        raise HyperparameterError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _check_constraints(values: Mapping[str, Any]) -> None:
    method = values.get("tree_method")
    if "monotone_constraints" in values and method not in ("exact", "hist"):
        raise HyperparameterError(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )
    if "interaction_constraints" in values and method not in ("exact", "hist", "approx"):
        raise HyperparameterError(
            "interaction_constraints can be used only when the tree_method parameter is set to either 'exact', "
            "'hist' or 'approx'."
        )
