"""The model that XGBoost trains: reads it from its artifact, and predicts with the library itself.

Only SageMaker's XGBoost image has the library. Programs for other images do not contain this file.
"""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from evaluation.rows import Numbers

_FILE = "xgboost-model"
_FIRST = b"{"
"""The first byte of a model in UBJSON or JSON, in which versions from 2.1 on save. Older ones may be a pickle."""


@dataclass(frozen=True)
class XGBoostModel:
    """A booster. Its arithmetic is of 32 bits, whatever it is given."""

    booster: xgboost.Booster

    @property
    def features(self) -> int:
        """The number of features of a row."""
        return self.booster.num_features()

    def predict(self, features: Numbers) -> Numbers:
        """Return the predictions or probabilities: see ``Model.predict``."""
        return self._ask(features)

    def predict_float32(self, features: Numbers) -> Numbers:
        """Return the same as ``predict``."""
        return self._ask(features)

    def scale(self, features: Numbers) -> Numbers:
        """Return the sizes of the predictions, of which a typical one is the least."""
        sizes: Numbers = np.abs(self._ask(features)).reshape(len(features), -1).max(axis=1)
        typical = float(sizes.mean())
        return np.maximum(sizes, typical)

    def contributions(self, features: Numbers) -> Numbers | None:
        """Return the SHAP values, which the library computes exactly for trees: see ``Model.contributions``."""
        return self._ask(features, pred_contribs=True)

    def _ask(self, features: Numbers, **options: Any) -> Numbers:
        rows = xgboost.DMatrix(features)
        answers = self.booster.predict(rows, validate_features=False, **options)
        return np.asarray(answers, dtype=np.float64)


def read_xgboost_model(model_tar_gz: Path) -> XGBoostModel:
    """Read a model of XGBoost 2.1 or later.

    The artifact is a tar of ``xgboost-model``, which the library has saved. Source:
    https://github.com/aws/sagemaker-xgboost-container

    Raises:
        ValueError: the artifact does not contain such a model.
    """
    content = _model_file(model_tar_gz)
    if not content.startswith(_FIRST):
        raise ValueError(f"its {_FILE} is neither UBJSON nor JSON: a version before 2.1 has saved it, or it is damaged")
    try:
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
    except xgboost.core.XGBoostError as error:
        raise ValueError(f"its {_FILE} cannot be loaded: {str(error).strip().splitlines()[0]}") from error
    return XGBoostModel(booster)


def _model_file(model_tar_gz: Path) -> bytes:
    try:
        with tarfile.open(model_tar_gz) as archive:
            names = [name for name in archive.getnames() if Path(name).name == _FILE]
            file = archive.extractfile(names[0]) if names else None
            if file is None:
                raise ValueError(f"it holds no {_FILE}")
            return file.read()
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise ValueError(str(error)) from error
