import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local.algorithms.linear_learner import artifact, mxnet_params
from local.algorithms.linear_learner.inference import Model

DATA = Path(__file__).parent / "data"
WEIGHTS, BIAS = np.array([0.25, -1.5, 3.1415927, 1e-7], dtype=np.float32), np.float32(12.5)


@pytest.fixture
def model_file(tmp_path):
    artifact.write(tmp_path / "model_algo-1", WEIGHTS, BIAS)
    return tmp_path / "model_algo-1"


def packed(tmp_path, **files: bytes) -> Path:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            (tmp_path / "content").write_bytes(content)
            tar.add(tmp_path / "content", name.replace("__", "-"))
    return path


def zipped(tmp_path, **members: bytes | str) -> bytes:
    path = tmp_path / "zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr({"symbol": "mx-mod-symbol.json", "params": "mx-mod-0000.params"}.get(name, name), content)
    return path.read_bytes()


def test_the_artifact_has_sagemakers_members_and_mxnets_bytes(model_file) -> None:
    with zipfile.ZipFile(model_file) as archive:
        assert set(archive.namelist()) == {
            "mx-mod-symbol.json",
            "mx-mod-0000.params",
            "manifest.json",
            "additional-params.json",
        }
        assert archive.read("mx-mod-0000.params") == (DATA / "reference.params").read_bytes()
        for name in archive.namelist():
            assert archive.read(name) == (DATA / "artifact" / name).read_bytes(), "MXNet has loaded these bytes"


def test_predictions_are_those_of_mxnet_loading_the_same_artifact(model_file, tmp_path) -> None:
    oracle = json.loads((DATA / "mxnet_predictions.json").read_text())
    model = Model.load(packed(tmp_path, model_algo__1=model_file.read_bytes()))
    body = "\n".join(",".join(map(str, row)) for row in oracle["rows"]).encode()
    scores = [row["score"] for row in json.loads(model.invoke(body, "text/csv", "")[0])["predictions"]]
    np.testing.assert_allclose(scores, oracle["scores"], rtol=1e-6, atol=1e-5)


CLASSIFIERS: dict[str, tuple[Any, ...]] = {
    "logistic": (WEIGHTS, np.float32(-1.5), "LogisticRegressionOutput", 0.25),
    "hinge_loss": (WEIGHTS, np.float32(-1.5), "SVMOutput", -0.75),
    "softmax_loss": (
        np.array([[0.25, -0.5, 0.125, 0], [0, 0.1, 0.2, -0.3], [-0.2, 0.3, 0.1, 0.1]], dtype=np.float32),
        np.array([0.5, 0.0, -1.25], dtype=np.float32),
        "SoftmaxOutput",
        None,
    ),
}


@pytest.fixture(params=CLASSIFIERS)
def loss(request):
    return request.param


def test_a_classifiers_artifact_gives_the_predictions_of_mxnet_loading_it(loss, tmp_path) -> None:
    artifact.write(tmp_path / "model_algo-1", *CLASSIFIERS[loss])
    with zipfile.ZipFile(tmp_path / "model_algo-1") as archive:
        for name in archive.namelist():
            assert archive.read(name) == (DATA / f"artifact_{loss}" / name).read_bytes(), "MXNet has loaded these bytes"
    oracle = json.loads((DATA / "mxnet_classifiers.json").read_text())[loss]
    model = Model.load(packed(tmp_path, model_algo__1=(tmp_path / "model_algo-1").read_bytes()))
    body = "\n".join(",".join(map(str, row)) for row in oracle["rows"]).encode()
    answers = json.loads(model.invoke(body, "text/csv", "")[0])["predictions"]
    np.testing.assert_allclose([row["score"] for row in answers], oracle["scores"], rtol=2e-6, atol=2e-6)


def test_a_classifier_is_read_back_with_its_threshold(loss, tmp_path) -> None:
    artifact.write(tmp_path / "model_algo-1", *CLASSIFIERS[loss])
    parameters = artifact.read(packed(tmp_path, model_algo__1=(tmp_path / "model_algo-1").read_bytes()))
    weights, bias, output, threshold = CLASSIFIERS[loss]
    np.testing.assert_array_equal(parameters.weights, weights)
    np.testing.assert_array_equal(parameters.bias, bias)
    assert (parameters.output, parameters.threshold) == (output, threshold)


