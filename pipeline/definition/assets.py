"""Content-addressed uploads: each file goes to S3 under the SHA-256 of its content.

The address depends on the bytes only, not on machine or path. So a step keeps its cache key until its code changes,
and code that a running execution uses is never overwritten.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.algorithms.table import foreign_modules
from pipeline.config.models import Config

CODE = "code"
"""The folder of the code, in the pipeline's folder in S3."""

STEPS = Path(__file__).resolve().parents[2] / "steps"

FOLD_PACKAGE = "folds.zip"
"""The archive of the package steps/folds, which Spark gives to make_folds.py."""

_PROGRAMS = {"select_best.pyz": "select_best.py", "verify_endpoint.pyz": "verify_endpoint.py"}
"""Archives that Python runs: a file of steps/ as ``__main__.py``, with the package steps/evaluation.

A processing job gets one file of code. https://docs.python.org/3/library/zipapp.html
"""


@dataclass(frozen=True)
class Upload:
    """An upload to S3.

    Attributes:
        content: the bytes, or the file that holds them.
        bucket: the bucket's name.
        key: the object's key, which contains the SHA-256 of the content.
    """

    content: bytes | Path
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]


def file_upload(source: Path, bucket: str, prefix: str) -> Upload:
    """Return the content-addressed upload of a file.

    Args:
        source: the file.
        bucket: name of the bucket.
        prefix: the beginning of the key, without a slash at the end.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Upload(source, bucket, f"{prefix}/{digest}/{source.name}")


def package(name: str) -> dict[str, Path]:
    """Return the files of a package of steps/ by their names in an archive."""
    return {file.relative_to(STEPS).as_posix(): file for file in (STEPS / name).glob("*.py")}


def step_upload(name: str, bucket: str, prefix: str, without: Collection[str] = ()) -> Upload:
    """Return the content-addressed upload of a file of steps/, of ``FOLD_PACKAGE`` or of one of ``_PROGRAMS``.

    Args:
        name: the file's name, or that of the archive.
        bucket: name of the bucket.
        prefix: the beginning of the key, without a slash at the end.
        without: the modules that a program goes without.
    """
    if name == FOLD_PACKAGE:
        content = archive(package("folds"))
    elif name in _PROGRAMS:
        modules = {module: file for module, file in package("evaluation").items() if module not in without}
        content = archive({**modules, "__main__.py": STEPS / _PROGRAMS[name]})
    else:
        return file_upload(STEPS / name, bucket, prefix)
    return Upload(content, bucket, f"{prefix}/{hashlib.sha256(content).hexdigest()}/{name}")


def code_upload(name: str, config: Config, bucket: str) -> Upload:
    """Return the upload of a file or an archive of steps/ for a configuration's pipeline."""
    without = foreign_modules(config.training.algorithm)
    return step_upload(name, bucket, f"{config.pipeline.name}/{CODE}", without)


def archive(files: Mapping[str, Path]) -> bytes:
    """Return a reproducible zip archive.

    Args:
        files: the files by their names in the archive.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file_archive:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            file_archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
