from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from evaluation import linear_model
from evaluation.linear_model import LinearClassifier, read_linear_model
from evaluation.models import predicted_classes, read_model

from local.algorithms.linear_learner import artifact, links
from local.algorithms.linear_learner.inference import Model
from tests.local.conftest import make_artifact
from tests.steps.evaluation.conftest import classifier, packed


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(make_artifact(tmp_path, [0.5, -2.0, 1e-3], 7.25))
    return path


def test_an_artifact_is_read_as_the_local_service_reads_it(model_file) -> None:
    ours, theirs = read_linear_model(model_file), artifact.read(model_file)
    np.testing.assert_array_equal(ours.weights, theirs.weights)
    assert ours.bias == theirs.bias == 7.25


def test_parameters_that_mxnet_wrote_are_read() -> None:
    # 1.9.1's own bytes; see tests/linear_learner/make_mxnet_oracle.py.
    data = (Path(__file__).parents[2] / "local/algorithms/linear_learner/data/reference.params").read_bytes()
    from local.algorithms.linear_learner import mxnet_params

    expected = mxnet_params.load(data)
    arrays = linear_model.arrays_of(data)
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"no archive", lambda _: b""])
def test_what_is_no_artifact_is_an_error_of_one_kind(model_file, damage) -> None:
    model_file.write_bytes(damage(model_file.read_bytes()))
    with pytest.raises(ValueError, match=r"\S"):
        read_linear_model(model_file)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_no_linear_model(tmp_path, value) -> None:
    # Their predictions would write NaN into best.json, which JsonGet does not read.
    (tmp_path / "model.tar.gz").write_bytes(make_artifact(tmp_path, [0.5, value], 7.25))
    with pytest.raises(ValueError, match="its parameters are not finite numbers"):
        read_linear_model(tmp_path / "model.tar.gz")


def test_a_size_beyond_the_machine_is_no_linear_model(tmp_path) -> None:
    head = struct.pack("<QQQIiI2qiii", 0x112, 0, 1, 0, 0, 2, 2**62, 4, 0, 0, 0)
    with pytest.raises(ValueError, match="not those of a linear model"):
        read_linear_model(packed(tmp_path / "model.tar.gz", params=head))


def test_a_linear_models_contributions_sum_to_its_predictions(model_file) -> None:
    model, rows = read_model(model_file, "linear-learner"), np.random.default_rng(0).normal(size=(4, 3))
    contributions = model.contributions(rows)
    assert contributions is not None
    assert contributions.shape == (4, model.features + 1)
    np.testing.assert_allclose(contributions.sum(axis=1), model.predict(rows), rtol=1e-12)


def test_the_artifacts_of_an_algorithm_that_is_not_known_cannot_be_read(model_file) -> None:
    with pytest.raises(ValueError, match="artifacts of factorization-machines cannot be read"):
        read_model(model_file, "factorization-machines")


@pytest.mark.parametrize(
    ("output", "weights", "bias"),
    [
        (links.LOGISTIC, [0.5, -2.0], 0.1),
        (links.HINGE, [0.5, -2.0], 0.1),
        (links.SOFTMAX, [[0.5, -2.0], [1.0, 0.0], [-0.25, 1.0]], [0.1, 0.2, -0.3]),
    ],
)
def test_a_classifier_predicts_what_the_local_service_answers(tmp_path, output, weights, bias) -> None:
    file = tmp_path / "model.tar.gz"
    rows = np.random.default_rng(0).normal(size=(50, 2))
    # A score is the threshold itself, as linear-learner chooses it.
    served = artifact_scores(classifier(tmp_path, weights, bias, output), file, rows)
    threshold = float(np.sort(served["score"].ravel())[20]) if output != links.SOFTMAX else None
    served = artifact_scores(classifier(tmp_path, weights, bias, output, threshold), file, rows)
    model = read_model(file, "linear-learner")
    assert isinstance(model, LinearClassifier)
    assert model.features == 2
    predictions = model.predict(rows)
    np.testing.assert_allclose(predictions, served["score"], rtol=1e-6)
    np.testing.assert_allclose(model.predict_float32(rows), served["score"], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(predicted_classes(model, predictions), served["predicted_label"])


def artifact_scores(content: bytes, file: Path, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the local service's answers about rows."""
    file.write_bytes(content)
    body = "\n".join(",".join(map(repr, row)) for row in rows.tolist()).encode()
    answer, _ = Model.load(file).invoke(body, "text/csv", "application/json")
    predictions = json.loads(answer)["predictions"]
    return {name: np.array([each[name] for each in predictions]) for name in ("score", "predicted_label")}


@pytest.mark.parametrize("output", [links.LOGISTIC, links.SOFTMAX])
def test_a_classifiers_contributions_sum_to_its_scores_before_the_link(tmp_path, output) -> None:
    weights = np.array([0.5, -2.0]) if output == links.LOGISTIC else np.array([[0.5, -2.0], [1.0, 0.0], [-0.25, 1.0]])
    bias = np.array(0.1) if output == links.LOGISTIC else np.array([0.1, 0.2, -0.3])
    (tmp_path / "model.tar.gz").write_bytes(classifier(tmp_path, weights, bias, output))
    rows = np.random.default_rng(0).normal(size=(4, 2))
    found = read_linear_model(tmp_path / "model.tar.gz").contributions(rows)
    assert found is not None
    assert found.shape == ((4, 3) if output == links.LOGISTIC else (4, 3, 3))
    np.testing.assert_allclose(found.sum(axis=-1), rows @ weights.T + bias, rtol=1e-6)


def test_a_classifier_of_two_classes_without_a_threshold_cannot_be_read(tmp_path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(classifier(tmp_path, np.ones(2), 0.0, threshold=None))
    with pytest.raises(ValueError, match="has no threshold"):
        read_model(tmp_path / "model.tar.gz", "linear-learner")
