"""The model that linear-learner trains: reads it from its artifact, and predicts with it."""

from __future__ import annotations

import io
import json
import math
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.rows import Numbers

_LOGISTIC, _SOFTMAX, _HINGE = b"LogisticRegressionOutput", b"SoftmaxOutput", b"SVMOutput"
"""MXNet's operators that make a classifier's scores of the weighted sums."""


@dataclass(frozen=True)
class LinearModel:
    """The regressor in an artifact of linear-learner.

    Attributes:
        weights: of shape (features,), for raw features.
        bias: added to the weighted sum.
    """

    weights: Numbers
    bias: float

    @property
    def features(self) -> int:
        """The number of features of a row."""
        return len(self.weights)

    def predict(self, features: Numbers) -> Numbers:
        """Return the predictions for rows of features."""
        return features @ self.weights + self.bias

    def predict_float32(self, features: Numbers) -> Numbers:
        """Return the predictions, computed with 32-bit numbers."""
        single = features.astype(np.float32) @ self.weights.astype(np.float32) + np.float32(self.bias)
        return single.astype(np.float64)

    def contributions(self, features: Numbers) -> Numbers | None:
        """Return each feature's term, with the bias last: SHAP values against features of 0."""
        return np.column_stack([features * self.weights, np.full(len(features), self.bias)])

    def scale(self, features: Numbers) -> Numbers:
        """Return the sums of the absolute values of the predictions' terms."""
        return np.abs(features) @ np.abs(self.weights) + abs(self.bias)


