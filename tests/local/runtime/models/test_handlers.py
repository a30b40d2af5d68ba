"""The model server's handlers, in this process: what a script's functions are given, and what becomes of results."""

from __future__ import annotations

import io
import itertools
import json
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from model_server.defaults import DEFAULTS
from model_server.handlers import Handlers
from model_server.response import Response
from sagemaker_inference.errors import GenericInferenceToolkitError

from local.runtime.images.table import IMAGES

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
_numbers = itertools.count(1)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Handlers]:
    """Loads a script with these functions; its model is the number 2."""

    def make(framework: str, **functions: Any) -> Handlers:
        name = f"user_script_{next(_numbers)}"
        module = types.ModuleType(name)
        vars(module).update({"model_fn": lambda _: 2.0, **functions})
        monkeypatch.setitem(sys.modules, name, module)
        return Handlers(framework, name, "/opt/ml/model", JSON)

    return make


def times(data: Any, model: float) -> Any:
    return (data * model).sum(axis=1)


def nothing(_first: Any, _second: Any) -> Any:
    return 0


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_the_server_has_defaults_for_the_frameworks_of_the_known_images_and_for_no_others() -> None:
    assert set(DEFAULTS) == {image.framework for image in IMAGES}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[[1, 2], [3, 4]]", JSON),
        (b"1,2\n3,4", CSV),
        (npy(np.array([[1, 2], [3, 4]])), NPY),
        (b"[[1, 2], [3, 4]]", None),
    ],
)
def test_scikit_learns_defaults_read_json_csv_and_npy(load, body, content_type) -> None:
    assert load("scikit-learn", predict_fn=times).answer(body, content_type, None) == (200, JSON, b"[6.0, 14.0]")


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        (None, (200, JSON, b"[6.0]")),
        ("*/*", (200, JSON, b"[6.0]")),
        (CSV, (200, "text/csv; charset=utf-8", b"6.0\n")),
        (NPY, (200, NPY, npy(np.array([6.0], dtype=np.float32)))),
    ],
)
def test_scikit_learns_defaults_write_what_the_client_accepts(load, accept, answer) -> None:
    assert load("scikit-learn", predict_fn=times).answer(b"[[1, 2]]", JSON, accept) == answer


@pytest.mark.parametrize(("content_type", "given"), [(JSON, "1"), (CSV, "1"), ("text/csv; header=present", b"1")])
@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
def test_only_json_and_csv_are_text_for_handlers(load, framework, content_type, given) -> None:
    seen = []

    def input_fn(content: Any, content_type: str) -> Any:
        seen.append((content, content_type))
        return content

    handlers = load(framework, input_fn=input_fn, predict_fn=nothing, output_fn=lambda _prediction, _accept: ("x", CSV))
    assert handlers.answer(b"1", content_type, None)[0] == 200
    assert seen == [(given, content_type)]


@pytest.mark.parametrize(
    ("result", "flask", "toolkit"),
    [
        ("a", (200, "text/html; charset=utf-8", b"a"), (200, CSV, b"a")),
        (b"a", (200, "text/html; charset=utf-8", b"a"), (200, CSV, b"a")),
        (("a", "text/plain"), (200, "text/plain; charset=utf-8", b"a"), (200, "text/plain", b"a")),
        ({"a": 1}, (200, JSON, b'{"a": 1}'), (200, CSV, b'{"a": 1}')),
        (Response("a", mimetype="text/plain", status=201), (201, "text/plain; charset=utf-8", b"a"), None),
    ],
)
def test_what_output_fn_returns_becomes_the_answer(load, result, flask, toolkit) -> None:
    functions = {"input_fn": nothing, "predict_fn": nothing, "output_fn": lambda _prediction, _accept: result}
    assert load("scikit-learn", **functions).answer(b"", CSV, CSV) == flask
    assert load("xgboost", **functions).answer(b"", CSV, CSV) == (toolkit or flask)


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
def test_transform_fn_takes_the_place_of_the_others(load, framework) -> None:
    def transform_fn(model: float, content: str, content_type: str, accept: str) -> tuple[str, str]:
        return f"{model} {content} {content_type} {accept}", "text/plain"

    handlers = load(framework, transform_fn=transform_fn)
    assert handlers.answer(b"body", CSV, None)[2] == f"2.0 body {CSV} {JSON}".encode()
    with pytest.raises(ValueError, match="Cannot use transform_fn implementation"):
        load(framework, transform_fn=transform_fn, predict_fn=times)


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
def test_a_script_without_model_fn_is_refused(load, framework) -> None:
    with pytest.raises(NotImplementedError, match="Please provide a model_fn implementation"):
        load(framework, model_fn=None)


def fails(_data: Any, _model: Any) -> Any:
    raise ValueError("the row is bad")


def test_scikit_learns_errors_are_a_page_and_a_traceback_in_the_log(load, capsys) -> None:
    status, content_type, body = load("scikit-learn", predict_fn=fails).answer(b"[[1]]", JSON, None)
    assert (status, content_type) == (500, "text/html; charset=utf-8")
    assert b"<title>500 Internal Server Error</title>" in body
    assert b"the row is bad" not in body
    assert "ValueError: the row is bad" in capsys.readouterr().err


@pytest.mark.parametrize("content_type", ["image/png", "application/x-recordio-protobuf"])
def test_an_unknown_content_type_is_a_servers_error_in_scikit_learns_container(load, content_type, capsys) -> None:
    assert load("scikit-learn", predict_fn=times).answer(b"x", content_type, None)[0] == 500
    assert f"Content type {content_type} is not supported by this framework." in capsys.readouterr().err


def test_the_toolkits_errors_are_message_and_traceback(load, capsys) -> None:
    functions = {"input_fn": nothing, "predict_fn": fails}
    status, _, body = load("xgboost", **functions).answer(b"1", CSV, None)
    assert status == 500
    assert body.decode().startswith("the row is bad\nTraceback (most recent call last):\n")
    assert "ValueError: the row is bad" in capsys.readouterr().err


def test_a_handler_chooses_its_errors_status(load) -> None:
    def predict_fn(_data: Any, _model: Any) -> Any:
        raise GenericInferenceToolkitError(422, "no such row")

    status, _, body = load("xgboost", input_fn=nothing, predict_fn=predict_fn).answer(b"1", CSV, None)
    assert (status, body.splitlines()[0]) == (422, b"no such row")


def test_the_toolkits_handlers_may_take_a_context(load) -> None:
    handlers = load("xgboost", input_fn=lambda body, _, context: (body, context), predict_fn=lambda data, _: data)
    assert handlers.answer(b"1", CSV, None) == (200, JSON, b'["1", null]')
    with pytest.raises(TypeError, match="takes 3 arguments but 1 were given"):
        load("xgboost", model_fn=lambda *_, a, b: 1)


@pytest.mark.slow
def test_xgboosts_defaults_read_csv_and_libsvm(load) -> None:
    xgboost = pytest.importorskip("xgboost")
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    booster = xgboost.train({"max_depth": 1}, xgboost.DMatrix(rows, label=rows[:, 0]), 2)
    handlers = load("xgboost", model_fn=lambda _: booster)
    expected = booster.predict(xgboost.DMatrix(rows[:2]))
    for body, content_type in ((b"0,1\n1,0", CSV), (b"0 0:0 1:1\n0 0:1 1:0", "text/libsvm")):
        status, answer_type, answer = handlers.answer(body, content_type, None)
        assert (status, answer_type, json.loads(answer)) == (200, JSON, expected.tolist())
    assert handlers.answer(b"0,1", CSV, CSV) == (200, CSV, f"{expected[0]!s}\n".encode())
