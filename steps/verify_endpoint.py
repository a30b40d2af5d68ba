"""Verifies that the endpoint serves the selected model.

Waits until the endpoint is in service, and sends it the held-out rows of the winning fold; for a model that was
refitted on all rows, rows of all folds. It compares the scores with the predictions of the model's artifact, and their
error with the training job's. Runs as a processing job in SageMaker's scikit-learn container, packed with the package
``evaluation`` into one archive that Python runs. It needs boto3 and numpy.

If an endpoint fails, this job still succeeds: it writes the result, and the pipeline rolls the endpoint back.

Output: <verification>/verification.json, with ``outcome``, one of ``Verified``, ``Failed``, ``Superseded`` (another
deployment has taken its place), ``Deferred`` (the model waits until the endpoint is free), ``AwaitingApproval`` and
``Rejected``; ``message``, a sentence; and the numbers.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from botocore.exceptions import ClientError
from evaluation.class_sums import row_log_loss
from evaluation.clients import aws_clients
from evaluation.endpoint_wait import SupersededError, VerificationError, wait_until_in_service
from evaluation.errors import NoRegionError
from evaluation.metrics import BINARY, MULTICLASS, REGRESSION
from evaluation.models import LINEAR_LEARNER, Model, predicted_classes, read_model, threshold_of
from evaluation.rows import Numbers, fold_lines

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

NOT_DEPLOYED = ("AwaitingApproval", "Deferred", "Rejected", "Superseded")
MAX_REQUEST_BYTES = 4 * 1024 * 1024
"""Below the endpoint's limit of 6 MiB, because answers may be longer than requests."""

MAX_ROWS = 200_000
"""The maximum number of rows to send. Of more rows every n-th is sent, and the uncertainty is allowed for.

Not the first ones: if the folds follow the order of a sorted file, those have an error of their own."""

SINGLE_PRECISION = 1e-4
"""The allowed difference between a score and the artifact's, relative to ``Model.scale``: of a linear model, to the sum
of the terms' absolute values. Both are computed with 32-bit floats, but in different order."""

VERIFIED = {REGRESSION: "mse", BINARY: "logloss", MULTICLASS: "mlogloss"}
"""The mean over the rows that is compared with the training job's, by problem."""

NO_ANSWER = ("ModelError", "ModelNotReadyException", "InternalFailure", "ServiceUnavailable")
"""Errors of InvokeEndpoint that the endpoint causes. Others come from the network or from permissions."""

MAX_CHANGES = 5
"""How often verification starts anew because the endpoint was changed meanwhile."""


def requests(rows: Iterable[bytes]) -> Iterator[tuple[list[float], bytes]]:
    """Yield the labels and the body of each request; the body contains the rows without their labels."""
    labels: list[float] = []
    lines: list[bytes] = []
    size = 0
    for row in rows:
        label, _, features = row.partition(b",")
        if size + len(features) > MAX_REQUEST_BYTES:
            yield labels, b"\n".join(lines)
            labels, lines, size = [], [], 0
        labels.append(float(label))
        lines.append(features)
        size += len(features) + 1
    if labels:
        yield labels, b"\n".join(lines)


@dataclass
class Answers:
    """The differences between the endpoint's scores, the labels and the artifact's predictions.

    Attributes:
        problem: ``regression``, ``binary`` or ``multiclass``.
        classes: the number of classes; 0 for regression.
        errors: the loss of each row's score: squared error, or log loss.
        artifact_errors: the same of each row's prediction by the artifact.
        largest_difference: the largest relative difference between a score and the artifact's prediction.
        different_labels: the rows whose predicted label is not the artifact's, though their score is not so near to
            the threshold that rounding explains it.
    """

    problem: str = REGRESSION
    classes: int = 0
    errors: list[float] = field(default_factory=list)
    artifact_errors: list[float] = field(default_factory=list)
    largest_difference: float = 0.0
    different_labels: int = 0

    @property
    def metric(self) -> str:
        """The name of the mean loss."""
        return VERIFIED[self.problem]

    def add(self, labels: list[float], body: bytes, predictions: list[dict[str, Any]], model: Model | None) -> None:
        """Add the rows of one request and the endpoint's answer about them.

        Raises:
            VerificationError: a score is not a finite number, or not one for each class.
        """
        try:
            scores = np.array([prediction["score"] for prediction in predictions], np.float64)
        except (TypeError, ValueError, KeyError):
            scores = np.empty(0)
        own = np.array(labels)
        if scores.shape != ((len(labels), self.classes) if self.problem == MULTICLASS else (len(labels),)):
            wanted = f"{self.classes} scores" if self.problem == MULTICLASS else "one score"
            raise VerificationError(f"the endpoint did not answer every row with {wanted}")
        if not np.isfinite(scores).all():
            raise VerificationError("the endpoint answered with a score that is not a finite number")
        self.errors += self._losses(own, scores)
        if model is None:
            return
        features = np.array(body.replace(b"\n", b",").split(b","), dtype=np.float64).reshape(len(labels), -1)
        predicted = model.predict(features)
        if predicted.shape != scores.shape:
            raise VerificationError(f"the artifact predicts {predicted.shape[1:]} for a row, not {scores.shape[1:]}")
        self.artifact_errors += self._losses(own, predicted)
        differences = np.abs(scores - predicted).reshape(len(labels), -1).max(axis=1)
        scale = np.maximum(model.scale(features), np.finfo(np.float32).tiny)
        self.largest_difference = max(self.largest_difference, float((differences / scale).max()))
        answered = [prediction.get("predicted_label") for prediction in predictions]
        if self.problem != REGRESSION and None not in answered:
            self._compare_labels(np.array(answered, np.float64), model, predicted, SINGLE_PRECISION * scale)

    def _compare_labels(self, answered: Numbers, model: Model, predicted: Numbers, rounding: Numbers) -> None:
        different = answered != predicted_classes(model, predicted)
        if predicted.ndim == 1:
            margin = np.abs(predicted - threshold_of(model))
        else:
            highest = np.sort(predicted, axis=1)
            margin = highest[:, -1] - highest[:, -2]
        self.different_labels += int(np.count_nonzero(different & (margin > rounding)))

    def _losses(self, labels: Numbers, scores: Numbers) -> list[float]:
        if self.problem == REGRESSION:
            return [float(loss) for loss in (scores - labels) ** 2]
        return [float(loss) for loss in row_log_loss(labels, scores)]


