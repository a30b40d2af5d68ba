"""Responses in the container's form."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import xgboost

from local.algorithms.errors import InferenceError
from local.algorithms.xgboost.inference import Model
from tests.local.algorithms.recordio_writer import framed, message, tensor
from tests.local.algorithms.xgboost.conftest import csv

FEATURES = np.random.default_rng(3).normal(size=(200, 3))
FEATURES[::5, 1] = np.nan


def _train(**parameters: object) -> xgboost.Booster:
    label = (FEATURES[:, 0] > 0).astype(int) + (FEATURES[:, 2] > 0)
    if not str(parameters.get("objective")).startswith("multi"):
        label = label > 0
    return xgboost.train(parameters, xgboost.DMatrix(FEATURES, label=label), num_boost_round=4)


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return _train(objective="binary:logistic")


@pytest.fixture(scope="module")
def model(booster: xgboost.Booster) -> Model:
    return Model(booster)


def _scores(booster: xgboost.Booster, features: np.ndarray = FEATURES) -> list[Any]:
    return booster.predict(xgboost.DMatrix(features)).tolist()


@pytest.mark.parametrize("accept", ["", "*/*", "text/csv", "text/csv; charset=utf-8"])
def test_csv_has_one_score_a_line(booster, model, accept):
    body, content_type = model.invoke(csv(FEATURES), "text/csv", accept)
    assert content_type == "text/csv"
    assert body == "".join(f"{score}\n" for score in _scores(booster)).encode()


def test_json_has_the_documented_form(booster, model):
    body, content_type = model.invoke(csv(FEATURES[:2]), "text/csv; label_size=1", "application/json")
    assert content_type == "application/json"
    assert json.loads(body) == {"predictions": [{"score": score} for score in _scores(booster, FEATURES[:2])]}


def test_batch_transform_has_line_breaks_whatever_is_accepted(booster):
    body, content_type = Model(booster, batch=True).invoke(csv(FEATURES[:2]), "text/csv", "application/json")
    assert body == "".join(f"{score}\n" for score in _scores(booster, FEATURES[:2])).encode()
    assert content_type == "application/json"


def test_probabilities_of_classes_are_lists():
    booster = _train(objective="multi:softprob", num_class=3)
    scores = _scores(booster, FEATURES[:2])
    model, batch = Model(booster), Model(booster, batch=True)
    rows = csv(FEATURES[:2])
    assert model.invoke(rows, "text/csv", "")[0].decode() == "".join(f"{a},{b},{c}\n" for a, b, c in scores)
    answer = json.loads(model.invoke(rows, "text/csv", "application/json")[0])
    assert answer == {"predictions": [{"score": each} for each in scores]}
    assert batch.invoke(rows, "text/csv", "")[0].decode() == "".join(f"{each}\n" for each in scores)


def test_every_format_gives_the_same_scores(booster, model):
    full = np.abs(FEATURES[1:4])
    expected = "".join(f"{score}\n" for score in _scores(booster, full)).encode()
    libsvm = "\n".join(" ".join(f"{i}:{v!r}" for i, v in enumerate(map(float, row))) for row in full).encode()
    records = b"".join(framed(message(tensor(row))) for row in full)
    for body, content_type in (
        (libsvm, "text/libsvm"),
        (b"1 " + libsvm, "text/x-libsvm"),
        (libsvm, ""),
        (csv(full).replace(b",", b";"), "text/csv"),
    ):
        assert model.invoke(body, content_type, "")[0] == expected
    answer = model.invoke(records, "application/x-recordio-protobuf", "")[0].split()
    np.testing.assert_allclose(np.array(answer, dtype=float), _scores(booster, full.astype(np.float32)), rtol=1e-6)


def test_absent_values_are_missing(booster, model):
    row = np.array([[np.nan, np.nan, 0.5]])
    expected = f"{_scores(booster, row)[0]}\n".encode()
    assert model.invoke(b"2:0.5", "text/libsvm", "")[0] == expected
    assert model.invoke(b",,0.5", "text/csv", "")[0] == expected
    sparse = framed(message(tensor([0.5], keys=[2])))
    assert model.invoke(sparse, "application/x-recordio-protobuf", "")[0] == expected


def test_an_empty_body_has_an_empty_answer(model):
    assert model.invoke(b"", "text/csv", "") == (b"", "")


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "reason"),
    [
        (b"1,2", "text/csv", "", 400, "Feature size of csv inference data 2 is not consistent with feature size of"),
        (b"1,2,3,4", "text/csv", "", 400, "Unable to evaluate payload provided: Feature size of csv inference data 4"),
        (b"3:1", "text/libsvm", "", 400, "Feature size of libsvm inference data 4 is larger than feature size of"),
        (b"1,2,x", "text/csv", "", 415, "Loading csv data failed with Exception, please ensure data is in csv format"),
        (b"1,2,inf", "text/csv", "", 415, "Loading csv data failed"),
        (b"1,2,3\n4,5", "text/csv", "", 415, "Loading csv data failed"),
        (b"0:x", "text/libsvm", "", 415, "Loading libsvm data failed"),
        (b"999999999:1", "text/libsvm", "", 415, "Loading libsvm data failed"),
        (b"xx", "application/x-recordio-protobuf", "", 415, "Loading recordio-protobuf data failed"),
        (b"{}", "application/json", "", 415, "application/json is not an accepted ContentType: csv, libsvm"),
        (b"x", "application/x-parquet", "", 415, "Content-type application/x-parquet is not supported."),
        (b"1,2,3", "text/csv;label_size=0", "", 415, "Optional parameter label_size must be equal to 1"),
        (b"1,2,3", "text/csv", "image/png", 406, "Accept type image/png is not supported."),
        (b"1,2,3", "text/csv", "application/jsonlines", 500, "needs SAGEMAKER_INFERENCE_OUTPUT"),
        (b"1" * 6_291_457, "text/csv", "", 413, "is over the limit of 6291456"),
    ],
)
def test_requests_are_refused_as_the_container_does(model, body, content_type, accept, status, reason):
    with pytest.raises(InferenceError) as caught:
        model.invoke(body, content_type, accept)
    assert caught.value.status == status
    assert reason in caught.value.message


@pytest.mark.parametrize("kind", ["gbtree", "gblinear", "dart"])
def test_threads_share_a_model(kind):
    booster = _train(objective="binary:logistic", booster=kind)
    model = Model(booster)
    full = np.abs(FEATURES[1:5])
    bodies = [csv(full[index : index + 1]) for index in range(4)]
    alone = [model.invoke(body, "text/csv", "") for body in bodies]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda body: model.invoke(body, "text/csv", ""), bodies * 10))
    assert together == alone * 10
