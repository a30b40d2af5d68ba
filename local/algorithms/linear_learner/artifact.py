"""Read and write the model artifact: ``model_algo-1``, a zip file with an MXNet symbol and its parameters.

The files and parameters have the same names as in SageMaker's artifacts. The contents of ``manifest.json`` and
``additional-params.json`` are not documented, and nothing here reads them.
"""

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner import mxnet_params
from local.core.archives import ArchiveError, open_zip, tar_files
from local.core.files import replacing

_SYMBOL = "mx-mod-symbol.json"
_PARAMS = "mx-mod-0000.params"
_LARGEST_ARTIFACT = 256 * 1024 * 1024
"""The largest unpacked artifact, in bytes. A model of ten million features takes 40 MB."""
_MOST_MEMBERS = 1000
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_CLASSIFIER_OUTPUTS = ("LogisticRegressionOutput", "SoftmaxOutput", "SVMOutput")


@dataclass(frozen=True)
class Parameters:
    """Holds a linear model, in raw units.

    Attributes:
        weights: The weights, of shape (features,).
        bias: The bias, which is added to the weighted sum of the features.
    """

    weights: npt.NDArray[np.float64]
    bias: float


def write(path: Path, weights: npt.NDArray[np.float32], bias: np.float32) -> None:
    """Write ``model_algo-1`` atomically. The same model always gives the same bytes.

    Args:
        path: The file to write.
        weights: The weights in raw units, of shape (features,).
        bias: The bias in raw units.
    """
    params = mxnet_params.dump({"arg:fc0_weight": weights[None, :], "arg:fc0_bias": np.array([bias])})
    members: dict[str, str | bytes] = {
        "additional-params.json": "{}",
        "manifest.json": json.dumps({"symbol": _SYMBOL, "parameters": _PARAMS}),
        _SYMBOL: json.dumps(_symbol()),
        _PARAMS: params,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content)


def read(model_tar_gz: Path) -> Parameters:
    """Read a ``model.tar.gz`` that was made here or by SageMaker.

    Raises:
        ValueError: The file is not the artifact of a linear-learner regressor.
    """
    try:
        archive = open_zip(io.BytesIO(_read_model_file(model_tar_gz)))
        symbol, params = _read_member(archive, ".json", _SYMBOL), _read_member(archive, ".params", _PARAMS)
        return _parameters(mxnet_params.load(params), symbol)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        KeyError,
        RecursionError,
        ValueError,
    ) as error:
        raise ValueError(f"{model_tar_gz} is not the artifact of a linear-learner regressor: {error}") from error


def _read_model_file(model_tar_gz: Path) -> bytes:
    try:
        with gzip.open(model_tar_gz) as stream:
            for name, file in tar_files(stream, most_bytes=_LARGEST_ARTIFACT, most_members=_MOST_MEMBERS):
                if Path(name).name.startswith("model_algo-"):
                    return file.read()
    except gzip.BadGzipFile as error:
        raise ValueError(f"it is not a gzip file, or it is damaged: {error}") from error
    raise ValueError("it has no file named model_algo-1")


def _read_member(archive: zipfile.ZipFile, suffix: str, usual: str) -> bytes:
    names = archive.namelist()
    others = [name for name in names if name.endswith(suffix) and name.startswith("mx-mod")]
    member = archive.getinfo(usual if usual in names or not others else others[0])
    if member.file_size > _LARGEST_ARTIFACT:
        raise ArchiveError(f"{member.filename} unpacks to more than {_LARGEST_ARTIFACT} bytes")
    return archive.read(member)


def _parameters(arrays: dict[str, npt.NDArray[np.float64]], symbol: bytes) -> Parameters:
    if any(output.encode() in symbol for output in _CLASSIFIER_OUTPUTS):
        raise ValueError("it is a classifier")
    weights = [array for name, array in arrays.items() if name.endswith("_weight")]
    biases = [array for name, array in arrays.items() if name.endswith("_bias")]
    if len(weights) != 1 or len(biases) > 1:
        raise ValueError(f"its parameters are {sorted(arrays)}, not one weight and at most one bias")
    if weights[0].ndim != 2 or 1 not in weights[0].shape or any(bias.size != 1 for bias in biases):
        raise ValueError(f"its weights have the shape {weights[0].shape}, but a regressor has one output")
    parameters = Parameters(weights[0].ravel(), float(biases[0].ravel()[0]) if biases else 0.0)
    if not (np.isfinite(parameters.weights).all() and np.isfinite(parameters.bias)):
        raise ValueError("its weights are not finite")
    return parameters


def _symbol() -> dict[str, object]:
    """Return MXNet's JSON for ``LinearRegressionOutput(FullyConnected(data))``."""

    def node(operator: str, name: str, *inputs: int, **attributes: str) -> dict[str, object]:
        fields: dict[str, object] = {"op": operator, "name": name}
        if attributes:
            fields["attrs"] = attributes
        return fields | {"inputs": [[index, 0, 0] for index in inputs]}

    nodes = [
        node("null", "data"),
        node("null", "fc0_weight"),
        node("null", "fc0_bias"),
        node("FullyConnected", "fc0", 0, 1, 2, num_hidden="1"),
        node("null", "out_label"),
        node("LinearRegressionOutput", "out", 3, 4),
    ]
    return {
        "nodes": nodes,
        "arg_nodes": [0, 1, 2, 4],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": [[5, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    }