@pytest.mark.parametrize(
    "additional", [None, "{}", "[]", '{"threshold": "0.5"}', '{"threshold": true}', '{"threshold": NaN}']
)
def test_a_binary_classifier_without_a_threshold_is_refused_because_its_labels_are_unknown(
    tmp_path, additional
) -> None:
    members = {} if additional is None else {"additional-params.json": additional}
    params = mxnet_params.dump({"arg:fc0_weight": WEIGHTS[None, :]})
    archive = zipped(tmp_path, symbol='{"op": "LogisticRegressionOutput"}', params=params, **members)
    with pytest.raises(ValueError, match=r"additional-params.json"):
        artifact.read(packed(tmp_path, model_algo__1=archive))


def test_what_was_written_is_read_back(model_file, tmp_path) -> None:
    parameters = artifact.read(packed(tmp_path, model_algo__1=model_file.read_bytes()))
    np.testing.assert_array_equal(parameters.weights, WEIGHTS)
    assert parameters.bias == BIAS


def test_the_same_model_has_the_same_bytes_and_leaves_nothing_else(model_file, tmp_path) -> None:
    before = model_file.read_bytes()
    artifact.write(model_file, WEIGHTS, BIAS)
    assert model_file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model_algo-1"]


def test_an_artifact_with_other_layouts_of_sagemaker_is_read(tmp_path) -> None:
    """Another host's name, compressed members, other parameter names, double precision, no bias."""
    params = mxnet_params.dump({"arg:linear0_weight": WEIGHTS[None, :]})
    double = params.replace(WEIGHTS.tobytes(), WEIGHTS.astype("<f8").tobytes())
    type_flag = params.index(WEIGHTS.tobytes()) - 4
    double = double[:type_flag] + b"\x01" + double[type_flag + 1 :]
    archive = zipped(tmp_path, params=double, symbol='{"nodes": []}', other=b"")
    parameters = artifact.read(packed(tmp_path, model_algo__2=archive))
    np.testing.assert_array_equal(parameters.weights, WEIGHTS)
    assert parameters.bias == 0


@pytest.mark.parametrize(
    ("symbol", "arrays", "reason"),
    [
        (
            '{"op": "SoftmaxOutput"}',
            {"arg:fc0_weight": WEIGHTS[None, :]},
            "an output per class",
        ),
        ("{}", {"arg:fc0_weight": np.ones((3, 4), np.float32)}, "a regressor has one output"),
        (
            '{"op": "SoftmaxOutput"}',
            {"arg:fc0_weight": np.ones((3, 4), np.float32), "arg:fc0_bias": np.ones(2, np.float32)},
            "an output per class",
        ),
        ("{}", {"arg:fc0_bias": np.ones(1, np.float32)}, "not one weight and at most one bias"),
        ("{}", {"arg:fc0_weight": np.full((1, 2), np.nan, np.float32)}, "not finite"),
    ],
)
def test_what_is_no_linear_model_is_refused(tmp_path, symbol, arrays, reason) -> None:
    archive = zipped(tmp_path, symbol=symbol, params=mxnet_params.dump(arrays))
    with pytest.raises(ValueError, match=rf"model.tar.gz.*{reason}"):
        artifact.read(packed(tmp_path, model_algo__1=archive))


def test_damaged_artifacts_are_refused(tmp_path, model_file) -> None:
    content = model_file.read_bytes()
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"not a tar")
    damaged = [broken, packed(tmp_path, xgboost_model=content)]
    for path in damaged:
        with pytest.raises(ValueError, match=r"is not the artifact of a linear-learner model"):
            artifact.read(path)
    for part in (
        b"zip",
        content[:200],
        zipped(tmp_path, symbol="{}"),
        zipped(tmp_path, symbol="{}", params=b"\x12\x01"),
    ):
        with pytest.raises(ValueError, match=r"is not the artifact of a linear-learner model"):
            artifact.read(packed(tmp_path, model_algo__1=part))


def test_every_cut_of_the_parameters_is_a_value_error() -> None:
    whole = (DATA / "reference.params").read_bytes()
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"the parameters are"):
            mxnet_params.load(whole[:length])
