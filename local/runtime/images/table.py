"""The frameworks' images that the service knows, as data."""

from __future__ import annotations

import re

from local.runtime.image_names import repository

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
_FRAMEWORKS = {"sagemaker-scikit-learn": "scikit-learn"}
"""The frameworks by their images' repositories."""


def framework(image: str) -> str:
    """Return the framework of an image, or "" if the table does not have it."""
    return _FRAMEWORKS.get(repository(image), "")


def variables(image: str) -> dict[str, str]:
    """Return the environment variables that an image sets. Paths in them are paths in the container."""
    return dict(_VARIABLES.get(repository(image), {}))


def python_version(image: str) -> str | None:
    """Return the version of an image's Python, such as ``3.12``, or None if the URI does not tell."""
    tag = image.rpartition(":")[2]
    if named := _TAG_PYTHON.search(tag):
        return f"{named[1]}.{named[2]}"
    if repository(image) == "sagemaker-scikit-learn":
        return _SCIKIT_LEARN_PYTHON.get(".".join(re.split(r"[.-]", tag)[:2]))
    return None
