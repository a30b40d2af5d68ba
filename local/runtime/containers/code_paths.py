"""Replaces ``/opt/ml`` in a job's code, where programs cannot have a root folder of their own."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from local.runtime.containers.container import CONTAINER_PATH, Container
from local.runtime.errors import JobFailedError

_CODE = (".py", ".sh", ".r")
_ZIP_FILES = (".zip", ".whl", ".egg", ".jar")
_TAR_FILES = (".tar", ".tar.gz", ".tgz")
_LARGEST_FILE = 16 * 1024**2
_BEGINNING = 2


def rewrite(container: Container) -> None:
    """Replace ``/opt/ml`` by the job's folder in the code files among a job's inputs.

    Code files are Python, shell and R files, and files that begin with ``#!``.

    Raises:
        JobFailedError: an archive has code with such a path, which cannot be replaced there.
    """
    for path in sorted(container.root.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_FILE:
            continue
        name = path.name.lower()
        if name.endswith((*_ZIP_FILES, *_TAR_FILES)):
            _refuse_paths(path, container)
        elif name.endswith(_CODE) or _is_program(path):
            _rewrite_file(path, container)


def _rewrite_file(path: Path, container: Container) -> None:
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return
    changed = CONTAINER_PATH.sub(lambda _: str(container.seen), text)
    if changed != text:
        path.write_bytes(changed.encode())


def _refuse_paths(path: Path, container: Container) -> None:
    for name, content in _code_in(path):
        if CONTAINER_PATH.search(content.decode(errors="replace")):
            seen = path.relative_to(container.root)
            raise JobFailedError(
                f"ClientError: {name} in /opt/ml/{seen} uses the path /opt/ml, which programs do not have on this "
                "machine: it has no user namespaces, and a path within an archive cannot be replaced. "
                "`make doctor` says more"
            )


def _code_in(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the code files in an archive. Damaged archives have none."""
    try:
        if archive.name.lower().endswith(_ZIP_FILES):
            with zipfile.ZipFile(archive) as zipped:
                for name in zipped.namelist():
                    if name.lower().endswith(_CODE):
                        yield name, zipped.read(name)
        else:
            with tarfile.open(archive) as tar:
                for member in tar:
                    if member.isfile() and member.name.lower().endswith(_CODE):
                        file = tar.extractfile(member)
                        yield member.name, file.read() if file else b""
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, RuntimeError):
        return


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_BEGINNING) == b"#!"
