"""Read and write the model artifact: ``xgboost-model``, a model file of the library in UBJSON."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from typing import Any, Final

import xgboost

from local.algorithms.xgboost import model_checks, ubjson
from local.core.archives import tar_files
from local.core.files import replacing
from local.core.settings import REPOSITORY

FILE: Final = "xgboost-model"
VERSION: Final = (3, 2)
"""The library's version in the image, without the patch number."""
_LARGEST_ARTIFACT = 1024 * 1024 * 1024
_MOST_MEMBERS = 1000
_CHUNK_BYTES = 1 << 20
_PROBE_SECONDS = 120
_OLD_FORMATS: Final = {b"binf": "the binary format of XGBoost 1.x", b"bs64": "the binary format of XGBoost 1.x"}


def write(path: Path, model: xgboost.Booster) -> None:
    """Write ``xgboost-model`` atomically, with the bytes of the library's ``save_model``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished:
        unfinished.write_bytes(bytes(model.save_raw("ubj")))


def read(model_tar_gz: Path) -> xgboost.Booster:
    """Read a ``model.tar.gz`` that was made here or by SageMaker.

    Raises:
        ValueError: The file is not the artifact of an XGBoost model that version 3.2 loads without loss.
    """
    try:
        content = _read_model_file(model_tar_gz)
        document = _document(content)
        _check_version(document)
        model_checks.check(document)
        _probe(content)
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
    except KeyError as error:
        raise ValueError(f"{model_tar_gz} is not an artifact of XGBoost 3.2: it has no member {error}") from error
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, RecursionError, TypeError) as error:
        raise ValueError(f"{model_tar_gz} is not an artifact of XGBoost 3.2: {error}") from error
    booster.set_param({"nthread": 1})
    return booster


def _read_model_file(model_tar_gz: Path) -> bytes:
    """Return the content of the only file beside folders and hidden files, as the container chooses it."""
    found: dict[str, bytes] = {}
    try:
        with gzip.open(model_tar_gz) as stream:
            for name, file in tar_files(stream, most_bytes=_LARGEST_ARTIFACT, most_members=_MOST_MEMBERS):
                place = Path(name)
                if len(place.parts) == 1 and not place.name.startswith("."):
                    found[place.name] = file.read()
            while stream.read(_CHUNK_BYTES):  # to the end, where the checksum is
                pass
    except gzip.BadGzipFile as error:
        raise ValueError(f"it is not a gzip file, or it is damaged: {error}") from error
    if not found:
        raise ValueError(f"it has no file named {FILE}")
    if len(found) > 1:
        raise ValueError(
            f"it has the files {', '.join(sorted(found))}: the container makes an ensemble of them, which the local "
            "service does not implement"
        )
    return next(iter(found.values()))


def _document(content: bytes) -> Any:
    for start, name in _OLD_FORMATS.items():
        if content.startswith(start):
            raise ValueError(f"it is in {name}, which XGBoost 3.2 does not load")
    if not content.startswith(b"{"):
        # The container unpickles such a file, which can run any code.
        raise ValueError("it is neither UBJSON nor JSON; a pickle is not loaded here")
    return json.loads(content) if content[1:].lstrip()[:1] in (b'"', b"}") else ubjson.load(content)


def _probe(content: bytes) -> None:
    """Load the model in another process first: the library ends its own over some damaged models."""
    program = [sys.executable, "-m", "local.algorithms.xgboost.probe"]
    try:
        ended = subprocess.run(
            program, input=content, cwd=REPOSITORY, capture_output=True, timeout=_PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"it has not loaded within {_PROBE_SECONDS} seconds") from None
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(said[-1] if said else f"the library ended with status {ended.returncode}")


def _check_version(document: Any) -> None:
    version = tuple(int(part) for part in document["version"])
    if version[:2] > VERSION:
        raise ValueError(
            f"it was saved by XGBoost {'.'.join(map(str, version))}, and image 3.2-0 has 3.2.0: an older version can "
            "load a newer model without its base_score, silently"
        )
