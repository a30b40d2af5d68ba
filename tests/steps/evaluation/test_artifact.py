from __future__ import annotations

import hashlib

import pytest
from evaluation.artifact import artifact_digest

from tests.steps.evaluation.conftest import packed


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
