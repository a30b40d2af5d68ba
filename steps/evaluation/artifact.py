"""Tells whether two artifacts hold the same model."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path


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
