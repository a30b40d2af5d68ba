"""The programs that the service can run instead of a processing job's container."""

from __future__ import annotations

import re
from enum import Enum

from local.runtime.image_names import repository
from local.runtime.images.runtimes import ImageRuntime

_PYTHON_PROGRAM = re.compile(r"(?:/(?:usr/(?:local/)?)?bin/|/miniconda3/bin/)?python(?:3(?:\.\d+)?)?")
_SHELL = re.compile(r"(?:/(?:usr/)?bin/)?(?:ba)?sh")


class Runtime(Enum):
    """A kind of program that the service can run instead of a container."""

    SPARK = "spark"
    SCRIPT = "script"


def kind_of(image: str, entrypoint: list[str], runtime: ImageRuntime | None) -> Runtime | None:
    """Return the kind of a processing job's program, or None if the service cannot run it.

    Args:
        image: The image's URI.
        entrypoint: ContainerEntrypoint of the request, or the image's.
        runtime: What takes the image's place.
    """
    if runtime is None:
        is_spark = repository(image) == "sagemaker-spark-processing" and entrypoint[:1] == ["smspark-submit"]
        return Runtime.SPARK if is_spark else None
    if not runtime.framework:
        return Runtime.SCRIPT if entrypoint else None
    # FrameworkProcessor starts a shell script, which unpacks and starts the user's.
    has_script = len(entrypoint) > 1 and (is_python(entrypoint[0]) or _SHELL.fullmatch(entrypoint[0]) is not None)
    return Runtime.SCRIPT if has_script else None


def is_python(program: str) -> bool:
    """Return whether a program of a container is its Python."""
    return _PYTHON_PROGRAM.fullmatch(program) is not None
