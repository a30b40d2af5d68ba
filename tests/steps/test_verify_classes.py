"""VerifyEndpoint on classifiers: scores and labels in both algorithms' answers."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import verify_endpoint
from evaluation.endpoint_wait import VerificationError
from evaluation.linear_model import LinearClassifier
from verify_endpoint import Answers, judge

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(120, 2))
BINARY = LinearClassifier(np.array([1.5, -0.5]), np.array(0.2), threshold=0.4)
MULTI = LinearClassifier(RANDOM.normal(size=(3, 2)), RANDOM.normal(size=3), b"SoftmaxOutput")


def rows_of(labels: np.ndarray) -> list[bytes]:
    table = zip(labels.tolist(), FEATURES.tolist(), strict=True)
    return [",".join(map(repr, [label, *row])).encode() for label, row in table]


LABELS = {
    "binary": (RANDOM.random(120) < BINARY.predict(FEATURES)).astype(float),
    "multiclass": MULTI.predict(FEATURES).argmax(axis=1).astype(float),
}
MODELS = {"binary": BINARY, "multiclass": MULTI}
CLASSES = {"binary": 2, "multiclass": 3}


class Runtime:
    """An endpoint that serves a classifier and answers as linear-learner does, or as XGBoost."""

    def __init__(self, model: LinearClassifier, *, has_labels: bool, threshold: float = 0.4) -> None:
        self.model, self.has_labels, self.threshold = model, has_labels, threshold

    def invoke_endpoint(self, Body: bytes, Accept: str, **_: object) -> dict[str, Any]:
        assert Accept == "application/json"
        scores = self.model.predict(np.loadtxt(io.BytesIO(Body), delimiter=",", ndmin=2)).astype(np.float32)
        labels = scores.argmax(axis=1) if scores.ndim > 1 else (scores >= self.threshold).astype(int)
        predictions: list[dict[str, Any]] = [{"score": score} for score in scores.astype(float).tolist()]
        if self.has_labels:
            for prediction, label in zip(predictions, labels.tolist(), strict=True):
                prediction["predicted_label"] = label
        return {"Body": io.BytesIO(json.dumps({"predictions": predictions}).encode())}


def asked(problem: str, served: LinearClassifier, *, has_labels: bool = True, artifact=True, **more: Any) -> Answers:
    runtime = cast("SageMakerRuntimeClient", Runtime(served, has_labels=has_labels, **more))
    model = MODELS[problem] if artifact else None
    answers = Answers(problem, CLASSES[problem])
    return verify_endpoint.ask(runtime, "e", rows_of(LABELS[problem]), model, answers)


def log_loss(problem: str) -> float:
    predictions, labels = MODELS[problem].predict(FEATURES), LABELS[problem].astype(int)
    own = predictions[np.arange(120), labels] if problem == "multiclass" else np.abs(1 - labels - predictions)
    return float(-np.log(own).mean())


@pytest.mark.parametrize("has_labels", [True, False])
@pytest.mark.parametrize(("problem", "metric"), [("binary", "logloss"), ("multiclass", "mlogloss")])
def test_scores_that_are_the_artifacts_prove_the_model(problem, metric, has_labels) -> None:
    numbers = judge(asked(problem, MODELS[problem], has_labels=has_labels), None, 0.3)
    assert (numbers["rows"], numbers["metric"], numbers["different_labels"]) == (120, metric, 0)
    assert numbers[metric] == pytest.approx(log_loss(problem), rel=1e-5)
    assert numbers[f"training_job_{metric}"] is None


@pytest.mark.parametrize("problem", ["binary", "multiclass"])
def test_a_neighbouring_model_is_refused(problem) -> None:
    own = MODELS[problem]
    other = LinearClassifier(own.weights * 1.02, own.bias, own.output, own.threshold)
    with pytest.raises(VerificationError, match="scores are not those of the model"):
        judge(asked(problem, other), log_loss(problem), 0.3)


def test_labels_by_another_threshold_are_refused() -> None:
    with pytest.raises(VerificationError, match="predicted labels are not those of the model") as failure:
        judge(asked("binary", BINARY, threshold=0.6), log_loss("binary"), 0.3)
    scores = BINARY.predict(FEATURES)
    assert failure.value.numbers["different_labels"] == np.sum((scores >= 0.4) & (scores < 0.6))


def test_a_label_that_rounding_explains_is_no_difference() -> None:
    answers = Answers("binary", 2)
    edge = LinearClassifier(np.array([1.0]), np.array(0.0), threshold=0.5)
    answers.add([1.0], b"0.000001", [{"score": 0.5, "predicted_label": 0}], edge)
    assert judge(answers, None, 0.3)["different_labels"] == 0


def test_without_an_artifact_the_log_loss_decides() -> None:
    answers = asked("binary", BINARY, artifact=False)
    reported = log_loss("binary") * 1.01
    assert judge(answers, reported, 0.05)["training_job_logloss"] == reported
    with pytest.raises(VerificationError, match="is not the training job's"):
        judge(answers, log_loss("binary") * 2, 0.3)
    with pytest.raises(VerificationError, match=r"cannot be verified: .* reported no logloss"):
        judge(answers, None, 0.3)


@pytest.mark.parametrize(
    ("problem", "score", "message"),
    [
        ("binary", [0.4, 0.6], "did not answer every row with one score"),
        ("multiclass", 0.5, "did not answer every row with 3 scores"),
        ("multiclass", [0.5, 0.5], "did not answer every row with 3 scores"),
        ("multiclass", [0.5, 0.5, float("nan")], "not a finite number"),
        ("binary", "much", "did not answer every row with one score"),
    ],
)
def test_an_answer_of_another_form_is_refused(problem, score, message) -> None:
    with pytest.raises(VerificationError, match=message):
        Answers(problem, CLASSES[problem]).add([1.0], b"1,2", [{"score": score}], None)


@pytest.mark.parametrize(
    ("best", "refitted", "expected"),
    [
        ({"metric": {"computed": "logloss"}, "training_job_value": 0.3}, None, 0.3),
        ({"metric": {"computed": "auc"}, "training_job_value": 0.9, "metrics": {"validation:logloss": 0.4}}, None, 0.4),
        ({"metric": {"computed": "auc"}, "training_job_value": 0.9, "metrics": {}}, None, None),
        ({"metric": {"computed": "logloss"}, "training_job_value": None}, 0.2, 0.2),
        ({"metric": {"computed": "auc"}, "training_job_value": None}, 0.9, None),
    ],
)
def test_the_expected_loss_is_what_the_training_job_reported(best, refitted, expected) -> None:
    assert verify_endpoint._expected(best, "logloss", refitted) == expected


def test_the_programs_arguments_name_the_expected_value_in_two_ways(tmp_path: Path) -> None:
    common = ["--endpoint-name", "e", "--endpoint-config-name", "c", "--replaced-config-name", "-", "--tolerance", "1"]
    places = ["--best", str(tmp_path), "--folds-uri", "s3://b/f", "--verification", str(tmp_path)]
    for name in ("--expected-value", "--expected-mse"):
        verify_endpoint.main([*common, *places, "--deployment-status", "Rejected", name, "2.5"])
    assert json.loads((tmp_path / "verification.json").read_text())["outcome"] == "Rejected"
