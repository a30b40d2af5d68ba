"""SageMaker's built-in XGBoost.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html and
https://github.com/aws/sagemaker-xgboost-container
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from definition_language import xgboost as language
from definition_language.hyperparameters import Rule, Tunable
from definition_language.objectives import Problem
from pipeline.algorithms.algorithm import Algorithm, Task

_OBJECTIVES: Final[Mapping[Problem, tuple[str, ...]]] = {
    "regression": (
        *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:gamma", "reg:tweedie"),
        "count:poisson",
    ),
    # Others give labels or margins, and the evaluation needs probabilities.
    "binary": ("binary:logistic",),
    "multiclass": ("multi:softprob",),
}
"""The values of the hyperparameter ``objective`` that fit a problem, the default first."""

_REFUSED: Final = {
    "eval_metric": "is set by the pipeline to tuning.objective: remove it",
    "num_class": "is set by the pipeline: remove it",
    "csv_weights": "has no place: the folds' rows have no weights, and the first feature would be taken for one",
    "early_stopping_rounds": "would train another number of rounds in each fold, and the last round's metric would "
    "not be the model's: tune num_round",
    "_kfold": "has no place: the pipeline makes the folds",
    "_num_cv_round": "has no place: the pipeline makes the folds",
    "_tuning_objective_metric": "is set by SageMaker to tuning.objective: remove it",
}


def _rules(problem: Problem) -> Mapping[str, Rule]:
    allowed = _OBJECTIVES[problem]
    objective = Rule(allowed[0], f"one of {list(allowed)}", lambda text: text if text in allowed else None)
    rules = {name: replace(rule, valid=f"in {rule.valid}") for name, rule in language.RULES.items()}
    return {**rules, "objective": objective}


def _tunable(_: Problem) -> Mapping[str, Tunable]:
    return language.TUNABLE


def _fixed(task: Task, _: int | None) -> dict[str, str]:
    classes = {"num_class": str(task.classes)} if task.problem == "multiclass" else {}
    # SageMaker adds the metric to a tuning job's trainings, but not to that of all rows.
    return {"objective": _OBJECTIVES[task.problem][0], "eval_metric": task.metric, **classes}


def _name_fault(name: str, _: Problem) -> str | None:
    if name in _REFUSED:
        return _REFUSED[name]
    if name in language.ALIASES:
        return f"is another name of {language.ALIASES[name]}: use that"
    if name in language.RULES:
        return None
    close = difflib.get_close_matches(name, [*language.RULES], n=1)
    return "is not a hyperparameter of XGBoost" + (f"; did you mean {close[0]!r}?" if close else "")


def _check(task: Task, static: Mapping[str, str], tuned: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "num_round" not in {**static, **tuned}:
        yield "tuning", "XGBoost needs num_round, the number of trees: tune it, or add it to static_hyperparameters"
        return
    try:
        language.parse({**_fixed(task, None), **static, **tuned})
    except language.HyperparameterError as error:
        yield "tuning.static_hyperparameters", str(error)


ALGORITHM: Final = Algorithm(
    name="xgboost",
    title="XGBoost",
    framework="xgboost",
    repository="sagemaker-xgboost",
    # An older version loads a newer one's models without their base_score, silently, so the version is pinned.
    version="3.2-0",
    runs_programs=True,
    program_modules=("evaluation/xgboost_model.py",),
    is_linear=False,
    rules=_rules,
    tunable=_tunable,
    default_grid={"max_depth": (3, 6), "eta": (0.1, 0.3), "num_round": (30, 100, 300)},
    logarithmic=frozenset({"eta", "num_round", "alpha", "lambda"}),
    fixed=_fixed,
    follows_rows=(),
    least_rows=None,
    refit=lambda _: {},
    name_fault=_name_fault,
    value_hint=lambda _name, _value, _problem: "",
    check=_check,
    knows_constant=lambda task, _: task.metric not in ("mae", "mape", "rmsle"),
    early_stopping_fault=lambda _: (
        "Auto leaves points without a model on some folds, which cannot be compared with the others. Use Off"
    ),
    gives_probabilities=lambda _: True,
    content_types=("text/csv", "text/libsvm", "application/x-recordio-protobuf"),
    response_types=("text/csv", "application/json"),
    # JSON Lines needs a variable of the container. In batch transform each answer has a line, in any type.
    batch_accept="text/csv",
)
