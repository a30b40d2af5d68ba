"""The program that serves a model: its command and its environment variables."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.core.settings import Settings
from local.runtime.containers import job_python
from local.runtime.containers.container import Container, environment
from local.runtime.containers.isolation import isolated
from local.runtime.images import runtimes
from local.runtime.images.runtimes import ImageRuntime
from local.runtime.models import folder
from local.runtime.models.containers import PORT, ModelContainer

_SERVER = Path(__file__).with_name("image")
_CREDENTIALS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_SERVE = "serve"
"""The argument with which SageMaker starts an image that serves.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""


@dataclass(frozen=True)
class ServingProgram:
    """A program that is ready to start.

    Attributes:
        command: The program and its arguments.
        folder: Its working directory.
        environment: Its environment variables, without the port.
    """

    command: list[str]
    folder: Path
    environment: dict[str, str]

    def variables(self, port: int) -> dict[str, str]:
        """Return the environment variables for a port at which the program must answer."""
        return self.environment | {PORT: str(port)}


def prepare(  # noqa: PLR0913, PLR0917 - what a program is made of
    settings: Settings,
    runtime: ImageRuntime,
    served: ModelContainer,
    container: Container,
    credentials_path: str,
    note: Callable[[str], None],
) -> ServingProgram:
    """Make a model's folder and its Python environment, and return the program.

    Args:
        settings: The service's settings.
        runtime: What takes the image's place.
        served: The model's container.
        container: The folder that becomes ``/opt/ml``.
        credentials_path: The path at which the service returns the model's credentials.
        note: Writes a sentence to the log.

    Raises:
        UnservableError: The archives cannot be extracted.
        JobFailedError: The Python environment cannot be made.
    """
    folder.make(container, served)
    interpreter = runtimes.interpreter(settings, runtime, note, folder.code_files(container))
    job_python.make(container, interpreter)
    python = str(container.seen / job_python.PROGRAM)
    own = {**runtime.variables, **served.environment}
    # The image's Python stays the first, also if the image adds its own folders.
    path = own.pop("PATH", os.environ.get("PATH", os.defpath))
    variables = environment(settings, container.seen, credentials_path, own)
    variables["PATH"] = os.pathsep.join([str(Path(python).parent), path])
    if served.role is None:
        del variables[_CREDENTIALS]
    if runtime.framework:
        command = [python, "-B", str(_SERVER), runtime.framework, str(container.seen)]
    else:
        command = [*container.map_paths(list(runtime.entrypoint)), _SERVE]
    read_only = [str(container.seen / "model")]
    command = isolated(settings, container, command, runtime.files, read_only=read_only)
    return ServingProgram(command, container.working_folder, variables)
