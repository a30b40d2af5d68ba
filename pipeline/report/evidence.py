"""Reads what an execution left in S3, CloudWatch Logs and SageMaker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.algorithms.table import of_best
from pipeline.operate.execution import ExecutionState
from pipeline.operate.objective import objective_of
from pipeline.operate.results import Results, job_outputs
from pipeline.report.class_predictions import ClassPredictions, read_class_predictions
from pipeline.report.losses import Losses, read_losses, read_rounds
from pipeline.report.parts import MissingError, Part
from pipeline.report.predictions import Predictions, read_predictions
from pipeline.report.stored import read_object

if TYPE_CHECKING:
    from boto3 import Session

Rows = list[dict[str, Any]]

_THREADS = 16


@dataclass(frozen=True)
class Evidence:
    """All that the page shows.

    Attributes:
        state: the execution.
        started: when the execution started.
        ended: when its state last changed.
        results: the choice, the points, the model and the endpoint.
        folds: ``folds.json``.
        coefficients: ``coefficients.json``, the largest effect first.
        importance: ``importance.json``, the most important variable first.
        deviations: the standard deviations of the label, on the scale of the models' predictions, and of the features.
        predictions: rows with the predictions of models that did not see them, of a number.
        losses: the loss of the chosen training jobs by epoch.
        tables: ``classification.json``: tables and curves of the predictions of classes.
        class_predictions: rows with these predictions.
        shap: ``shap.json``.
    """

    state: ExecutionState
    started: datetime
    ended: datetime
    results: Results
    folds: Part[dict[str, Any]]
    coefficients: Part[Rows]
    importance: Part[Rows]
    deviations: Part[list[float]]
    predictions: Part[Predictions]
    losses: Part[Losses]
    tables: Part[dict[str, Any]]
    class_predictions: Part[ClassPredictions]
    shap: Part[dict[str, Any]]


def read_evidence(session: Session, state: ExecutionState, results: Results) -> Evidence:
    """Read what an execution left. A part that is missing says why.

    Args:
        session: a ``boto3.Session`` of the account.
        state: the execution.
        results: its results.
    """
    described = session.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=state.arn)
    reader = _Reader(session, state, results)
    with ThreadPoolExecutor(_THREADS) as pool:
        folds = pool.submit(Part.of, reader.folds)
        coefficients = pool.submit(Part.of, lambda: reader.of_models("coefficients.json"))
        importance = pool.submit(Part.of, lambda: reader.of_models("importance.json"))
        deviations = pool.submit(Part.of, reader.deviations)
        predictions = pool.submit(Part.of, reader.predictions)
        losses = pool.submit(Part.of, reader.losses)
        tables = pool.submit(Part.of, reader.tables)
        class_predictions = pool.submit(Part.of, reader.class_predictions)
        shap = pool.submit(Part.of, reader.shap)
    return Evidence(
        state=state,
        started=described["CreationTime"],
        ended=described["LastModifiedTime"],
        results=results,
        folds=folds.result(),
        coefficients=coefficients.result(),
        importance=importance.result(),
        deviations=deviations.result(),
        predictions=predictions.result(),
        losses=losses.result(),
        tables=tables.result(),
        class_predictions=class_predictions.result(),
        shap=shap.result(),
    )


class _Reader:
    """Reads the parts; all methods raise MissingError or botocore's ClientError."""

    def __init__(self, session: Session, state: ExecutionState, results: Results) -> None:
        # Clients may be used by several threads, but a session may not.
        self._s3, self._logs = session.client("s3"), session.client("logs")
        self._sagemaker = session.client("sagemaker")
        self._best = results.best
        # What MakeFolds wrote is needed only if SelectBest, which copies it, has not succeeded.
        self._made = {} if results.best else Part.of(lambda: job_outputs(session, state, "MakeFolds")).value or {}
        self._selected = job_outputs(session, state, "SelectBest")

    def folds(self) -> dict[str, Any]:
        if self._best is not None:
            return self._document(self._selected, "best", "folds.json")  # type: ignore[no-any-return]
        if not self._made:
            raise MissingError("MakeFolds has not succeeded, or its job was deleted: nothing is known about the rows.")
        return self._document(self._made, "folds", "folds.json")  # type: ignore[no-any-return]

    def of_models(self, name: str) -> Rows:
        self._require_models()
        return self._document(self._selected, "evaluation", name)  # type: ignore[no-any-return]

    def deviations(self) -> list[float]:
        described = self._document(self._selected, "evaluation", "statistics.json")
        return [column["numerical_statistics"]["std_dev"] for column in described["features"]]

    def predictions(self) -> Predictions:
        best = self._require_models()
        if best.get("classes"):
            raise MissingError("The label is a class.")
        return read_predictions(self._s3, self._out_of_fold, best["out_of_fold"]["rows"])

    def tables(self) -> dict[str, Any]:
        self._require_classes()
        return self._document(self._selected, "evaluation", "classification.json")  # type: ignore[no-any-return]

    def class_predictions(self) -> ClassPredictions:
        best = self._require_classes()
        return read_class_predictions(self._s3, self._out_of_fold, best["out_of_fold"]["rows"])

    def shap(self) -> dict[str, Any]:
        self._require_models()
        found = self._document(self._selected, "evaluation", "shap.json")
        if "missing" in found:
            raise MissingError(f"There are no SHAP values: {found['missing']}.")
        return found  # type: ignore[no-any-return]

    def losses(self) -> Losses:
        best = self._require_best()
        jobs = {fold: name for fold, name in enumerate(best["training_jobs"], start=1) if name}
        if not of_best(best).is_linear:
            return read_rounds(self._logs, jobs, objective_of(best).column)
        return read_losses(self._sagemaker, self._logs, jobs, self.deviations()[0])

    @property
    def _out_of_fold(self) -> str:
        return _uri(self._selected, "evaluation", "out_of_fold.csv")

    def _require_classes(self) -> dict[str, Any]:
        best = self._require_models()
        if not best.get("classes"):
            raise MissingError("The label is a number.")
        return best

    def _require_best(self) -> dict[str, Any]:
        if self._best is None:
            raise MissingError("SelectBest has not succeeded, so no hyperparameters are chosen.")
        return self._best

    def _require_models(self) -> dict[str, Any]:
        best = self._require_best()
        if "missing" in best["out_of_fold"]:
            raise MissingError(f"There are no predictions out of fold: {best['out_of_fold']['missing']}.")
        return best

    def _document(self, outputs: Mapping[str, str], output: str, name: str) -> Any:
        return json.loads(read_object(self._s3, _uri(outputs, output, name)))


def _uri(outputs: Mapping[str, str], output: str, name: str) -> str:
    if output not in outputs:
        raise MissingError(f"The step that writes {name} has not succeeded.")
    return f"{outputs[output].rstrip('/')}/{name}"
