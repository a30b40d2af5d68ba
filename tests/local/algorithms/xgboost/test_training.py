"""Training under the container's contract."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import xgboost

from local.algorithms.sparse_rows import SparseRows, Vector
from local.algorithms.xgboost import metrics, training
from local.algorithms.xgboost.channels import Channel, compressed
from tests.local.algorithms.xgboost.conftest import csv, failure, text

REPOSITORY = Path(__file__).parents[4]


def _train(*roots: Path) -> int:
    return training.main([str(root) for root in roots])


def _model(root: Path) -> xgboost.Booster:
    return xgboost.Booster(model_file=root / "model/xgboost-model")


def _log(root: Path) -> str:
    return (root / "output/log.txt").read_text()


def _reference(rows: np.ndarray, rounds: int, weight: np.ndarray | None = None, **parameters: Any) -> xgboost.Booster:
    data = xgboost.DMatrix(rows[:, 1:], label=rows[:, 0], weight=weight)
    return xgboost.train(parameters, data, num_boost_round=rounds)


def _predict(model: xgboost.Booster, features: np.ndarray) -> np.ndarray:
    return model.predict(xgboost.DMatrix(features))


PARAMETERS: dict[str, Any] = {
    "max_depth": 3,
    "eta": 0.2,
    "subsample": 0.8,
    "seed": 4,
    "lambda": 2.0,
    "objective": "reg:squarederror",
}


def test_a_model_is_that_of_the_plain_library(make_root, rows):
    given = {name: str(value) for name, value in PARAMETERS.items()} | {"num_round": "20"}
    root = make_root(given, train=text({"a": csv(rows[:100]), "b/c.csv": csv(rows[100:])}))
    assert _train(root) == 0
    np.testing.assert_array_equal(
        _predict(_model(root), rows[:, 1:]), _predict(_reference(rows, 20, **PARAMETERS), rows[:, 1:])
    )


def test_the_same_job_makes_the_same_bytes(make_root, rows):
    given = {"num_round": "5", "subsample": "0.5", "colsample_bytree": "0.5"}
    roots = [make_root(given, train=text(csv(rows))) for _ in range(2)]
    assert _train(*roots) == 0
    first, second = [(root / "model/xgboost-model").read_bytes() for root in roots]
    assert first == second


def test_weights_are_the_second_column(make_root, rows):
    weight = np.linspace(0.1, 3, len(rows))
    content = csv(np.column_stack([rows[:, :1], weight, rows[:, 1:]]))
    root = make_root({"num_round": "3", "csv_weights": "1"}, train=text(content), validation=text(content))
    assert _train(root) == 0
    np.testing.assert_array_equal(
        _predict(_model(root), rows[:, 1:]), _predict(_reference(rows, 3, weight=weight), rows[:, 1:])
    )


def _libsvm(rows: np.ndarray) -> bytes:
    lines = []
    for label, *features in rows:
        items = " ".join(
            f"{index}:{value!r}" for index, value in enumerate(map(float, features)) if not np.isnan(value)
        )
        lines.append(f"{float(label)!r} {items}\n")
    return "".join(lines).encode()


def _parquet(rows: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(rows, columns=[f"c{number}" for number in range(rows.shape[1])]).to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content_type", "encode"),
    [
        ("", _libsvm),
        ("text/libsvm", _libsvm),
        pytest.param("application/x-parquet", _parquet, marks=pytest.mark.slow),
        ("text/csv", lambda rows: csv(rows).replace(b",", b";")),
        ("csv", csv),
    ],
)
def test_every_format_gives_the_same_model(make_root, rows, content_type, encode):
    # The library's reader of libsvm rounds some decimal numbers wrongly; sixty-fourths are exact.
    rows = np.round(rows * 64) / 64
    root = make_root({"num_round": "4"}, train=text(encode(rows), content_type))
    assert _train(root) == 0, failure(root)
    expected = _predict(_reference(rows, 4), rows[:, 1:])
    np.testing.assert_allclose(_predict(_model(root), rows[:, 1:]), expected, rtol=1e-6)


def test_absent_values_of_sparse_records_are_missing():
    vectors = [Vector(np.array([2]), np.array([5.0]), 3), Vector(np.array([0, 2]), np.array([0.0, 1.0]), 3)]
    data = xgboost.DMatrix(compressed(SparseRows(vectors)))
    assert (data.num_row(), data.num_col(), data.num_nonmissing()) == (2, 3, 3)


def test_metric_lines_are_those_of_the_container(make_root, rows):
    given = {"num_round": "3", "eval_metric": "mae,r2,mse", "objective": "reg:squarederror"}
    root = make_root(given, train=text(csv(rows[:200])), validation=text(csv(rows[200:])))
    assert _train(root) == 0
    lines = re.findall(r"^\[(\d+)\](.*)$", _log(root), re.MULTILINE)
    assert [number for number, _ in lines] == ["0", "1", "2"]
    last = dict(item.split(":") for item in lines[-1][1].split("#011")[1:])
    assert list(last) == [
        f"{channel}-{metric}" for channel in ("train", "validation") for metric in ("mae", "r2", "mse")
    ]
    predicted = _predict(_model(root), rows[200:, 1:])
    assert float(last["validation-r2"]) == pytest.approx(sklearn.metrics.r2_score(rows[200:, 0], predicted), abs=1e-5)
    assert float(last["validation-mse"]) == pytest.approx(np.mean((rows[200:, 0] - predicted) ** 2), abs=1e-4)
    assert re.fullmatch(r"-?\d+\.\d{5}", last["train-mae"])


SCORES = {
    "accuracy": sklearn.metrics.accuracy_score,
    "balanced_accuracy": sklearn.metrics.balanced_accuracy_score,
    "f1": lambda y, p: sklearn.metrics.f1_score(y, p, average="macro"),
    "f1_macro": lambda y, p: sklearn.metrics.f1_score(y, p, average="macro"),
    "precision_macro": lambda y, p: sklearn.metrics.precision_score(y, p, average="macro", zero_division=0),
    "precision_micro": lambda y, p: sklearn.metrics.precision_score(y, p, average="micro", zero_division=0),
    "recall_macro": lambda y, p: sklearn.metrics.recall_score(y, p, average="macro", zero_division=0),
    "recall_micro": lambda y, p: sklearn.metrics.recall_score(y, p, average="micro", zero_division=0),
}
BINARY_SCORES = {
    "f1_binary": sklearn.metrics.f1_score,
    "precision": sklearn.metrics.precision_score,
    "recall": sklearn.metrics.recall_score,
}


@pytest.mark.parametrize("classes", [2, 4])
def test_classification_metrics_are_scikit_learns(classes):
    random = np.random.default_rng(classes)
    labels, predicted = (random.integers(0, classes, 50).astype(float) for _ in range(2))
    predicted[predicted == classes - 1] = classes - 1 if classes == 2 else 0
    for name, score in (SCORES | (BINARY_SCORES if classes == 2 else {})).items():
        assert metrics.CUSTOM_METRICS[name](labels, predicted) == pytest.approx(score(labels, predicted)), name


@pytest.mark.parametrize(
    ("objective", "predictions", "labels"),
    [
        ("binary:logistic", [0.4, 0.6], [0, 1]),
        ("binary:logitraw", [-0.1, 0.1], [0, 1]),
        ("binary:hinge", [0.0, 1.0], [0, 1]),
        ("multi:softmax", [2.0, 0.0], [2, 0]),
        ("multi:softprob", [[0.1, 0.9], [0.8, 0.2]], [1, 0]),
    ],
)
def test_predictions_become_labels_by_objective(objective, predictions, labels):
    assert metrics.predicted_labels(np.array(predictions), objective).tolist() == labels


def test_early_stopping_keeps_the_best_round(make_root, rows):
    given = {"num_round": "300", "early_stopping_rounds": "5", "eval_metric": "mae,rmse", "eta": "0.9"}
    given["objective"] = "reg:squarederror"
    root = make_root(given, train=text(csv(rows[:200])), validation=text(csv(rows[200:])))
    assert _train(root) == 0
    values = [float(value) for value in re.findall(r"validation-rmse:(\S+)", _log(root))]
    best = int(np.argmin(values))
    assert len(values) == best + 6 < 300
    assert _model(root).num_boosted_rounds() == best + 1


def test_early_stopping_without_a_metric_is_off_and_said_to_be(make_root, rows):
    root = make_root({"num_round": "3", "early_stopping_rounds": "1"}, train=text(csv(rows)))
    assert _train(root) == 0
    assert _model(root).num_boosted_rounds() == 3
    assert "early_stopping_rounds has no effect without a validation channel and eval_metric" in _log(root)


def test_jobs_of_one_program_share_the_data_and_fail_alone(make_root, rows, monkeypatch):
    reads = []
    read = Channel.read

    def counted(channel: Channel) -> xgboost.DMatrix:
        reads.append(channel.name)
        return read(channel)

    monkeypatch.setattr(Channel, "read", counted)
    first = make_root({"num_round": "2"}, train=text(csv(rows)))
    source = first / "input/data/train/part-0"
    others = [
        make_root({"num_round": rounds, "max_depth": depth}, train=text({}))
        for rounds, depth in (("2", "2"), ("3", "1"), ("2", "-1"))
    ]
    for other in others:
        os.link(source, other / "input/data/train/part-0")
    assert _train(first, *others) == 1
    assert reads == ["train"]
    assert [root.joinpath("model/xgboost-model").exists() for root in (first, *others)] == [True, True, True, False]
    assert "Hyperparameter max_depth: -1 is not in [0, +inf)" in failure(others[-1])


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"rounds": "1"}, "Extraneous hyperparameter found: rounds"),
        ({"eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"max_depth": "2.5"}, "Hyperparameter max_depth: could not parse value (caused by ValueError)"),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"eval_metric": "auc", "objective": "reg:linear"}, "Metric 'auc' can only be applied for classification"),
        ({"eval_metric": "rmse"}, "Hyperparameter eval_metric: needs the hyperparameter 'objective'"),
        ({"monotone_constraints": "(1, 0, 0, 0)"}, "monotone_constraints can be used only when the tree_method"),
        ({"_kfold": "5"}, "Hyperparameter _kfold: the container's own cross-validation is not implemented"),
        ({"use_dask_gpu_training": "true"}, "Hyperparameter use_dask_gpu_training: true is not implemented"),
        ({"sagemaker_program": "train.py"}, "sagemaker_program: script mode of the XGBoost image is not implemented"),
    ],
)
def test_hyperparameters_are_refused_in_the_containers_words(make_root, rows, hyperparameters, reason):
    given = ({"num_round": "2"} if hyperparameters else {}) | hyperparameters
    root = make_root(given, train=text(csv(rows)))
    assert _train(root) == 1
    assert failure(root).startswith(
        "AlgorithmError: framework error: sagemaker_algorithm_toolkit.exceptions.UserError: "
    )
    assert reason in failure(root)


def _channel_cases(good: bytes) -> list[tuple[dict, str]]:
    return [
        ({"validation": text(good)}, "Missing required channel: train"),
        ({"train": text(good), "test": text(good)}, "Extraneous channel found: test"),
        ({"train": text(good, "text/csv;label_size=1")}, "Channel configuration for 'train' channel is not supported"),
        ({"train": text(good, "application/json")}, "Channel configuration for 'train' channel is not supported"),
        ({"train": text(good, "", TrainingInputMode="Pipe")}, "Channel configuration for 'train' channel is not"),
        ({"train": text(good, CompressionType="Gzip")}, "CompressionType Gzip is not implemented"),
        ({"train": text({})}, "No data in training channel path /opt/ml/input/data/train"),
        ({"train": text(good), "validation": text({"a": b""})}, "No data in validation channel path"),
        ({"train": text({".a": good})}, "Hidden file found in the data path! Remove that before training."),
        ({"train": text({"a/b/c/d": good})}, "Folder depth exceed the limit: 3."),
        ({"train": text(b"label,a\n1,2\n")}, "row 1 field 1 'label' is not a finite number"),
        ({"train": text(b"1,2\n1\n")}, "row 2 has 1 field where 2 are expected"),
        ({"train": text(b",2\n")}, "Row 1 of the train channel has no label"),
        ({"train": text(good, "")}, "is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format."),
        ({"train": text(good, "parquet")}, "Failed to load parquet data with exception"),
        ({"train": text(good, "recordio-protobuf")}, "Failed to load recordio-protobuf data with exception"),
        ({"train": text(good), "validation": text(b"1 0:1\n", "")}, "The channels have different formats"),
    ]


@pytest.mark.parametrize("index", range(len(_channel_cases(b""))))
def test_channels_are_refused_by_name(make_root, index):
    channels, reason = _channel_cases(b"1,2.5,3\n0,4.5,5\n")[index]
    root = make_root({"num_round": "2"}, **channels)
    assert _train(root) == 1
    assert reason in failure(root)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"objective": "binary:logistic"}, "base_score must be in (0,1) for the logistic loss"),
        ({"objective": "binary:logistic", "base_score": "0.5"}, "label must be in (0, 1) for logistic regression"),
        (
            {"objective": "multi:softprob", "num_class": "3"},
            "label must be discrete values in the range of [0, num_class)",
        ),
        ({"_tuning_objective_metric": "validation:precision"}, "Target is multiclass but average='binary'"),
    ],
)
def test_what_the_library_blames_on_the_data_is_the_users_error(make_root, given, reason):
    root = make_root({"num_round": "2"} | given, train=text(b"3,1\n4,2\n5,3\n"))
    assert _train(root) == 1
    assert "exceptions.UserError: " in failure(root)
    assert reason in failure(root)
    assert "Stack trace" not in failure(root)


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["true", "false"])
def test_sigterm_keeps_the_last_model_if_it_is_asked_for(make_root, rows, keep):
    given = {"num_round": "1000000", "save_model_on_termination": keep}
    root = make_root(given, train=text(csv(rows)))
    program = subprocess.Popen([sys.executable, "-m", "local.algorithms.xgboost", str(root)], cwd=REPOSITORY)
    deadline = time.monotonic() + 100
    while "[5]" not in ((root / "output/log.txt").read_text() if (root / "output/log.txt").exists() else ""):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    program.send_signal(signal.SIGTERM)
    assert program.wait(60) == 143
    assert (root / "model/xgboost-model").exists() == (keep == "true")
    if keep == "true":
        assert _model(root).num_boosted_rounds() > 5
