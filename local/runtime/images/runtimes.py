"""What takes the place of a framework's image, or of an image in ``local-images.yaml``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.core.settings import Settings
from local.runtime import algorithms
from local.runtime.images import environments, table
from local.runtime.interpreters import OURS, find_interpreter

SUPPORTED = (
    "sagemaker-spark-processing (PySpark processing jobs), sagemaker-scikit-learn (processing jobs), "
    f"{algorithms.SUPPORTED} (training, tuning, batch transform, endpoints), and for processing jobs the images in "
    "local-images.yaml: docs/local-service.md says how to add one"
)


@dataclass(frozen=True)
class ImageRuntime:
    """What takes a container image's place.

    Attributes:
        image: The image's URI.
        framework: ``scikit-learn``, ``xgboost`` or ``pytorch``; "" for an image of ``local-images.yaml``.
        python: The version of Python; None for the service's own.
        requirements: The packages, as pip takes them.
        folder: The folder to which paths in ``requirements`` are relative.
        variables: The environment variables that the image sets. Paths in them are paths in the container.
        entrypoint: The image's entrypoint; empty for the images of frameworks.
        files: Folders of this machine by their place in the container.
    """

    image: str
    framework: str
    python: str | None
    requirements: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def find(settings: Settings, image: str) -> ImageRuntime | None:
    """Return what takes an image's place, or None. An entry of ``local-images.yaml`` goes before the table.

    Raises:
        JobFailedError: ``local-images.yaml`` is faulty.
    """
    if custom := _find_custom(settings, image):
        return custom
    if framework := table.framework(image):
        python = table.python_version(image)
        return ImageRuntime(image, framework, python, (), settings.root, table.variables(image))
    return None


def interpreter(
    settings: Settings, runtime: ImageRuntime, note: Callable[[str], None], code: Sequence[Path] = ()
) -> str:
    """Return the Python whose packages a program finds, and say in the log which it is.

    Args:
        settings: The service's settings.
        runtime: What takes the image's place. Its environment is made on first use.
        note: Writes a sentence to the job's log.
        code: The files of the program.

    Raises:
        JobFailedError: the environment cannot be made.
    """
    if not runtime.framework:
        return environments.make(settings, runtime.python, runtime.requirements, runtime.folder, note)
    path, remark = _nearest(runtime.python)
    note(remark)
    return path


def unsupported(image: str, entrypoint: list[str] | None = None) -> str:
    """Return the FailureReason of a job whose image has no local runtime."""
    how = f" with the entrypoint {entrypoint}" if entrypoint else ""
    version = algorithms.refused_version(image)
    why = f": {version}" if version else ""
    return f"ClientError: no local runtime for the image {image}{how}{why}. Supported: {SUPPORTED}"


def _find_custom(settings: Settings, image: str) -> ImageRuntime | None:
    if not settings.custom_images.exists():
        return None
    # Imported here: Pydantic would add a tenth of a second to each start of the service.
    from local.runtime.images import custom  # noqa: PLC0415

    entry = custom.find(settings, image)
    if entry is None:
        return None
    return ImageRuntime(
        image,
        framework="",
        python=entry.python,
        requirements=entry.requirements,
        folder=settings.custom_images.parent,
        variables=entry.environment,
        entrypoint=entry.entrypoint,
        files=custom.folders(settings, entry),
    )


def _nearest(version: str | None) -> tuple[str, str]:
    """Return the Python that runs an image's script, and a remark about it.

    It has the image's Python version if this machine has such a Python with boto3 and NumPy. Otherwise it is the
    service's own Python.
    """
    if version is None:
        return sys.executable, f"the image's Python version is unknown; running with Python {OURS}"
    if version == OURS:
        return sys.executable, f"running with Python {OURS}, as the image does"
    if found := find_interpreter(version, "boto3", "numpy", "scipy"):
        return found, f"running with Python {version}, as the image does: {found}"
    return (
        sys.executable,
        f"running with Python {OURS}: the image has Python {version}, which is not installed here with boto3 and NumPy",
    )
