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

_FIRST_PACKAGE = 4
"""The first column of the table that is a package."""


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


_TABLE = """
repository             version      python training xgboost scikit-learn numpy  pandas scipy  pyarrow matplotlib boto3
sagemaker-scikit-learn 0.20.0       3.7    4.0.1    -       0.20.0       1.19.5 0.25.3 -      0.14.1  -          1.24.17
sagemaker-scikit-learn 0.23-1       3.7    4.0.1    -       0.23.2       1.19.2 1.1.3  1.5.3  0.16.0  -          1.24.17
sagemaker-scikit-learn 1.0-1        3.8    4.0.1    -       1.0.2        1.19.5 1.1.3  1.5.3  10.0.1  -          1.24.17
sagemaker-scikit-learn 1.2-1        3.9    4.8.0    -       1.2.1        1.24.1 1.1.3  1.8.0  17.0.0  -          1.28.57
sagemaker-scikit-learn 1.4-2        3.10   4.8.0    -       1.4.2        2.1.0  2.3.2  -      17.0.0  -          1.28.57
sagemaker-scikit-learn 1.4-2-py312  3.12   4.8.0    -       1.4.2        2.1.0  2.3.2  -      17.0.0  -          1.28.57
sagemaker-scikit-learn 1.9-0        3.12   4.8.0    -       1.9.0        2.5.1  2.2.3  1.18.0 25.0.0  -          1.43.46
sagemaker-xgboost      1.3-1        3.7    any      1.3.3   0.24.1       1.21.6 1.2.4  1.6.2  1.0.1   3.4.1      1.17.52
sagemaker-xgboost      1.5-1        3.8    any      1.5.2   0.24.1       1.19.2 1.2.4  1.6.2  14.0.1  3.4.1      1.17.52
sagemaker-xgboost      1.7-1        3.8    any      1.7.4   0.24.1       1.19.2 1.2.4  1.6.2  14.0.1  3.4.1      1.17.52
sagemaker-xgboost      3.0-5        3.10   any      3.0.5   1.5.2        2.1.0  2.2.3  1.15.0 22.0.0  3.9.2      1.17.52
sagemaker-xgboost      3.2-0        3.12   any      3.2.0   1.8.0        2.1.0  2.2.3  1.15.0 22.0.0  3.10.9     1.38.0
"""
"""The versions of images. ``training`` is sagemaker-training, which runs scripts. XGBoost's images have its predecessor
sagemaker-containers, which is deprecated; any version takes its place. ``-`` says that the sources name no version.
"""


def _image(row: Mapping[str, str]) -> FrameworkImage:
    # A newer protobuf does not read what an old sagemaker-training has generated with protobuf 3.
    training = row["training"]
    toolkit = ("sagemaker-training",) if training == "any" else (f"sagemaker-training=={training}", "protobuf<=3.20.3")
    packages = [(name, row[name]) for name in list(row)[_FIRST_PACKAGE:] if row[name] != "-"]
    return FrameworkImage(
        framework=row["repository"].removeprefix("sagemaker-"),
        version=row["version"],
        python=row["python"],
        packages=tuple(f"{_distribution(name, version)}=={version}" for name, version in packages),
        toolkit=toolkit,
    )


def _distribution(name: str, version: str) -> str:
    # From 2.1, xgboost-cpu is the same library without CUDA. It has no wheels for macOS, where xgboost has no CUDA.
    has_cpu_package = name == "xgboost" and int(version.partition(".")[0]) > 2 and sys.platform != "darwin"
    return f"{name}-cpu" if has_cpu_package else name


def _read_table() -> dict[str, tuple[FrameworkImage, ...]]:
    """Return the images by repository."""
    header, *lines = (line.split() for line in _TABLE.strip().splitlines())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    repositories = dict.fromkeys(row["repository"] for row in rows)
    return {name: tuple(_image(row) for row in rows if row["repository"] == name) for name in repositories}


_IMAGES: Mapping[str, tuple[FrameworkImage, ...]] = _read_table()
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
    "sagemaker-scikit-learn": _OF_FRAMEWORKS,
    "sagemaker-xgboost": _OF_FRAMEWORKS,
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