def ask(
    runtime: SageMakerRuntimeClient,
    endpoint: str,
    rows: Iterable[bytes],
    model: Model | None = None,
    answers: Answers | None = None,
) -> Answers:
    """Send rows to the endpoint and collect its scores.

    linear-learner answers ``{"predictions": [{"score": s, "predicted_label": c}]}`` (the label for classes only), and
    XGBoost ``{"predictions": [{"score": s}]}``; of more than two classes, the score is a list.

    Raises:
        VerificationError: the endpoint returned an error, a wrong number of scores, or a score that is not finite.
    """
    answers = answers or Answers()
    for labels, body in requests(rows):
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint, ContentType="text/csv", Accept="application/json", Body=body
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_ANSWER:
                raise
            raise VerificationError(f"{endpoint} did not answer: {error}") from error
        predictions = json.loads(answer["Body"].read())["predictions"]
        if len(predictions) != len(labels):
            raise VerificationError(f"{endpoint} answered {len(labels)} rows with {len(predictions)} scores")
        answers.add(labels, body, predictions, model)
    return answers


def compare(
    errors: list[float], expected: float | None, tolerance: float, *, sampled: bool = False, metric: str = "mse"
) -> dict[str, Any]:
    """Compare a mean loss with the training job's.

    Args:
        errors: the loss of each row.
        expected: the mean loss that the training job reported; None if it reported another metric.
        tolerance: the allowed relative difference.
        sampled: whether the rows are a sample of those that the training job scored.
        metric: the name of the mean loss.

    Raises:
        VerificationError: there were no rows, the difference is larger, or there is nothing to compare with.
    """
    if not errors:
        raise VerificationError("the folds have no rows to send")
    mean = statistics.fmean(errors)
    if expected is None:
        result: dict[str, Any] = {"rows": len(errors), "metric": metric, metric: mean}
        raise VerificationError(
            f"the endpoint cannot be verified: its artifact was not read, and the training job reported no {metric}",
            result,
        )
    allowed = tolerance * expected
    if sampled:
        allowed += 5 * statistics.stdev(errors) / math.sqrt(len(errors))
    result = {"rows": len(errors), "metric": metric, metric: mean}
    result |= {f"training_job_{metric}": expected, "tolerance": allowed}
    if not abs(mean - expected) <= allowed:
        raise VerificationError(
            f"the endpoint's error on held-out rows is not the training job's: {json.dumps(result)}", result
        )
    return result


def judge(answers: Answers, expected: float | None, tolerance: float, *, sampled: bool = False) -> dict[str, Any]:
    """Decide whether the endpoint serves the model; the arguments are those of ``compare``.

    Scores and labels that are the artifact's own prove it, whatever the error is. Others disprove it, if the artifact
    is read rightly: its own predictions have the training job's error. Otherwise the error decides.

    Raises:
        VerificationError: it does not.
    """
    metric = answers.metric
    if not answers.artifact_errors:
        return compare(answers.errors, expected, tolerance, sampled=sampled, metric=metric)
    numbers = {
        "rows": len(answers.errors),
        "metric": metric,
        metric: statistics.fmean(answers.errors),
        f"training_job_{metric}": expected,
        f"artifact_{metric}": statistics.fmean(answers.artifact_errors),
        "largest_difference": answers.largest_difference,
    }
    if answers.problem != REGRESSION:
        numbers["different_labels"] = answers.different_labels
    if answers.largest_difference <= SINGLE_PRECISION and not answers.different_labels:
        return numbers
    if expected is not None:
        try:
            compare(answers.artifact_errors, expected, tolerance, sampled=sampled, metric=metric)
        except VerificationError:
            return numbers | compare(answers.errors, expected, tolerance, sampled=sampled, metric=metric)
    what = "scores" if answers.largest_difference > SINGLE_PRECISION else "predicted labels"
    raise VerificationError(f"the endpoint's {what} are not those of the model: {json.dumps(numbers)}", numbers)


