"""The local programs that replace container images."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import Enum

from local.runtime import algorithms
from local.runtime.image_names import repository
from local.runtime.interpreters import OURS, find_interpreter

SUPPORTED = (
    "sagemaker-spark-processing (PySpark processing jobs), sagemaker-scikit-learn (processing jobs), "
    f"{algorithms.SUPPORTED} (training, tuning, batch transform, endpoints), and for processing jobs the images in "
    "local-images.yaml: docs/local-service.md says how to add one"
)

# The Python versions of scikit-learn images by framework version, for tags without a Python version.
_SCIKIT_LEARN_PYTHON = {"0.20": "3.7", "0.23": "3.7", "1.0": "3.8", "1.2": "3.8", "1.4": "3.10"}
_TAG_PYTHON = re.compile(r"-py(3)(\d+)\b")
_PYTHON_VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "UTF-8"}
_VARIABLES = {
    "sagemaker-scikit-learn": {
        **_PYTHON_VARIABLES,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "SM_INPUT": "/opt/ml/input",
        "SM_INPUT_TRAINING_CONFIG_FILE": "/opt/ml/input/config/hyperparameters.json",
        "SM_INPUT_DATA_CONFIG_FILE": "/opt/ml/input/config/inputdataconfig.json",
        "SM_CHECKPOINT_CONFIG_FILE": "/opt/ml/input/config/checkpointconfig.json",
        "SM_MODEL_DIR": "/opt/ml/model",
    },
    "sagemaker-spark-processing": {**_PYTHON_VARIABLES, "PYTHONHASHSEED": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
}
"""Environment variables of images by repository, without those for programs that this machine lacks.

Sources: the Dockerfiles of 1.4-2 in aws/sagemaker-scikit-learn-container, and of 3.5 with Python 3.12 in
aws/sagemaker-spark-container.
"""
_SCRIPT_IMAGES = ("sagemaker-scikit-learn",)
"""Repositories of images whose programs run here, with a Python of the image's version if there is one."""
_PYTHON_PROGRAM = re.compile(r"(?:/(?:usr/(?:local/)?)?bin/|/miniconda3/bin/)?python(?:3(?:\.\d+)?)?")
_SHELL = re.compile(r"(?:/(?:usr/)?bin/)?(?:ba)?sh")


class Runtime(Enum):
    """A kind of program that the service can run instead of a container."""

    SPARK = "spark"
    SCRIPT = "script"


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter for a script.

    Attributes:
        path: The interpreter's executable.
        remark: A note about its version for the job's log.
    """

    path: str
    remark: str


def variables(image: str) -> dict[str, str]:
    """Return the environment variables that an image sets. Paths in them are paths in the container."""
    return dict(_VARIABLES.get(repository(image), {}))


def processing_runtime(image: str, entrypoint: list[str], *, is_custom: bool = False) -> Runtime | None:
    """Return the runtime for a processing job, or None if the service has none.

    Args:
        image: The image's URI.
        entrypoint: ContainerEntrypoint of the request, or the image's.
        is_custom: Whether the user has said what takes the image's place.
    """
    if is_custom:
        return Runtime.SCRIPT if entrypoint else None
    if repository(image) == "sagemaker-spark-processing":
        return Runtime.SPARK if entrypoint[:1] == ["smspark-submit"] else None
    # FrameworkProcessor starts a shell script, which unpacks and starts the user's.
    has_script = len(entrypoint) > 1 and (is_python(entrypoint[0]) or _SHELL.fullmatch(entrypoint[0]) is not None)
    return Runtime.SCRIPT if repository(image) in _SCRIPT_IMAGES and has_script else None


def is_python(program: str) -> bool:
    """Return whether a program of a container is its Python."""
    return _PYTHON_PROGRAM.fullmatch(program) is not None


def unsupported(image: str, entrypoint: list[str] | None = None) -> str:
    """Return the FailureReason of a job whose image has no local runtime."""
    how = f" with the entrypoint {entrypoint}" if entrypoint else ""
    version = algorithms.refused_version(image)
    why = f": {version}" if version else ""
    return f"ClientError: no local runtime for the image {image}{how}{why}. Supported: {SUPPORTED}"


def python_version(image: str) -> str | None:
    """Return the version of an image's Python, such as ``3.12``, or None if the URI does not tell."""
    tag = image.rpartition(":")[2]
    if named := _TAG_PYTHON.search(tag):
        return f"{named[1]}.{named[2]}"
    if repository(image) == "sagemaker-scikit-learn":
        return _SCIKIT_LEARN_PYTHON.get(".".join(re.split(r"[.-]", tag)[:2]))
    return None


def interpreter(image: str) -> Interpreter:
    """Return the Python that runs an image's script.

    It has the image's Python version if this machine has such a Python with boto3 and NumPy. Otherwise it is the
    service's own Python.
    """
    version = python_version(image)
    if version is None:
        return Interpreter(sys.executable, f"the image's Python version is unknown; running with Python {OURS}")
    if version == OURS:
        return Interpreter(sys.executable, f"running with Python {OURS}, as the image does")
    if found := find_interpreter(version, "boto3", "numpy", "scipy"):
        return Interpreter(found, f"running with Python {version}, as the image does: {found}")
    return Interpreter(
        sys.executable,
        f"running with Python {OURS}: the image has Python {version}, which is not installed here with boto3 and NumPy",
    )
