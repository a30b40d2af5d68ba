"""Script mode where programs cannot have a root folder of their own: sagemaker-training without ``/opt/ml``."""

from __future__ import annotations

import json
import tarfile

from local.runtime.containers.container import Container
from local.runtime.errors import JobFailedError
from local.storage.objects import Objects

_ARCHIVE = "sagemaker_submit_directory"


def unpack(objects: Objects, container: Container) -> None:
    """Unpack the user's code into the job's folder, where ``/opt/ml`` in it can be replaced.

    sagemaker-training would download the archive only when the program runs. It takes a folder as well.

    Args:
        objects: The buckets.
        container: The job's folder, with its configuration files.

    Raises:
        JobFailedError: The archive does not exist, or it is not a tar file.
    """
    file = container.root / "input" / "config" / "hyperparameters.json"
    hyperparameters = json.loads(file.read_text())
    uri = hyperparameters.get(_ARCHIVE, "").strip('"')
    if not uri.startswith("s3://"):
        return
    folder = container.root / "code"
    try:
        with tarfile.open(objects.path(uri)) as archive:
            archive.extractall(folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise JobFailedError(f"AlgorithmError: {uri} cannot be unpacked: {error}") from None
    file.write_text(json.dumps(hyperparameters | {_ARCHIVE: json.dumps(str(folder))}))


def variables(container: Container) -> dict[str, str]:
    """Return the variables that tell sagemaker-training about the folder. There are none where ``/opt/ml`` exists.

    Without the second one, it waits for the host ``algo-1``.
    """
    if container.has_own_root:
        return {}
    return {"SAGEMAKER_BASE_DIR": str(container.root), "SM_STUDIO_LOCAL_MODE": "true"}