def verify(options: argparse.Namespace) -> dict[str, Any]:
    """Verify the endpoint and return the result; nothing is verified if nothing was deployed."""
    status = options.deployment_status
    if status in NOT_DEPLOYED:
        return {"outcome": status, "verified": False, "message": f"nothing was deployed: {status}"}
    best = json.loads((options.best / "best.json").read_text("utf-8"))
    try:
        model = read_model((options.model or options.best) / "model.tar.gz", best.get("algorithm", LINEAR_LEARNER))
    except ValueError as error:
        print(f"the artifact was not read, so the error alone decides: {error}")
        model = None
    folds = [best["fold"]] if best["fold"] else list(range(1, len(best["fold_rows"]) + 1))
    every = math.ceil(sum(best["fold_rows"][fold - 1] for fold in folds) / MAX_ROWS)
    problem, classes = best.get("problem", REGRESSION), len(best.get("classes") or [])
    expected = _expected(best, VERIFIED[problem], options.expected_value)
    clients = aws_clients()

    def rows() -> Iterable[bytes]:
        return fold_lines(clients.s3, options.folds_uri, folds, every)

    def ask_and_judge() -> dict[str, Any]:
        answers = ask(clients.runtime, options.endpoint_name, rows(), model, Answers(problem, classes))
        return judge(answers, expected, options.tolerance, sampled=every > 1)

    try:
        numbers = _while_unchanged(clients.sagemaker, options, ask_and_judge)
    except SupersededError as superseded:
        return {"outcome": "Superseded", "verified": False, "message": str(superseded)}
    except VerificationError as failure:
        return {"outcome": "Failed", "verified": False, "message": str(failure), **failure.numbers}
    return {"outcome": "Verified", "verified": True, "message": "the endpoint serves the model", **numbers}


def _expected(best: dict[str, Any], metric: str, refitted: float | None) -> float | None:
    """Return the mean loss that the model's training job reported, or None if it reported other metrics only.

    Args:
        best: the content of best.json.
        metric: the name of the loss.
        refitted: the objective that a refitted model's training job reported; None without one.
    """
    is_objective = best.get("metric", {}).get("computed", "mse") == metric
    if refitted is not None:
        return refitted if is_objective else None
    if is_objective:
        value = best["training_job_mse"] if metric == "mse" else best["training_job_value"]
    else:
        value = best.get("metrics", {}).get(f"validation:{metric}")
    return None if value is None else float(value)


def _while_unchanged(
    sagemaker: SageMakerClient, options: argparse.Namespace, verdict: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return the verdict on an endpoint. If the endpoint was changed meanwhile, a failure says nothing: start anew.

    Raises:
        VerificationError: the endpoint failed, was rolled back, or does not serve the model.
        SupersededError: the endpoint serves what another call deployed later.
    """
    names = options.endpoint_name, options.endpoint_config_name, options.replaced_config_name
    for _ in range(MAX_CHANGES):
        changed = wait_until_in_service(sagemaker, *names)
        try:
            return verdict()
        except VerificationError as error:
            failure = error
        now = sagemaker.describe_endpoint(EndpointName=options.endpoint_name)
        if now["EndpointStatus"] == "InService" and now.get("LastModifiedTime") == changed:
            break
    raise failure


def main(arguments: list[str] | None = None) -> None:
    """Verify the endpoint and write the output."""
    parser = argparse.ArgumentParser(description="See that the endpoint serves the model that was selected.")
    parser.add_argument("--endpoint-name", required=True)
    parser.add_argument("--endpoint-config-name", required=True, help="the configuration that it should serve")
    parser.add_argument("--replaced-config-name", required=True, help="the configuration that it served before")
    parser.add_argument("--deployment-status", required=True, help="what the deploying function said")
    parser.add_argument("--tolerance", required=True, type=float, help="allowed relative difference of the error")
    parser.add_argument(
        "--best", required=True, type=Path, help="folder with best.json, and model.tar.gz if it has one"
    )
    parser.add_argument("--model", type=Path, help="folder with the model.tar.gz of a refitted model")
    parser.add_argument(
        "--expected-value",
        "--expected-mse",
        type=float,
        help="objective that a refitted model's training job reported",
    )
    parser.add_argument("--folds-uri", required=True, help="where the folds are in S3")
    parser.add_argument("--verification", required=True, type=Path, help="folder for the output")
    options = parser.parse_args(arguments)
    result = verify(options)
    options.verification.mkdir(parents=True, exist_ok=True)
    (options.verification / "verification.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    try:
        main()
    except (VerificationError, NoRegionError) as error:
        sys.exit(f"verify_endpoint: error: {error}")
