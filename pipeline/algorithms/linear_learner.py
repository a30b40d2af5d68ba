"""SageMaker's linear-learner.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from definition_language import linear_learner as language
from definition_language.hyperparameters import Rule, Tunable
from definition_language.objectives import Problem
from pipeline.algorithms.algorithm import Algorithm, Task, Value

_PREDICTOR_TYPES: Final[Mapping[Problem, str]] = {
    "regression": language.REGRESSOR,
    "binary": language.BINARY,
    "multiclass": language.MULTICLASS,
}
_COMPUTED = ("feature_dim", "predictor_type", "num_classes", "num_models")

_MOST_SUGGESTED_EPOCHS = 100
"""The highest number of epochs that MakeFolds suggests."""


def _rules(problem: Problem) -> Mapping[str, Rule]:
    return language.RULES_BY_TYPE[_PREDICTOR_TYPES[problem]]


def _tunable(problem: Problem) -> Mapping[str, Tunable]:
    return {name: tunable for name, tunable in language.TUNABLE.items() if name in _rules(problem)}


def _fixed(task: Task, features: int | None) -> dict[str, str]:
    # If categories are found in the data, linear-learner counts the features itself: the default is auto.
    dimension = {} if features is None else {"feature_dim": str(features)}
    classes = {"num_classes": str(task.classes)} if task.problem == "multiclass" else {}
    # By default the most accurate epoch is kept, whose log loss can be far from the one that the job reports. Where the
    # objective is the loss, the epoch with the lowest loss is kept.
    is_by_loss = task.problem == "binary" and task.metric == "objective_loss"
    criterion = {"binary_classifier_model_selection_criteria": "loss_function"} if is_by_loss else {}
    return {**dimension, "predictor_type": _PREDICTOR_TYPES[task.problem], **classes, **criterion}


def _refit(static: Mapping[str, Value]) -> dict[str, str]:
    return {
        # In a tuning job SageMaker trains one model; elsewhere linear-learner searches by itself unless told not to.
        "num_models": "1",
        # The error on the training rows must not end the training earlier than in the folds.
        "early_stopping_patience": str(int(static.get("epochs", _MOST_SUGGESTED_EPOCHS)) + 1),
    }


def _name_fault(name: str, problem: Problem) -> str | None:
    if name in _COMPUTED:
        return "is set by the pipeline: remove it"
    predictor_type = _PREDICTOR_TYPES[problem]
    if name in language.IGNORED[predictor_type]:
        return f"has no effect, because predictor_type is {predictor_type}: remove it"
    # SageMaker has hyperparameters of its own, whose names begin with an underscore.
    if name in _rules(problem) or name.startswith("_"):
        return None
    if other := language.other_types(name, predictor_type):
        return f"is for {other}, and predictor_type is {predictor_type}"
    close = language.closest_name(name, predictor_type)
    return "is not a hyperparameter of linear-learner" + (f"; did you mean {close!r}?" if close else "")


def _value_hint(name: str, value: Any, problem: Problem) -> str:
    if name != "loss":
        return ""
    if problem == "regression":
        return "; it is a loss for classification" if value in language.CLASSIFICATION_LOSSES else ""
    return "; it is a loss for regression" if value in language.REGRESSION_LOSSES else ""


def _check(task: Task, static: Mapping[str, str], tuned: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    rules = _rules(task.problem)
    values = {name: rule.parse(rule.default) for name, rule in rules.items() if rule.default}
    values |= {name: rules[name].parse(text) for name, text in {**tuned, **static}.items() if name in rules}
    for name in language.unbiased_without_bias(values):
        yield f"tuning.static_hyperparameters.{name}", "true needs use_bias: true"


def _knows_constant(task: Task, static: Mapping[str, Value]) -> bool:
    if task.metric == "objective_loss":
        weighted = "positive_example_weight_mult" in static or "balance_multiclass_weights" in static
        return not weighted and static.get("loss", "auto") in ("auto", "logistic", "softmax_loss")
    if task.metric in ("binary_f_beta", "macro_f_beta"):
        return float(static.get("f_beta", 1)) == 1
    return task.metric not in ("absolute_loss", "multiclass_top_k_accuracy", "dcg")


def _early_stopping_fault(objective: str) -> str:
    """Return why early stopping is refused.

    Source: SageMaker's developer guide, "Stop Training Jobs Early", the list of supported algorithms.
    """
    if objective == "validation:objective_loss":
        return "Auto leaves points without an error on some folds, which cannot be compared with the others. Use Off"
    return (
        "Auto has no effect: SageMaker stops training jobs of linear-learner early only if the objective is "
        f"objective_loss, and the pipeline's objective is {objective}. Use Off"
    )


ALGORITHM: Final = Algorithm(
    name="linear-learner",
    title="linear-learner",
    framework="linear-learner",
    repository="linear-learner",
    version=None,
    runs_programs=False,
    program_modules=(),
    is_linear=True,
    rules=_rules,
    tunable=_tunable,
    default_grid={"learning_rate": (0.0001, 0.001, 0.01, 0.1), "l1": (0.001, 0.01, 0.1)},
    logarithmic=frozenset({"learning_rate", "l1", "wd", "positive_example_weight_mult"}),
    fixed=_fixed,
    # With linear-learner's own defaults, a thousand rows a batch and 15 epochs, small datasets are hardly trained.
    follows_rows=("mini_batch_size", "epochs"),
    least_rows="mini_batch_size",
    refit=_refit,
    name_fault=_name_fault,
    value_hint=_value_hint,
    check=_check,
    knows_constant=_knows_constant,
    early_stopping_fault=_early_stopping_fault,
    gives_probabilities=lambda static: static.get("loss") != "hinge_loss",
    content_types=("text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf"),
    response_types=("application/json", "application/jsonlines", "application/x-recordio-protobuf"),
    # It does not answer in CSV: https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html
    batch_accept="application/jsonlines",
)
