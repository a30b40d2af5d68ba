"""The small packages that stand for those of SageMaker's images which no package index has."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local.runtime.images import shims


@pytest.fixture
def load() -> Iterator[Any]:
    """Import a module as a script does that runs in an image's environment."""
    folder = str(Path(shims.__file__).parent)
    sys.path.insert(0, folder)
    before = set(sys.modules)
    yield importlib.import_module
    sys.path.remove(folder)
    for name in set(sys.modules) - before:
        if name.startswith(("sagemaker_containers", "sagemaker_xgboost_container")):
            del sys.modules[name]


def test_the_line_by_which_scripts_import_the_framework_works(load: Any) -> None:
    framework = load("sagemaker_containers.beta.framework")
    for name in ("content_types", "encoders", "env", "modules", "transformer", "worker"):
        assert getattr(framework, name) is not None
    with pytest.raises(AttributeError, match=r"does not imitate sagemaker_containers' transformer\.Transformer"):
        framework.transformer.Transformer  # noqa: B018 - reading it is what is refused


def test_a_response_is_flasks_and_json_unless_it_says_otherwise(load: Any) -> None:
    worker = load("sagemaker_containers.beta.framework.worker")
    assert worker.Response("[1]").mimetype == "application/json"
    response = worker.Response("1\n", mimetype="text/csv")
    assert (response.get_data(), response.mimetype, response.status_code) == (b"1\n", "text/csv", 200)


@pytest.mark.parametrize(
    ("content_type", "text"),
    [("text/csv", "1.5,2.0\n3.0,4.0\n"), ("application/json", "[[1.5, 2.0], [3.0, 4.0]]")],
)
def test_arrays_are_encoded_and_decoded(load: Any, content_type: str, text: str) -> None:
    encoders = load("sagemaker_containers.beta.framework.encoders")
    array = np.array([[1.5, 2.0], [3.0, 4.0]])
    assert encoders.encode(array, content_type) == text
    assert np.array_equal(encoders.decode(text, content_type).astype(float), array)
    assert np.array_equal(encoders.decode(encoders.encode(array, "application/x-npy"), "application/x-npy"), array)


def test_csv_of_one_dimension_has_a_value_a_line_and_text_stays_text(load: Any) -> None:
    encoders = load("sagemaker_containers.beta.framework.encoders")
    assert encoders.array_to_csv([1, 2]) == "1\n2\n"
    assert encoders.csv_to_numpy("a,1\n").tolist() == ["a", "1"]


def test_another_content_type_is_refused(load: Any) -> None:
    framework = load("sagemaker_containers.beta.framework")
    for code in (
        framework.encoders.encode,
        framework.encoders.decode,
        load("sagemaker_xgboost_container.encoder").decode,
    ):
        with pytest.raises(framework.errors.UnsupportedFormatError, match="Content type image/png is not supported"):
            code(b"", "image/png")


@pytest.mark.parametrize(
    ("content_type", "body", "rows"),
    [
        ("text/csv", b"1,2\n3,", [[1.0, 2.0], [3.0, np.nan]]),
        ("text/csv; charset=utf-8", "1;2\n3;4", [[1.0, 2.0], [3.0, 4.0]]),
        ("text/libsvm", b"0 1:5 3:7\n1 2:6", [[5.0, 0.0, 7.0], [0.0, 6.0, 0.0]]),
        ("text/x-libsvm", "0 0:5\n1 1:6", [[5.0, 0.0], [0.0, 6.0]]),
    ],
)
def test_a_request_becomes_xgboosts_matrix(load: Any, content_type: str, body: Any, rows: list[list[float]]) -> None:
    matrix = load("sagemaker_xgboost_container.encoder").decode(body, content_type)
    assert np.array_equal(matrix.get_data().toarray(), np.nan_to_num(np.array(rows)))
    assert matrix.num_nonmissing() == np.count_nonzero(~np.isnan(rows))


def test_a_channel_becomes_xgboosts_matrix(load: Any, tmp_path: Path) -> None:
    get_dmatrix = load("sagemaker_xgboost_container.data_utils").get_dmatrix
    (tmp_path / "a.csv").write_text("1,2,3\n")
    (tmp_path / "b.csv").write_text("4,5,6\n7,8,9\n")
    matrix = get_dmatrix(str(tmp_path), "csv")
    assert (matrix.get_label().tolist(), matrix.num_col()) == ([1.0, 4.0, 7.0], 2)
    weighted = get_dmatrix(str(tmp_path), "text/csv", csv_weights=1)
    assert (weighted.get_weight().tolist(), weighted.num_col()) == ([2.0, 5.0, 8.0], 1)
    assert get_dmatrix(str(tmp_path / "missing"), "csv") is None
    with pytest.raises(NotImplementedError, match="parquet"):
        get_dmatrix(str(tmp_path), "parquet")


def test_a_channel_of_libsvm_becomes_xgboosts_matrix(load: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1 1:5")
    (tmp_path / "b").write_text("0 2:6\n")
    matrix = load("sagemaker_xgboost_container.data_utils").get_dmatrix(str(tmp_path), "text/libsvm")
    assert matrix.get_label().tolist() == [1.0, 0.0]
