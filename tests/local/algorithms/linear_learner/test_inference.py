import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.algorithms.errors import InferenceError
from local.algorithms.linear_learner.artifact import Parameters
from local.algorithms.linear_learner.inference import MAXIMUM_BODY_BYTES, Model, encode_json
from local.algorithms.recordio import encode_predictions, encode_scores
from tests.local.algorithms.recordio_writer import delimited, dense_stream, framed, message, tensor

ROWS = [[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]]
SCORES = [1.0 * 0.1 - 2.0 * 0.7 + 3.0 * 2.5 + 11.25, 0.5 * 0.1 - 2.5 + 11.25]
JSON, LINES, RECORDIO = "application/json", "application/jsonlines", "application/x-recordio-protobuf"


@pytest.fixture(scope="module")
def model():
    return Model(Parameters(np.array([0.1, -0.7, 2.5]), 11.25))


def float32(scores):
    return [float(np.float32(score)) for score in scores]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", b"1,2,3\n0.5,0,-1\n"),
        ("text/csv", b"1,2,3\r\n.5,0,-1"),
        ("text/csv; charset=utf-8", b"1,2,3\n0.5,0,-1"),
        ("TEXT/CSV;label_size=0", b"1,2,3\n0.5,0,-1"),
        ("text/csv; label_size=1", b"99,1,2,3\n99,0.5,0,-1"),
        (JSON, json.dumps({"instances": [{"features": row} for row in ROWS]}).encode()),
        (JSON, json.dumps({"instances": [{"data": {"features": {"values": row}}} for row in ROWS]}).encode()),
        (
            JSON,
            b'{"instances": [{"data": {"features": {"keys": [0, 1, 2], "shape": [3], "values": [1, 2, 3]}}},'
            b' {"data": {"features": {"keys": [2, 0], "shape": [3], "values": [-1, 0.5]}}}]}',
        ),
        (LINES, b'{"features": [1, 2, 3]}\n\n{"data": {"features": {"values": [0.5, 0, -1]}}}\n'),
        (RECORDIO, dense_stream(ROWS, label_first=False)),
        (RECORDIO, framed(message(tensor([1, 2, 3]))) + framed(message(tensor([0.5, -1], keys=[0, 2], shape=[3])))),
    ],
)
def test_every_documented_request_format_gives_the_same_scores(model, content_type, body) -> None:
    answer, answered = model.invoke(body, content_type, JSON)
    assert answered == JSON
    assert json.loads(answer) == {"predictions": [{"score": score} for score in float32(SCORES)]}


def test_a_response_has_the_services_bytes() -> None:
    model = Model(Parameters(np.array([1.0]), 0.0))
    assert model.invoke(b"11.719074", "text/csv", "")[0] == b'{"predictions": [{"score": 11.719074249267578}]}'


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_is_the_default_response(model, accept) -> None:
    assert model.invoke(b"1,2,3", "text/csv", accept)[1] == JSON


def test_json_lines_and_recordio_are_answered_on_request(model) -> None:
    body = b"1,2,3\n0.5,0,-1"
    first, second = map(repr, float32(SCORES))
    assert model.invoke(body, "text/csv", LINES) == (f'{{"score": {first}}}\n{{"score": {second}}}\n'.encode(), LINES)
    assert model.invoke(body, "text/csv", RECORDIO) == (encode_scores(SCORES), RECORDIO)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_scores_are_printed_as_json_dumps_prints_them(scores) -> None:
    expected = json.dumps({"predictions": [{"score": score} for score in scores]}).encode()
    assert encode_json(scores) == expected


