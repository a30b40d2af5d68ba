"""Reads the artifact of a linear-learner regressor, and tells whether two artifacts hold the same model."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class LinearModel:
    """The linear model in an artifact of linear-learner.

    Attributes:
        weights: of shape (features,), for raw features.
        bias: added to the weighted sum.
    """

    weights: npt.NDArray[np.float64]
    bias: float

    def predict(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the scores of rows of features."""
        return features @ self.weights + self.bias

    def scale(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the sums of the absolute values of the scores' terms."""
        return np.abs(features) @ np.abs(self.weights) + abs(self.bias)


def read_artifact(model_tar_gz: Path) -> LinearModel:
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


def arrays_of(data: bytes) -> dict[str, npt.NDArray[np.float64]]:
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


def artifact_digest(model_tar_gz: Path) -> str:
    """Return the SHA-256 of the names and contents of an artifact's files, including files in zip archives.

    The artifact's own bytes cannot be compared: archives contain dates, so equal models have different bytes. Of a
    damaged archive they are all that there is.
    """
    digest = hashlib.sha256()
    try:
        for name, content in sorted(_files(model_tar_gz)):
            digest.update(f"{len(name.encode())}:{name}:{len(content)}:".encode())
            digest.update(content)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError):
        return hashlib.sha256(model_tar_gz.read_bytes()).hexdigest()
    return digest.hexdigest()


def _files(model_tar_gz: Path) -> Iterator[tuple[str, bytes]]:
    if not tarfile.is_tarfile(model_tar_gz):
        yield model_tar_gz.name, model_tar_gz.read_bytes()
        return
    with tarfile.open(model_tar_gz) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is None:
                continue
            content = file.read()
            if not zipfile.is_zipfile(io.BytesIO(content)):
                yield member.name, content
                continue
            with zipfile.ZipFile(io.BytesIO(content)) as inner:
                for name in inner.namelist():
                    yield f"{member.name}/{name}", inner.read(name)