@dataclass(frozen=True)
class LinearClassifier:
    """The classifier in an artifact of linear-learner.

    Attributes:
        weights: of shape (features,) for two classes, else (classes, features), for raw features.
        bias: of shape () or (classes,).
        output: MXNet's operator that makes scores of the weighted sums.
        threshold: of two classes, class 1 is predicted from this score on.
    """

    weights: Numbers
    bias: Numbers
    output: bytes = _LOGISTIC
    threshold: float = 0.5

    @property
    def features(self) -> int:
        """The number of features of a row."""
        return int(self.weights.shape[-1])

    def predict(self, features: Numbers) -> Numbers:
        """Return the probabilities for rows of features; with the hinge loss, the weighted sums."""
        return self._scores(features @ self.weights.T + self.bias)

    def predict_float32(self, features: Numbers) -> Numbers:
        """Return the same, computed with 32-bit numbers."""
        single = features.astype(np.float32) @ self.weights.T.astype(np.float32) + self.bias.astype(np.float32)
        return self._scores(single.astype(np.float64))

    def contributions(self, features: Numbers) -> Numbers | None:
        """Return each feature's term of each weighted sum, with the bias last: SHAP values against features of 0."""
        terms = features[:, None, :] * np.atleast_2d(self.weights)
        biases = np.broadcast_to(np.atleast_1d(self.bias)[:, None], (*terms.shape[:2], 1))
        whole = np.concatenate([terms, biases], axis=2)
        return whole[:, 0] if self.weights.ndim == 1 else whole

    def scale(self, features: Numbers) -> Numbers:
        """Return the sums of the absolute values of the weighted sums' terms; of probabilities at least 1."""
        terms = np.abs(features) @ np.abs(self.weights.T) + np.abs(self.bias)
        largest = np.asarray(terms.reshape(len(features), -1).max(axis=1))
        # The logistic function's slope is one quarter at most.
        return largest if self.output == _HINGE else np.maximum(largest / 4, 1.0)

    def _scores(self, sums: Numbers) -> Numbers:
        if self.output == _LOGISTIC:
            small = np.exp(-np.abs(sums))
            return np.asarray(np.where(sums >= 0, 1.0, small) / (1.0 + small))
        if self.output == _SOFTMAX:
            powers = np.exp(sums - sums.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        return sums


def read_linear_model(model_tar_gz: Path) -> LinearModel | LinearClassifier:
    """Read the model in an artifact of linear-learner.

    The artifact is a tar of a zip with MXNet's NDArray list, little-endian: a header of 24 bytes with the number of
    arrays; for each its version, storage, shape, device, type (0 is float32) and values; then their names. Source:
    ``NDArray::Save`` in MXNet 1.9.1, src/ndarray/ndarray.cc. The symbol beside it names the output operator. Where
    SageMaker keeps the threshold of a classifier of two classes is not documented: it is read from ``threshold`` of
    additional-params.json, where the local service writes it.

    Raises:
        ValueError: the artifact does not contain such a model.
    """
    try:
        with tarfile.open(model_tar_gz) as archive:
            names = [name for name in archive.getnames() if Path(name).name.startswith("model_algo-")]
            file = archive.extractfile(names[0]) if names else None
            if file is None:
                raise ValueError("it holds no model_algo file")
            with zipfile.ZipFile(io.BytesIO(file.read())) as model:
                linear = _model_of(model)
    # zipfile raises RuntimeError for files that are encrypted or compressed in a way that it does not know.
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise ValueError(str(error)) from error
    except (struct.error, LookupError, StopIteration, OverflowError) as error:
        raise ValueError("its parameters are not those of a linear model") from error
    if not (np.isfinite(linear.weights).all() and np.isfinite(linear.bias).all()):
        raise ValueError("its parameters are not finite numbers")
    return linear


def _model_of(model: zipfile.ZipFile) -> LinearModel | LinearClassifier:
    names = model.namelist()
    arrays = arrays_of(model.read(next(name for name in names if name.endswith(".params"))))
    weights = next(array for name, array in arrays.items() if name.endswith("_weight"))
    bias = next((array.ravel() for name, array in arrays.items() if name.endswith("_bias")), np.zeros(1))
    symbols = [name for name in names if name.endswith("symbol.json")]
    symbol = model.read(symbols[0]) if symbols else b""
    output = next((name for name in (_LOGISTIC, _SOFTMAX, _HINGE) if name in symbol), None)
    if output is None:
        return LinearModel(weights.ravel(), float(bias[0]))
    if output == _SOFTMAX:
        if weights.ndim != 2 or len(bias) not in (1, len(weights)):
            raise ValueError("its parameters are not those of a linear model")
        return LinearClassifier(weights, np.broadcast_to(bias, (len(weights),)), output)
    return LinearClassifier(weights.ravel(), bias[0], output, _threshold(model))


def _threshold(model: zipfile.ZipFile) -> float:
    additional = [name for name in model.namelist() if name.endswith("additional-params.json")]
    content = json.loads(model.read(additional[0])) if additional else None
    threshold = content.get("threshold") if isinstance(content, dict) else None
    if not isinstance(threshold, float | int) or not math.isfinite(threshold):
        raise ValueError("it is a classifier of two classes, and additional-params.json has no threshold")
    return float(threshold)


def arrays_of(data: bytes) -> dict[str, Numbers]:
    """Return the arrays of MXNet's NDArray list by name."""
    magic, _, count = struct.unpack_from("<QQQ", data)
    if magic != 0x112:
        raise ValueError("its parameters are not an MXNet NDArray list")
    position, arrays, named = 24, [], {}
    for _ in range(count):
        _, storage, dimensions = struct.unpack_from("<IiI", data, position)
        shape = struct.unpack_from(f"<{dimensions}q", data, position + 12)
        position += 12 + 8 * dimensions
        _, _, kind = struct.unpack_from("<iii", data, position)
        if storage != 0 or kind != 0:
            raise ValueError("its parameters are sparse or not of 32-bit floating point")
        size = math.prod(shape)
        values = np.frombuffer(data, "<f4", size, position + 12).astype(np.float64)
        arrays.append(values.reshape(shape))
        position += 12 + 4 * size
    position += 8
    for array in arrays:
        (length,) = struct.unpack_from("<Q", data, position)
        named[data[position + 8 : position + 8 + length].decode()] = array
        position += 8 + length
    return named
