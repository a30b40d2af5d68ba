"""The programs that the service can run instead of a processing job's container."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from local.runtime.image_names import repository
from local.runtime.images.runtimes import ImageRuntime


class Runtime(Enum):
    """A kind of program that the service can run instead of a container."""

    SPARK = "spark"
    SCRIPT = "script"


def kind_of(image: str, entrypoint: Sequence[str], runtime: ImageRuntime | None) -> Runtime | None:
    """Return the kind of a processing job's program, or None if the service cannot run it.

    Args:
        image: The image's URI.
        entrypoint: ContainerEntrypoint of the request, or the image's.
        runtime: What takes the image's place.
    """
    if runtime is None:
        is_spark = repository(image) == "sagemaker-spark-processing" and list(entrypoint[:1]) == ["smspark-submit"]
        return Runtime.SPARK if is_spark else None
    return Runtime.SCRIPT if entrypoint else None
