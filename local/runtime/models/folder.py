"""The folder that is ``/opt/ml`` of a served model."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path

from local.runtime.containers import code_paths
from local.runtime.containers.container import Container, local_path
from local.runtime.images.runtimes import ImageRuntime
from local.runtime.models.containers import SUBMIT_DIRECTORY, ModelContainer, UnservableError, submit_directory

_PIECE = 1 << 20
_LIBRARIES = (b"sklearn", b"xgboost", b"torch", b"pandas")


def make(container: Container, runtime: ImageRuntime, served: ModelContainer) -> None:
    """Create the folder: ``model`` with the extracted artifact, and ``code`` with the user's scripts.

    ``code`` is a copy of what ``SAGEMAKER_SUBMIT_DIRECTORY`` names: an archive in S3, or a folder of the artifact.

    Raises:
        UnservableError: an archive cannot be extracted, or there is no such folder.
        JobFailedError: the code uses a path that programs do not have on this machine.
    """
    shutil.rmtree(container.root, ignore_errors=True)
    model, code = container.root / "model", container.root / "code"
    for folder in (model, container.root / "output"):
        folder.mkdir(parents=True)
    if served.artifact is not None:
        _extract(served.artifact, model, "the model data archive")
    if served.source is not None:
        _extract(served.source, code, f"the archive in {SUBMIT_DIRECTORY}")
    else:
        _copy_code(container, submit_directory(runtime, served.environment), code)
    if not container.has_own_root:
        code_paths.rewrite(container)
        # As in the container. A program with a root folder of its own cannot write it, whoever it runs as.
        for path in model.rglob("*"):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)


def code_files(container: Container) -> list[Path]:
    """Return the Python files of the user's code; none if the artifact needs a library that no import shows.

    An unpickled model imports its library whether or not the script does.
    """
    model = container.root / "model"
    artifacts = (path for path in model.rglob("*") if path.is_file() and not path.is_relative_to(model / "code"))
    if any(_names_library(path) for path in artifacts):
        return []
    return sorted((container.root / "code").rglob("*.py"))


def _copy_code(container: Container, place: str, code: Path) -> None:
    if not place:
        code.mkdir()
        return
    path = local_path(place, container.root)
    if path is None or not path.is_dir():
        raise UnservableError(f"{SUBMIT_DIRECTORY} is {place}: the container has no such folder.")
    if path != code:
        shutil.copytree(path, code, symlinks=True)


def _extract(archive: Path, folder: Path, what: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise UnservableError(
            f"Failed to extract {what}. Please ensure that the object is a valid tar.gz archive: {error}"
        ) from None


def _names_library(path: Path) -> bool:
    """Return whether a file names a library of models. Pickles name the modules that they import."""
    longest = max(map(len, _LIBRARIES))
    with path.open("rb") as file:
        end = b""
        while piece := file.read(_PIECE):
            if any(name in end + piece for name in _LIBRARIES):
                return True
            end = piece[-longest:]
    return False