def test_a_score_does_not_depend_on_the_rows_around_it() -> None:
    random = np.random.default_rng(0)
    model = Model(Parameters(random.normal(size=37), 1.0))
    rows = [",".join(map(repr, row)) for row in random.normal(size=(301, 37)).tolist()]
    together = json.loads(model.invoke("\n".join(rows).encode(), "text/csv", "")[0])["predictions"]
    alone = [json.loads(model.invoke(row.encode(), "text/csv", "")[0])["predictions"][0] for row in rows]
    assert together == alone


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", b"1,2"),
        ("text/csv; label_size=1", b"1,2,3"),
        (JSON, b'{"instances": [{"features": [1, 2]}]}'),
        (JSON, b'{"instances": [{"features": [1, 2, 3]}, {"features": [1, 2]}]}'),
        (JSON, b'{"instances": [{"features": [1, 2]}, {"features": [1, 2, 3]}]}'),
        (JSON, b'{"instances": [{"data": {"features": {"keys": [0], "shape": [2], "values": [1]}}}]}'),
        (LINES, b'{"features": [1, 2]}'),
        (RECORDIO, framed(message(tensor([1, 2])))),
    ],
)
def test_a_wrong_dimension_is_refused_in_sagemakers_words(model, content_type, body) -> None:
    with pytest.raises(InferenceError) as caught:
        model.invoke(body, content_type, JSON)
    assert caught.value.status == 400
    assert caught.value.message == (
        "unable to evaluate payload provided: Customer Error: The feature dimension of the input: 2 does not match "
        "the feature dimension of the model: 3. Please fix the input and try again."
    )


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("text/csv", b"", "the body is empty"),
        ("text/csv", b"\n", "row 1: is empty"),
        ("text/csv", b"1,2,3\n1,2", "row 2: has 2 fields"),
        ("text/csv", b"1,2,nan", "row 1: field 3 'nan' is not a finite number"),
        ("text/csv", b"age,bmi,sex", "row 1: field 1 'age'"),
        ("text/csv", b"\x00\xff,\x01,3", "row 1: field 1"),
        ("text/csv", b"1e300,1e300,1e300", "does not fit float32"),
        ("text/csv; label_size=x", b"1,2,3", "label_size=x is not a number of columns"),
        (JSON, b"1,2,3", "the body is not JSON"),
        (JSON, b"\xff", "the body is not JSON"),
        (JSON, b"[1, 2, 3]", "no list 'instances'"),
        (JSON, b'{"instances": {}}', "no list 'instances'"),
        (JSON, b'{"instances": []}', "the body has no instances"),
        (JSON, b'{"instances": [[1, 2, 3]]}', "instance 1 is not {'features'"),
        (JSON, b'{"instances": [{"features": [1, 2, 3]}, {"features": 7}]}', "instance 2 is not {'features'"),
        (
            JSON,
            b'{"instances": [{"data": {"features": {"keys": [9], "values": [1]}}}]}',
            "instance 1 is not {'features'",
        ),
        (
            JSON,
            b'{"instances": [{"data": {"features": {"keys": [-1], "values": [1]}}}]}',
            "instance 1 is not {'features'",
        ),
        (
            JSON,
            b'{"instances": [{"features": [1, 2, 3]}, {"features": [1, "2", 3]}]}',
            "instance 2 has a value that is not",
        ),
        (JSON, b'{"instances": [{"features": [1, 2, null]}]}', "instance 1 has a value that is not"),
        (JSON, b'{"instances": [{"features": [1, 2, true]}]}', "instance 1 has a value that is not"),
        (JSON, b'{"instances": [{"features": [1, 2, [3]]}]}', "instance 1 has a value that is not"),
        (JSON, b'{"instances": [{"features": [1, 2, NaN]}]}', "the body is not JSON"),
        (LINES, b'{"features": [1, 2, 3]}\nx', "the body is not JSON"),
        (LINES, b"\n\n", "the body has no instances"),
        (RECORDIO, b"1,2,3", "no RecordIO magic number"),
        (RECORDIO, dense_stream([[1, 2, float("nan")]], label_first=False), "not finite"),
    ],
)
def test_what_cannot_be_decoded_is_a_400_that_says_why(model, content_type, body, reason) -> None:
    with pytest.raises(InferenceError) as caught:
        model.invoke(body, content_type, JSON)
    assert caught.value.status == 400
    assert caught.value.message.startswith("unable to evaluate payload provided: ")
    assert reason in caught.value.message


