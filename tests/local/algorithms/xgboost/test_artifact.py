"""The artifact, which the plain library writes and reads too."""

import io
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xgboost

from local.algorithms.xgboost import artifact, ubjson


@pytest.fixture(scope="module")
def model() -> xgboost.Booster:
    random = np.random.default_rng(2)
    features = random.normal(size=(200, 3))
    data = xgboost.DMatrix(features, label=features[:, 0] * 2 + 100)
    return xgboost.train({"max_depth": 3}, data, num_boost_round=6)


def pack(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_", "-"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_an_artifact_is_what_the_library_saves(model, tmp_path):
    artifact.write(tmp_path / "ours", model)
    model.save_model(tmp_path / "plain.ubj")
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "plain.ubj").read_bytes()


@pytest.mark.parametrize("form", ["ubj", "json"])
def test_a_model_of_the_library_is_read(model, tmp_path, form):
    path = pack(tmp_path / "model.tar.gz", xgboost_model=bytes(model.save_raw(form)), code__inference=b"x")
    rows = xgboost.DMatrix(np.eye(3))
    np.testing.assert_array_equal(artifact.read(path).predict(rows), model.predict(rows))


def test_a_damaged_model_is_refused_before_the_library_sees_it(model, tmp_path, monkeypatch):
    monkeypatch.setattr(xgboost.Booster, "load_model", lambda *_: pytest.fail("the library saw it"))
    whole = bytes(model.save_raw("ubj"))
    for size in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        with pytest.raises(ValueError, match=r"is not an artifact of XGBoost 3\.2"):
            artifact.read(pack(tmp_path / "model.tar.gz", xgboost_model=whole[:size]))


def _document(model: xgboost.Booster, **changes: object) -> bytes:
    document = json.loads(bytes(model.save_raw("json")))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    for name, value in changes.items():
        if name == "version":
            document["version"] = value
        else:
            tree[name] = value
    return json.dumps(document, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": [3, 3, 0]}, "it was saved by XGBoost 3.3.0"),
        ({"left_children": [99] * 15}, "a tree's nodes do not form a tree"),
        ({"left_children": [0] * 15}, "a tree's nodes do not form a tree"),
        ({"split_indices": []}, "a tree's arrays differ in length"),
        ({"split_indices": [99] * 15}, "a tree splits by an unknown feature"),
    ],
)
def test_a_model_that_would_predict_wrongly_is_refused(model, tmp_path, changes, reason):
    with pytest.raises(ValueError, match=reason):
        artifact.read(pack(tmp_path / "model.tar.gz", xgboost_model=_document(model, **changes)))


def test_what_the_library_does_not_load_ends_another_process_than_ours(model, tmp_path):
    whole = bytes(model.save_raw("ubj")).replace(b"base_weights", b"base_Weights")
    with pytest.raises(ValueError, match="is not an artifact of XGBoost"):
        artifact.read(pack(tmp_path / "model.tar.gz", xgboost_model=whole))


class _Harmful:
    def __reduce__(self):
        return (pytest.fail, ("the pickle ran",))


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "it has no file named xgboost-model"),
        ({"xgboost_model": b"binf\0"}, "it is in the binary format of XGBoost 1.x"),
        ({"xgboost_model": pickle.dumps(_Harmful())}, "a pickle is not loaded here"),
        ({"a": b"{}", "b": b"{}"}, "the container makes an ensemble of them"),
        ({"xgboost_model": b"{}"}, "is not an artifact"),
        ({"xgboost_model": b'{"version":[3,2,0]}'}, "is not an artifact"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, files, reason):
    with pytest.raises(ValueError, match=reason):
        artifact.read(pack(tmp_path / "model.tar.gz", **files))


def test_ubjson_is_read_as_the_library_writes_it(model):
    read = ubjson.load(bytes(model.save_raw("ubj")))
    expected = json.loads(bytes(model.save_raw("json")))

    def plain(value):
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        if isinstance(value, list | np.ndarray):
            return [plain(item) for item in value]
        return pytest.approx(value, rel=1e-6) if isinstance(value, float | np.floating) else value

    assert plain(read) == expected
