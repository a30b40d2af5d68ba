"""Reads what the cross-validation of an execution found, from what its steps left in S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError

from pipeline.operate.execution import ExecutionState
from pipeline.operate.execution import StepState as OperatedStep
from pipeline.operate.objective import (
    METRIC_TITLES,
    ObjectiveMetric,
    baselines_of,
    fold_values_of,
    objective_of,
    value_of,
)
from pipeline.operate.results import RejectedRows, Results, ResultsDeletedError, results_of
from studio.aws import Aws
from studio.definitions import Document
from studio.executions import Execution
from studio.faults import fault_of

SELECTION = "SelectBest"
"""The step that leaves the results."""


@dataclass(frozen=True)
class Point:
    """A combination of hyperparameters that was tried.

    Attributes:
        hyperparameters: its values by name.
        rank: its place by mean, from 1; None if it has no value on some fold.
        mean: the mean of the folds' values, weighted by their rows.
        folds: the value on each fold; None where a training job has none.
        chosen: whether the final model has these hyperparameters.
        reason: why it has no rank.
    """

    hyperparameters: Mapping[str, str]
    rank: int | None
    mean: float | None
    folds: tuple[float | None, ...]
    chosen: bool
    reason: str


@dataclass(frozen=True)
class Evaluation:
    """The choice of an execution, and how good it is, in the metric that its tuning jobs optimised.

    Attributes:
        metric: the metric.
        classes: the label's classes; empty if it is a number.
        rule: the rule of the choice.
        hyperparameters: the chosen ones.
        value: the estimate; after a Bayesian search, the winner's value on its own fold.
        low: the lower end of the approximate 95 % interval; None if only one fold's value is known.
        high: its upper end.
        fold_values: the values of the chosen hyperparameters on the folds; empty if they are not known.
        fold_rows: the rows that each fold holds out.
        baselines: values on the same folds of models without tuning, by name.
        metrics: out-of-fold metrics by name; empty if there are no predictions.
        no_metrics: why there are none.
        label_transform: how the label was transformed for training, such as log1p; empty if it was not.
        data_version: the version of the data.
        warnings: what to know before relying on it.
        points: what was tried, the best first.
        training_job: the job of the final model; empty if it is not known.
        fold: the fold whose model was chosen; None if a model was trained on all rows.
        rejected_rows: the rows that were set aside, and why; None if there are none.
        model_package: the model package's ARN; empty if there is none.
        package_deleted: whether it does not exist any more.
        endpoint: the endpoint's name; empty if there is none.
        endpoint_state: whether it was deployed and verified.
    """

    metric: ObjectiveMetric
    classes: tuple[str, ...]
    rule: str
    hyperparameters: Mapping[str, str]
    value: float
    low: float | None
    high: float | None
    fold_values: tuple[float, ...]
    fold_rows: tuple[int, ...]
    baselines: Mapping[str, float]
    metrics: Mapping[str, float]
    no_metrics: str
    label_transform: str
    data_version: str
    warnings: tuple[str, ...]
    points: tuple[Point, ...]
    training_job: str
    fold: int | None
    rejected_rows: RejectedRows | None
    model_package: str
    package_deleted: bool
    endpoint: str
    endpoint_state: str

    @property
    def rows(self) -> int:
        """The rows of all folds."""
        return sum(self.fold_rows)


@dataclass(frozen=True)
class Finding:
    """The results of an execution, or why there are none.

    Attributes:
        evaluation: the results; None if there are none.
        missing: why, as a sentence; empty if there are some.
    """

    evaluation: Evaluation | None
    missing: str = ""


class NoResultsError(Exception):
    """An execution has no results. The message is a sentence that says why."""


def read_results(aws: Aws, execution: Execution) -> Finding:
    """Read the results of an execution. It is at most ten calls."""
    try:
        with only_sentences():
            _, found = collect(aws, execution)
            return Finding(_evaluation(found, found.best or {}))
    except NoResultsError as error:
        return Finding(None, str(error))


def collect(aws: Aws, execution: Execution) -> tuple[ExecutionState, Results]:
    """Read the results as make report does.

    Raises:
        NoResultsError: there are none, or none any more.
    """
    if SELECTION not in execution.steps:
        raise NoResultsError(f"The pipeline has no step {SELECTION}: Studio knows the results of this project's only.")
    status = execution.steps[SELECTION].status
    if status != "Succeeded":
        raise NoResultsError(f"There are no results{'' if execution.ended else ' yet'}: {SELECTION} is {status}.")
    state = _state(execution)
    # Of a session, it needs the clients only.
    found = results_of(cast("Any", aws), state)
    if found.best is None:
        raise NoResultsError("There are no results any more: AWS does not say which job wrote them.")
    return state, found


@contextmanager
def only_sentences() -> Iterator[None]:
    """Turn all that reading results may raise into a NoResultsError."""
    try:
        yield
    except ResultsDeletedError as error:
        raise NoResultsError(f"There are no results any more. {error}") from error
    except ClientError as error:
        raise NoResultsError(f"The results cannot be read from AWS. {fault_of(error).sentence}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        sentence = f"The results were written by another version of this project, or changed: {error!r}."
        raise NoResultsError(sentence) from error


def _state(execution: Execution) -> ExecutionState:
    steps = [
        OperatedStep(step.name, step.status, step.seconds or 0.0, "", cast("Any", step.metadata))
        for step in execution.steps.values()
        if step.start is not None
    ]
    arn, failure = execution.record["PipelineExecutionArn"], execution.record.get("FailureReason", "")
    return ExecutionState(arn, execution.status, failure, steps)


def _evaluation(found: Results, best: Document) -> Evaluation:
    estimate, scored, metric = best["estimate"], best["out_of_fold"], objective_of(best)
    return Evaluation(
        metric=metric,
        classes=tuple(best.get("classes") or ()),
        rule=best["rule"],
        hyperparameters=_texts(best["hyperparameters"]),
        value=float(value_of(estimate)),
        low=estimate["low"],
        high=estimate["high"],
        fold_values=tuple(fold_values_of(estimate)),
        fold_rows=tuple(best["fold_rows"]),
        baselines=baselines_of(best),
        metrics=_metrics(scored, metric),
        no_metrics=str(scored.get("missing", "")),
        label_transform=best.get("label_transform") or "",
        data_version=str(best.get("metadata", {}).get("data_version", "")),
        warnings=tuple(best["warnings"]),
        points=tuple(_point(each, metric) for each in found.cv_results),
        training_job=best["training_job_name"] or (found.refit.training_job if found.refit else ""),
        fold=best["fold"],
        rejected_rows=found.rejected_rows,
        model_package=found.model_package_arn or "",
        package_deleted=found.model_package_deleted,
        endpoint=found.endpoint_name or "",
        endpoint_state=found.endpoint_state,
    )


def _metrics(scored: Document, metric: ObjectiveMetric) -> dict[str, float]:
    """Return the metrics of the predictions out of fold. Their MSE is the estimate itself, if that is an MSE."""
    known = {name: scored[name] for name in METRIC_TITLES if scored.get(name) is not None}
    return {METRIC_TITLES[name]: value for name, value in known.items() if not name == "mse" == metric.column}


def _point(row: Document, metric: ObjectiveMetric) -> Point:
    return Point(
        hyperparameters=_texts(row["params"]),
        rank=row[f"rank_test_{metric.column}"],
        mean=row[f"mean_test_{metric.column}"],
        folds=tuple(value for name, value in row.items() if name.startswith("split")),
        chosen=bool(row["chosen"]),
        reason=row["ineligible"] or "",
    )


def _texts(values: Document) -> dict[str, str]:
    return {name: str(value) for name, value in sorted(values.items())}
