"""The frameworks' images that the service knows, as data.

Sources on GitHub: the Dockerfiles and requirements.txt of aws/sagemaker-scikit-learn-container and
aws/sagemaker-xgboost-container; since 2026 docker/sklearn and docker/xgboost of aws/deep-learning-containers. AWS
changes images without changing their tags: the newest version is meant. Only what scripts import is listed, not the
model server.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from local.runtime.image_names import repository, tag

SCIKIT_LEARN, XGBOOST = "sagemaker-scikit-learn", "sagemaker-xgboost"


@dataclass(frozen=True)
class FrameworkImage:
    """An image of a framework.

    Attributes:
        framework: The framework's name.
        version: The image's version, with which its tag begins.
        python: The version of its Python.
        packages: Its packages, each as ``name==version``.
        toolkit: What runs the user's scripts in training jobs and endpoints, as pip takes it.
    """

    framework: str
    version: str
    python: str
    packages: tuple[str, ...]
    toolkit: tuple[str, ...]

    @property
    def name(self) -> str:
        """The image's name for messages, such as ``scikit-learn 1.2-1``."""
        return f"{self.framework} {self.version}"


def _scikit_learn(version: str, python: str, packages: str, training: str) -> FrameworkImage:
    # A newer protobuf does not read what an old sagemaker-training has generated with protobuf 3.
    toolkit = (f"sagemaker-training=={training}", "protobuf<=3.20.3")
    return FrameworkImage("scikit-learn", version, python, tuple(packages.split()), toolkit)


def _xgboost(version: str, python: str, library: str, packages: str) -> FrameworkImage:
    # From 2.1, xgboost-cpu is the same library without CUDA. It has no wheels for macOS, where xgboost has no CUDA.
    has_cpu_package = int(library.partition(".")[0]) > 2 and sys.platform != "darwin"
    name = "xgboost-cpu" if has_cpu_package else "xgboost"
    # The images run scripts by sagemaker-containers, which is deprecated and was renamed to sagemaker-training.
    pins = (f"{name}=={library}", *packages.split())
    return FrameworkImage("xgboost", version, python, pins, ("sagemaker-training",))


_IMAGES: Mapping[str, tuple[FrameworkImage, ...]] = {
    SCIKIT_LEARN: (
        _scikit_learn("0.20.0", "3.7", "scikit-learn==0.20.0 numpy==1.19.5 pandas==0.25.3 boto3==1.24.17", "4.0.1"),
        _scikit_learn(
            "0.23-1", "3.7", "scikit-learn==0.23.2 numpy==1.19.2 pandas==1.1.3 scipy==1.5.3 boto3==1.24.17", "4.0.1"
        ),
        _scikit_learn(
            "1.0-1", "3.8", "scikit-learn==1.0.2 numpy==1.19.5 pandas==1.1.3 scipy==1.5.3 boto3==1.24.17", "4.0.1"
        ),
        _scikit_learn(
            "1.2-1", "3.9", "scikit-learn==1.2.1 numpy==1.24.1 pandas==1.1.3 scipy==1.8.0 boto3==1.28.57", "4.8.0"
        ),
        _scikit_learn(
            "1.4-2", "3.10", "scikit-learn==1.4.2 numpy==2.1.0 pandas==2.3.2 pyarrow==17.0.0 boto3==1.28.57", "4.8.0"
        ),
        _scikit_learn(
            "1.4-2-py312",
            "3.12",
            "scikit-learn==1.4.2 numpy==2.1.0 pandas==2.3.2 pyarrow==17.0.0 boto3==1.28.57",
            "4.8.0",
        ),
        _scikit_learn(
            "1.9-0",
            "3.12",
            "scikit-learn==1.9.0 numpy==2.5.1 pandas==2.2.3 scipy==1.18.0 pyarrow==25.0.0 boto3==1.43.46",
            "4.8.0",
        ),
    ),
    XGBOOST: (
        _xgboost(
            "1.3-1", "3.7", "1.3.3", "scikit-learn==0.24.1 numpy==1.21.6 pandas==1.2.4 scipy==1.6.2 boto3==1.17.52"
        ),
        _xgboost(
            "1.5-1", "3.8", "1.5.2", "scikit-learn==0.24.1 numpy==1.19.2 pandas==1.2.4 scipy==1.6.2 boto3==1.17.52"
        ),
        _xgboost(
            "1.7-1", "3.8", "1.7.4", "scikit-learn==0.24.1 numpy==1.19.2 pandas==1.2.4 scipy==1.6.2 boto3==1.17.52"
        ),
        _xgboost(
            "3.0-5", "3.10", "3.0.5", "scikit-learn==1.5.2 numpy==2.1.0 pandas==2.2.3 scipy==1.15.0 boto3==1.17.52"
        ),
        _xgboost(
            "3.2-0", "3.12", "3.2.0", "scikit-learn==1.8.0 numpy==2.1.0 pandas==2.2.3 scipy==1.15.0 boto3==1.38.0"
        ),
    ),
}
IMAGES = tuple(image for images in _IMAGES.values() for image in images)
"""All images of frameworks."""
_PYTHON_VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "UTF-8"}
_OF_FRAMEWORKS = {
    **_PYTHON_VARIABLES,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "SM_INPUT": "/opt/ml/input",
    "SM_INPUT_TRAINING_CONFIG_FILE": "/opt/ml/input/config/hyperparameters.json",
    "SM_INPUT_DATA_CONFIG_FILE": "/opt/ml/input/config/inputdataconfig.json",
    "SM_CHECKPOINT_CONFIG_FILE": "/opt/ml/input/config/checkpointconfig.json",
    "SM_MODEL_DIR": "/opt/ml/model",
}
_VARIABLES = {
    SCIKIT_LEARN: _OF_FRAMEWORKS,
    XGBOOST: _OF_FRAMEWORKS,
    "sagemaker-spark-processing": {**_PYTHON_VARIABLES, "PYTHONHASHSEED": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
}
"""Environment variables of images by repository, without those for programs that this machine lacks.

Sources: as above; for Spark the Dockerfile of 3.5 with Python 3.12 in aws/sagemaker-spark-container.
"""


def find(image: str) -> FrameworkImage | None:
    """Return the framework's image of a URI, or None if the table does not have its repository or version."""
    of_tag = tag(image)
    found = [
        each
        for each in _IMAGES.get(repository(image), ())
        if of_tag == each.version or of_tag.startswith(f"{each.version}-")
    ]
    # 1.4-2 and 1.4-2-py312 are different images.
    return max(found, key=lambda each: len(each.version), default=None)


def versions(image: str) -> list[str]:
    """Return the versions that the table has of an image's repository."""
    return [each.version for each in _IMAGES.get(repository(image), ())]


def variables(image: str) -> dict[str, str]:
    """Return the environment variables that an image sets. Paths in them are paths in the container."""
    return dict(_VARIABLES.get(repository(image), {}))
