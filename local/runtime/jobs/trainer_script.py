"""The script of the SDK's ModelTrainer that starts the user's code in a training job."""

from __future__ import annotations

from pathlib import Path

from local.runtime.errors import JobFailedError

_SCRIPT = "input/data/sm_drivers/sm_train.sh"
_MPI_DRIVER = b"distributed_drivers/mpi_driver.py"


def check(root: Path) -> None:
    """Check that the service can run a job's script, if it has one.

    Args:
        root: The job's folder, with its channels.

    Raises:
        JobFailedError: It runs MPI. The SDK's driver for it starts an SSH server, and writes ``/etc/environment``: in
            place of a container's, this machine's. Source: sagemaker/train/container_drivers/distributed_drivers.
    """
    script = root / _SCRIPT
    if script.is_file() and _MPI_DRIVER in script.read_bytes():
        raise JobFailedError("ClientError: distributed=MPI of a ModelTrainer is not implemented by the local service")
