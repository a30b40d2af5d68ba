"""Models of XGBoost, as the library has saved them."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from evaluation.models import XGBOOST, read_model

ROWS = np.random.default_rng(1).normal(size=(60, 3))
LABELS = {
    "reg:squarederror": 100 + ROWS[:, 0],
    "binary:logistic": (ROWS[:, 0] > 0).astype(float),
    "multi:softprob": (ROWS[:, 0] > 0).astype(float) + (ROWS[:, 1] > 0),
}


def booster_of(objective: str) -> xgboost.Booster:
    classes = {"num_class": 3} if objective == "multi:softprob" else {}
    parameters: dict[str, Any] = {"objective": objective, "max_depth": 2, "nthread": 1, **classes}
    return xgboost.train(parameters, xgboost.DMatrix(ROWS, LABELS[objective]), num_boost_round=4)


def artifact(folder: Path, content: bytes, name: str = "xgboost-model") -> Path:
    path = folder / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("objective", LABELS)
def test_a_model_predicts_as_the_library_does_and_its_contributions_add_up(objective, tmp_path) -> None:
    booster = booster_of(objective)
    model = read_model(artifact(tmp_path, bytes(booster.save_raw("ubj"))), XGBOOST)
    expected = booster.predict(xgboost.DMatrix(ROWS))
    assert model.features == 3
    assert model.predict(ROWS).dtype == np.float64
    assert (model.predict(ROWS) == expected).all()
    assert (model.predict_float32(ROWS) == expected).all()
    assert expected.shape == ((60, 3) if objective == "multi:softprob" else (60,))
    contributions = model.contributions(ROWS)
    assert contributions is not None
    assert contributions.shape == (*expected.shape, 4)
    margins = booster.predict(xgboost.DMatrix(ROWS), output_margin=True)
    np.testing.assert_allclose(contributions.sum(axis=-1), margins, rtol=1e-5)
    assert (model.scale(ROWS) >= np.abs(expected).reshape(60, -1).max(axis=1)).all()


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (pickle.dumps({}), "xgboost-model", "its xgboost-model is neither UBJSON nor JSON: a version before 2.1 has"),
        (b'{"learner": 1}', "xgboost-model", "its xgboost-model cannot be loaded: "),
        (b"{}", "other", "it holds no xgboost-model"),
    ],
)
def test_what_is_no_model_is_refused(content, name, expected, tmp_path) -> None:
    with pytest.raises(ValueError, match=f"^{expected}"):
        read_model(artifact(tmp_path, content, name), XGBOOST)


def test_what_is_no_artifact_is_refused(tmp_path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="not a gzip file"):
        read_model(tmp_path / "model.tar.gz", XGBOOST)
