"""The model that linear-learner trains: reads it from its artifact, and predicts with it."""

from __future__ import annotations

import io
import math
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.rows import Numbers


@dataclass(frozen=True)
class LinearModel:
    """The linear model in an artifact of linear-learner.

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


def read_linear_model(model_tar_gz: Path) -> LinearModel:
    """Read the weights of a linear-learner regressor.

    The artifact is a tar of a zip with MXNet's NDArray list, little-endian: a header of 24 bytes with the number of
    arrays; for each its version, storage, shape, device, type (0 is float32) and values; then their names. Source:
    ``NDArray::Save`` in MXNet 1.9.1, src/ndarray/ndarray.cc.

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
                params = [name for name in model.namelist() if name.endswith(".params")]
                arrays = arrays_of(model.read(params[0]))
        weights = next(array for name, array in arrays.items() if name.endswith("_weight"))
        biases = [array for name, array in arrays.items() if name.endswith("_bias")]
        linear = LinearModel(weights.ravel(), float(biases[0].ravel()[0]) if biases else 0.0)
    # zipfile raises RuntimeError for files that are encrypted or compressed in a way that it does not know.
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise ValueError(str(error)) from error
    except (struct.error, LookupError, StopIteration, OverflowError) as error:
        raise ValueError("its parameters are not those of a linear model") from error
    if not (np.isfinite(linear.weights).all() and math.isfinite(linear.bias)):
        raise ValueError("its parameters are not finite numbers")
    return linear


def arrays_of(data: bytes) -> dict[str, Numbers]:
    """Return the arrays of MXNet's NDArray list by name, each flat."""
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
        arrays.append(np.frombuffer(data, "<f4", size, position + 12).astype(np.float64))
        position += 12 + 4 * size
    position += 8
    for array in arrays:
        (length,) = struct.unpack_from("<Q", data, position)
        named[data[position + 8 : position + 8 + length].decode()] = array
        position += 8 + length
    return named