def status(body, content_type):
    try:
        Model(Parameters(np.ones(2), 0.0)).invoke(body, content_type, "")
    except InferenceError as error:
        return error.status
    return 200


@given(st.binary(max_size=60), st.sampled_from(["text/csv", JSON, LINES, RECORDIO]))
def test_any_bytes_are_answered_or_refused(body, content_type) -> None:
    assert status(body, content_type) in (200, 400)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["instances", "features", "data", "values", "keys", "shape"]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_answered_or_refused(document) -> None:
    assert status(json.dumps({"instances": [document]}).encode(), JSON) in (200, 400)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-npy", "text/libsvm"])
def test_an_unsupported_content_type_is_a_415(model, content_type) -> None:
    with pytest.raises(InferenceError, match=r"is not supported: use text/csv") as caught:
        model.invoke(b"1,2,3", content_type, JSON)
    assert caught.value.status == 415


def test_an_unsupported_accept_is_a_415_because_there_is_no_csv_response(model) -> None:
    with pytest.raises(InferenceError, match=r"accept 'text/csv' is not supported") as caught:
        model.invoke(b"1,2,3", "text/csv", "text/csv")
    assert caught.value.status == 415


def test_a_body_over_the_limit_is_a_413(model) -> None:
    with pytest.raises(InferenceError) as caught:
        model.invoke(b"1,2,3\n" * (MAXIMUM_BODY_BYTES // 6 + 1), "text/csv", JSON)
    assert caught.value.status == 413


def test_one_model_serves_many_threads(model) -> None:
    bodies = [f"{n},{n},{n}".encode() for n in range(200)]
    expected = [model.invoke(body, "text/csv", "") for body in bodies]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda body: model.invoke(body, "text/csv", ""), bodies)) == expected


def test_serving_does_not_load_the_training_engine() -> None:
    serving = "local.algorithms.linear_learner.inference"
    code = f"import sys, {serving}; print([m for m in sys.modules if m.startswith('local.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "local.algorithms.linear_learner.artifact" in loaded
    assert not any(name in loaded for name in ("fitting", "optimizers", "training", "channels"))


def labels(**values: list[float]) -> bytes:
    """A record that has labels only, each a float32 tensor."""
    entries = [(name, delimited(2, tensor(numbers))) for name, numbers in values.items()]
    return b"".join(delimited(2, delimited(1, name.encode()) + value) for name, value in entries)


LOGIT = np.array([1.0, 0.0, -2.0])
BINARY = Model(Parameters(LOGIT, 0.5, "LogisticRegressionOutput", 0.25))
MULTICLASS = Model(
    Parameters(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, -1.0]]), np.array([0.0, 0.5, 0.0]), "SoftmaxOutput")
)


def probabilities(sums):
    powers = np.exp(np.array(sums) - np.max(sums))
    return float32(powers / powers.sum())


def test_a_binary_classifier_answers_a_probability_and_a_label() -> None:
    answer, _ = BINARY.invoke(b"1,2,3\n0.5,0,-1\n-1.5986122886681098,7,0", "text/csv", "")
    expected = float32([1 / (1 + np.exp(4.5)), 1 / (1 + np.exp(-3.0)), 0.25])
    assert expected[2] == 0.25
    predictions = [{"score": score, "predicted_label": n} for score, n in zip(expected, [0, 1, 1], strict=True)]
    assert json.loads(answer) == {"predictions": predictions}
    assert answer.startswith(b'{"predictions": [{"score": 0.0')
    assert b', "predicted_label": 0}, {"score": ' in answer


def test_a_multiclass_classifier_answers_all_probabilities_and_the_first_of_the_highest() -> None:
    answer, _ = MULTICLASS.invoke(b"1,2,-3\n0.5,0,-0.25\n1,0,0", "text/csv", "")
    scores = [probabilities(sums) for sums in ([1, 2.5, 3], [0.5, 0.5, 0.25], [1, 0.5, 0])]
    expected = [{"score": score, "predicted_label": n} for score, n in zip(scores, [2, 0, 0], strict=True)]
    assert json.loads(answer) == {"predictions": expected}


