"""The program that serves a model: its command and its environment variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.core.settings import Settings
from local.runtime.containers import user_program
from local.runtime.containers.container import Container
from local.runtime.containers.isolation import isolated
from local.runtime.images.runtimes import ImageRuntime
from local.runtime.models import folder
from local.runtime.models.containers import PORT, ModelContainer

_SERVER = Path(__file__).with_name("image")
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
    folder.make(container, runtime, served)
    if runtime.framework:
        command = ["python", "-B", str(_SERVER), runtime.framework, str(container.seen)]
    else:
        command = [*runtime.entrypoint, _SERVE]
    program = user_program.prepare(
        settings,
        container,
        runtime,
        command,
        variables=served.environment,
        credentials_path=credentials_path if served.role else None,
        note=note,
        # XGBoost's default handlers import their library.
        code=folder.code_files(container) if runtime.framework == "scikit-learn" else [],
        # The model server takes the place of the image's own.
        toolkit=False,
    )
    read_only = [str(container.seen / "model")]
    command = isolated(settings, container, program.command, runtime.files, read_only=read_only)
    return ServingProgram(command, container.working_folder, program.environment)
