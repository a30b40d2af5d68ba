from __future__ import annotations

import hashlib
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from evaluation import artifact as steps_artifact
from evaluation.artifact import artifact_digest, read_artifact

from local.algorithms.linear_learner import artifact
from tests.local.conftest import make_artifact


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(make_artifact(tmp_path, [0.5, -2.0, 1e-3], 7.25))
    return path


def test_an_artifact_is_read_as_the_local_service_reads_it(model_file) -> None:
    ours, theirs = read_artifact(model_file), artifact.read(model_file)
    np.testing.assert_array_equal(ours.weights, theirs.weights)
    assert ours.bias == theirs.bias == 7.25


def test_parameters_that_mxnet_wrote_are_read() -> None:
    # 1.9.1's own bytes; see tests/linear_learner/make_mxnet_oracle.py.
    data = (Path(__file__).parents[2] / "local/algorithms/linear_learner/data/reference.params").read_bytes()
    from local.algorithms.linear_learner import mxnet_params

    expected = mxnet_params.load(data)
    arrays = steps_artifact.arrays_of(data)
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, expected[name].ravel())


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"no archive", lambda _: b""])
def test_what_is_no_artifact_is_an_error_of_one_kind(model_file, damage) -> None:
    model_file.write_bytes(damage(model_file.read_bytes()))
    with pytest.raises(ValueError, match=r"\S"):
        read_artifact(model_file)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_no_linear_model(tmp_path, value) -> None:
    # Their predictions would write NaN into best.json, which JsonGet does not read.
    (tmp_path / "model.tar.gz").write_bytes(make_artifact(tmp_path, [0.5, value], 7.25))
    with pytest.raises(ValueError, match="its parameters are not finite numbers"):
        read_artifact(tmp_path / "model.tar.gz")


def test_a_size_beyond_the_machine_is_no_linear_model(tmp_path) -> None:
    head = struct.pack("<QQQIiI2qiii", 0x112, 0, 1, 0, 0, 2, 2**62, 4, 0, 0, 0)
    with pytest.raises(ValueError, match="not those of a linear model"):
        read_artifact(packed(tmp_path / "model.tar.gz", params=head))


def packed(path, name="model_algo-1", date=(2026, 1, 1, 0, 0, 0), params=b"weights"):
    """An artifact as linear-learner packs it: a zip in a tar, both with dates."""
    model = io.BytesIO()
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mx-mod-0000.params", date), params)
        archive.writestr(zipfile.ZipInfo("mx-mod-symbol.json", date), b"{}")
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.mtime = len(model.getvalue()), date[0]
        archive.addfile(member, io.BytesIO(model.getvalue()))
    return path


def test_the_same_model_has_the_same_digest_whenever_it_was_packed(tmp_path) -> None:
    one = artifact_digest(packed(tmp_path / "one.tar.gz"))
    assert artifact_digest(packed(tmp_path / "two.tar.gz", date=(2027, 2, 3, 4, 5, 6))) == one
    assert (tmp_path / "one.tar.gz").read_bytes() != (tmp_path / "two.tar.gz").read_bytes()


@pytest.mark.parametrize("change", [{"params": b"weightz"}, {"name": "model_algo-2"}])
def test_another_model_has_another_digest(tmp_path, change) -> None:
    one = artifact_digest(packed(tmp_path / "one.tar.gz"))
    assert artifact_digest(packed(tmp_path / "two.tar.gz", **change)) != one


def test_a_damaged_artifact_has_a_digest_of_its_bytes(tmp_path) -> None:
    path = packed(tmp_path / "one.tar.gz")
    whole = artifact_digest(path)
    path.write_bytes(path.read_bytes()[:-30])
    assert artifact_digest(path) != whole
    assert artifact_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
