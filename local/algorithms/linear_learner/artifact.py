"""Read and write the model artifact: ``model_algo-1``, a zip file with an MXNet symbol and its parameters.

The files and parameters have the same names as in SageMaker's artifacts. The contents of ``manifest.json`` and
``additional-params.json`` are not documented. Here, the latter has a binary classifier's threshold.
"""

import gzip
import io
import json
import math
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner import links, mxnet_params
from local.core.archives import ArchiveError, open_zip, tar_files
from local.core.files import replacing

_SYMBOL = "mx-mod-symbol.json"
_PARAMS = "mx-mod-0000.params"
_ADDITIONAL = "additional-params.json"
_LARGEST_ARTIFACT = 256 * 1024 * 1024
"""The largest unpacked artifact, in bytes. A model of ten million features takes 40 MB."""
_MOST_MEMBERS = 1000
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_CLASSIFIER_OUTPUTS = (links.LOGISTIC, links.SOFTMAX, links.HINGE)


@dataclass(frozen=True)
class Parameters:
    """Holds a linear model, in raw units.

    Attributes:
        weights: The weights, of shape (features,); of a multiclass classifier, of shape (classes, features).
        bias: The bias, which is added to the weighted sum of the features; of a multiclass classifier, of shape
            (classes,).
        output: MXNet's operator that makes scores of the sums, see ``links``.
        threshold: The lowest score whose predicted label is 1; None if the model is not a binary classifier.
    """

    weights: npt.NDArray[np.float64]
    bias: float | npt.NDArray[np.float64]
    output: str = links.IDENTITY
    threshold: float | None = None


def write(
    path: Path,
    weights: npt.NDArray[np.float32],
    bias: np.float32 | npt.NDArray[np.float32],
    output: str = links.IDENTITY,
    threshold: float | None = None,
) -> None:
    """Write ``model_algo-1`` atomically. The same model always gives the same bytes.

    Args:
        path: The file to write.
        weights: The weights in raw units, of shape (features,) or (classes, features).
        bias: The bias in raw units, of shape () or (classes,).
        output: MXNet's operator that makes scores of the sums, see ``links``.
        threshold: The threshold of a binary classifier, else None.
    """
    weights, bias = np.atleast_2d(weights), np.atleast_1d(np.asarray(bias))
    members: dict[str, str | bytes] = {
        _ADDITIONAL: json.dumps({} if threshold is None else {"threshold": threshold}),
        "manifest.json": json.dumps({"symbol": _SYMBOL, "parameters": _PARAMS}),
        _SYMBOL: json.dumps(_symbol(len(weights), output)),
        _PARAMS: mxnet_params.dump({"arg:fc0_weight": weights, "arg:fc0_bias": bias}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content)


def read(model_tar_gz: Path) -> Parameters:
    """Read a ``model.tar.gz`` that was made here, or by SageMaker if no threshold is needed.

    Raises:
        ValueError: The file is not the artifact of a linear-learner model.
    """
    try:
        archive = open_zip(io.BytesIO(_read_model_file(model_tar_gz)))
        symbol, params = _read_member(archive, ".json", _SYMBOL), _read_member(archive, ".params", _PARAMS)
        output = next((name for name in _CLASSIFIER_OUTPUTS if name.encode() in symbol), links.IDENTITY)
        threshold = _threshold(archive) if output in (links.LOGISTIC, links.HINGE) else None
        return _parameters(mxnet_params.load(params), output, threshold)
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
        raise ValueError(f"{model_tar_gz} is not the artifact of a linear-learner model: {error}") from error


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


def _threshold(archive: zipfile.ZipFile) -> float:
    """Return the threshold of a binary classifier that was trained here."""
    additional = json.loads(_read_member(archive, _ADDITIONAL, _ADDITIONAL))
    threshold = additional.get("threshold") if isinstance(additional, dict) else None
    if not isinstance(threshold, float | int) or isinstance(threshold, bool) or not math.isfinite(threshold):
        raise ValueError(
            f"it is a binary classifier, and {_ADDITIONAL} has no number 'threshold', where this service keeps it; "
            "where SageMaker keeps it is not documented"
        )
    return float(threshold)


def _parameters(arrays: dict[str, npt.NDArray[np.float64]], output: str, threshold: float | None) -> Parameters:
    weights = [array for name, array in arrays.items() if name.endswith("_weight")]
    biases = [array for name, array in arrays.items() if name.endswith("_bias")]
    if len(weights) != 1 or len(biases) > 1:
        raise ValueError(f"its parameters are {sorted(arrays)}, not one weight and at most one bias")
    weight = weights[0]
    shape = weight.shape
    if output == links.SOFTMAX:
        bias = biases[0].ravel() if biases else np.zeros(shape[0])
        if weight.ndim != 2 or shape[0] < 2 or bias.shape != shape[:1]:
            raise ValueError(f"its weights have the shape {shape}, but a multiclass classifier has an output per class")
        parameters = Parameters(weight, bias, output)
    else:
        if weight.ndim != 2 or 1 not in shape or any(bias.size != 1 for bias in biases):
            kind = "regressor" if output == links.IDENTITY else "binary classifier"
            raise ValueError(f"its weights have the shape {shape}, but a {kind} has one output")
        parameters = Parameters(weight.ravel(), float(biases[0].ravel()[0]) if biases else 0.0, output, threshold)
    if not (np.isfinite(parameters.weights).all() and np.isfinite(parameters.bias).all()):
        raise ValueError("its weights are not finite")
    return parameters


def _symbol(outputs: int, output: str) -> dict[str, object]:
    """Return MXNet's JSON for ``output(FullyConnected(data))``."""

    def node(operator: str, name: str, *inputs: int, **attributes: str) -> dict[str, object]:
        fields: dict[str, object] = {"op": operator, "name": name}
        if attributes:
            fields["attrs"] = attributes
        return fields | {"inputs": [[index, 0, 0] for index in inputs]}

    nodes = [
        node("null", "data"),
        node("null", "fc0_weight"),
        node("null", "fc0_bias"),
        node("FullyConnected", "fc0", 0, 1, 2, num_hidden=str(outputs)),
        node("null", "out_label"),
        node(output, "out", 3, 4),
    ]
    return {
        "nodes": nodes,
        "arg_nodes": [0, 1, 2, 4],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": [[5, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10901]},
    }
