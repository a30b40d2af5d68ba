"""What takes the place of a framework's image, or of an image in ``local-images.yaml``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.core.settings import Settings
from local.runtime import algorithms
from local.runtime.image_names import repository
from local.runtime.images import environments, frameworks, scripts, table
from local.runtime.interpreters import OURS

SUPPORTED = (
    "sagemaker-spark-processing (PySpark processing jobs), sagemaker-scikit-learn, sagemaker-xgboost, "
    f"sagemaker-base-python (functions of the SDK), the algorithms {algorithms.SUPPORTED}, and the images in "
    "local-images.yaml: docs/local-service.md says how to add one"
)


@dataclass(frozen=True)
class ImageRuntime:
    """What takes a container image's place.

    Attributes:
        image: The image's URI.
        framework: ``scikit-learn`` or ``xgboost``; "" for an image of ``local-images.yaml``.
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
    if known := table.find(image):
        requirements = (*known.packages, *known.toolkit)
        return ImageRuntime(image, known.framework, known.python, requirements, settings.root, table.variables(image))
    return None


def interpreter(
    settings: Settings,
    runtime: ImageRuntime,
    note: environments.Note,
    code: Sequence[Path] = (),
    *,
    toolkit: bool = True,
) -> str:
    """Return the Python whose packages a program finds, and say in the log which it is.

    Args:
        settings: The service's settings.
        runtime: What takes the image's place. Its environment is made on first use.
        note: Writes a sentence to the job's log.
        code: The files of the program, if these are all. If they import nothing of the image's, a framework's image
            needs no environment of its own.
        toolkit: Whether the image's own program starts the user's code, as in training jobs.

    Raises:
        JobFailedError: the environment cannot be made.
    """
    image = table.find(runtime.image) if runtime.framework else None
    if image is None:
        return environments.make(settings, runtime.python, runtime.requirements, runtime.folder, note)
    if not toolkit and scripts.need_no_packages(code, frameworks.libraries_of_our_own(image)):
        note(
            f"running with the service's own Python {OURS}: the script imports nothing that depends on the image, "
            f"which has Python {image.python}"
        )
        return sys.executable
    return frameworks.make(settings, image, note, toolkit=toolkit)


def unsupported(image: str, entrypoint: list[str] | None = None) -> str:
    """Return the FailureReason of a job whose image has no local runtime."""
    how = f" with the entrypoint {entrypoint}" if entrypoint else ""
    version = _refused_version(image) or algorithms.refused_version(image)
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


def _refused_version(image: str) -> str | None:
    versions = table.versions(image)
    if not versions or table.find(image):
        return None
    return f"of {repository(image)}, the versions {', '.join(versions)} are supported"
