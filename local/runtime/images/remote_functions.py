"""Functions of the SDK's decorators ``@step`` and ``@remote``, and what they ask of an image.

Such a job's entrypoint is the SDK's own script, which needs the client's Python and the SDK in the image.

Sources: sagemaker/core/remote_function/job.py of version 3 of the SDK, sagemaker/remote_function/job.py of version 2,
https://docs.aws.amazon.com/sagemaker/latest/dg/train-remote-decorator-container.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.core.settings import Settings
from local.runtime.errors import JobFailedError
from local.runtime.image_names import repository
from local.runtime.images.runtimes import ImageRuntime

_DRIVER = "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh"
_BASE_PYTHON = {"sagemaker-base-python-310": "3.10", "sagemaker-base-python-38": "3.8"}
"""The images that the SDK takes by default, with their Python.

Source: get_base_python_image_uri in sagemaker/core/image_uris.py.
"""
_SPARK = "sagemaker-spark-processing"
_CONDA_VARIABLE = "SAGEMAKER_JOB_CONDA_ENV"
_CONDA_FILES = (".yml", ".yaml")


@dataclass(frozen=True)
class RemoteFunction:
    """A function that a training job runs.

    Attributes:
        python: The version of the client's Python, such as ``3.12``.
        sdk: The version of the client's SDK; "" if the client does not say.
        needs_conda: Whether it runs in a conda environment.
        needs_mpi: Whether it runs in several processes by MPI.
        needs_spark: Whether it is a Spark application.
    """

    python: str
    sdk: str
    needs_conda: bool
    needs_mpi: bool
    needs_spark: bool

    def check(self, variables: Mapping[str, str]) -> None:
        """Check that the function needs only what the service has.

        Args:
            variables: The environment variables that the image sets.

        Raises:
            JobFailedError: It needs conda, and this machine's own would be changed; or MPI, whose start writes this
                machine's /etc/environment; or Spark.
        """
        if self.needs_spark:
            raise JobFailedError("ClientError: spark_config of a function is not implemented by the local service")
        if self.needs_mpi:
            raise JobFailedError("ClientError: use_mpirun of a function is not implemented by the local service")
        if self.needs_conda or _CONDA_VARIABLE in variables:
            raise JobFailedError(
                "ClientError: conda (job_conda_env, a dependencies file .yml, auto_capture, or the variable "
                f"{_CONDA_VARIABLE}) is not implemented by the local service: list the packages in a requirements.txt"
            )

    def runtime(self, settings: Settings, image: str) -> ImageRuntime | None:
        """Return what takes the place of the SDK's default image: its Python with the client's SDK; None for others."""
        python = _BASE_PYTHON.get(repository(image))
        if python is None:
            return None
        return ImageRuntime(image, "", python, (self._requirement,), settings.root)

    def advice(self, image: str) -> str:
        """Return a sentence that says which entry in ``local-images.yaml`` lets the function run."""
        entry = {"image": image, "python": self.python, "requirements": [self._requirement]}
        return f"For this function, the entry has to be at least {json.dumps(entry)}"

    @property
    def _requirement(self) -> str:
        # Only old clients, of version 2, do not say their version.
        return f"sagemaker=={self.sdk}" if self.sdk else "sagemaker<3"


def find(record: Mapping[str, Any]) -> RemoteFunction | None:
    """Return the function that a training job runs, or None.

    Args:
        record: The job's record.
    """
    specification = record["AlgorithmSpecification"]
    if _DRIVER not in specification.get("ContainerEntrypoint", []):
        return None
    options = _options(specification.get("ContainerArguments", []))
    return RemoteFunction(
        python=options.get("--client_python_version", ""),
        sdk=options.get("--client_sagemaker_pysdk_version", ""),
        needs_conda="--job_conda_env" in options
        or _CONDA_VARIABLE in record.get("Environment", {})
        or _dependencies(options).endswith(_CONDA_FILES),
        needs_mpi=options.get("--distribution") == "mpirun",
        needs_spark=repository(specification["TrainingImage"]) == _SPARK,
    )


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """Return the first value of each option."""
    pairs = zip(arguments, [*arguments[1:], ""], strict=True)
    return {name: value for name, value in pairs if name.startswith("--")}


def _dependencies(options: Mapping[str, str]) -> str:
    """Return the name of the function's file of dependencies; "" if it has none."""
    try:
        settings = json.loads(options.get("--dependency_settings", "{}"))
    except ValueError:
        return ""
    name = settings.get("dependency_file") if isinstance(settings, dict) else None
    return name if isinstance(name, str) else ""