def test_the_hinge_score_is_the_sum_itself() -> None:
    model = Model(Parameters(LOGIT, 0.5, "SVMOutput", -4.5))
    answer, _ = model.invoke(b"1,2,3\n1,2,3.125", "text/csv", "")
    assert json.loads(answer)["predictions"] == [
        {"score": -4.5, "predicted_label": 1},
        {"score": -4.75, "predicted_label": 0},
    ]


def test_a_classifier_answers_json_lines() -> None:
    assert BINARY.invoke(b"1,2,0.75\n-0.5,0,5", "text/csv", LINES) == (
        b'{"score": 0.5, "predicted_label": 1}\n{"score": 4.539786823443137e-05, "predicted_label": 0}\n',
        LINES,
    )
    answer, _ = MULTICLASS.invoke(b"0,-0.5,0", "text/csv", LINES)
    third = float(np.float32(1 / 3))
    assert answer == f'{{"score": [{third}, {third}, {third}], "predicted_label": 0}}\n'.encode()


def test_a_classifier_answers_recordio_with_two_labels() -> None:
    answer, answered = BINARY.invoke(b"1,2,0.75\n-0.5,0,5", "text/csv", RECORDIO)
    assert answered == RECORDIO
    assert answer == encode_predictions([[0.5], [4.539786823443137e-05]], [1, 0])
    first = framed(labels(score=[0.5], predicted_label=[1.0]))
    assert answer.startswith(first)
    wide = Model(Parameters(np.zeros((100, 3)), np.zeros(100), "SoftmaxOutput"))
    answer, _ = wide.invoke(b"1,2,3", "text/csv", RECORDIO)
    assert answer == framed(labels(score=float32([0.01]) * 100, predicted_label=[0.0])), "longer than a byte can say"


@pytest.mark.parametrize("model", [BINARY, MULTICLASS])
def test_every_request_format_gives_a_classifiers_predictions(model) -> None:
    expected = model.invoke(b"1,2,3\n0.5,0,-1", "text/csv", "")
    for content_type, body in (
        (JSON, json.dumps({"instances": [{"features": row} for row in ROWS]}).encode()),
        (
            LINES,
            b'{"features": [1, 2, 3]}\n{"data": {"features": {"keys": [0, 2], "shape": [3], "values": [0.5, -1]}}}',
        ),
        (RECORDIO, dense_stream(ROWS, label_first=False)),
        (RECORDIO, framed(message(tensor([1, 2, 3]))) + framed(message(tensor([0.5, -1], keys=[0, 2], shape=[3])))),
    ):
        assert model.invoke(body, content_type, "") == expected


def test_a_classifiers_score_does_not_depend_on_the_rows_around_it() -> None:
    random = np.random.default_rng(0)
    model = Model(Parameters(random.normal(size=(6, 37)) / 6, random.normal(size=6), "SoftmaxOutput"))
    rows = [",".join(map(repr, row)) for row in random.normal(size=(101, 37)).tolist()]
    together = json.loads(model.invoke("\n".join(rows).encode(), "text/csv", "")[0])["predictions"]
    alone = [json.loads(model.invoke(row.encode(), "text/csv", "")[0])["predictions"][0] for row in rows]
    assert together == alone


@pytest.mark.parametrize("model", [BINARY, MULTICLASS])
def test_a_classifier_refuses_what_a_regressor_refuses(model) -> None:
    with pytest.raises(InferenceError, match=r"The feature dimension of the input: 2 does not match"):
        model.invoke(b"1,2", "text/csv", "")
    with pytest.raises(InferenceError, match=r"accept 'text/csv' is not supported"):
        model.invoke(b"1,2,3", "text/csv", "text/csv")
    # Infinite sums: the softmax of two of them is no number.
    huge = Model(Parameters(np.full((2, 3), 1e300), np.zeros(2), "SoftmaxOutput"))
    with pytest.raises(InferenceError, match=r"a prediction does not fit float32"):
        huge.invoke(b"1e300,1e300,1e300", "text/csv", "")
