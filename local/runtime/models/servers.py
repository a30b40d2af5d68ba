"""Starts model servers."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.aws.credentials import KeyRing
from local.core.arns import assumed_role
from local.core.settings import Settings
from local.runtime.containers.isolation import container_of
from local.runtime.images.runtimes import ImageRuntime
from local.runtime.models import program
from local.runtime.models.containers import ModelContainer, UnservableError
from local.runtime.models.program import ServingProgram
from local.runtime.models.server import ModelServer, ServerLimits, ServerPlan
from local.runtime.supervisor import Supervisor

_TIMEOUT = "SAGEMAKER_MODEL_SERVER_TIMEOUT"
_CONTAINER_SECONDS = 60


@dataclass(frozen=True)
class ModelServers:
    """Starts model servers, each with a folder of its own, which is gone when the server is closed."""

    settings: Settings
    keys: KeyRing
    supervisor: Supervisor

    def start(  # noqa: PLR0913 - what a server is made of
        self,
        name: str,
        runtime: ImageRuntime,
        served: ModelContainer,
        *,
        key: str,
        write: Callable[[list[str]], None],
        seconds_to_start: float,
        seconds_to_answer: float,
    ) -> ModelServer:
        """Start a server. It may not be ready when this returns.

        Args:
            name: What it is for, for messages.
            runtime: What takes the image's place.
            served: The model's container.
            key: The key of its program in the supervisor.
            write: Appends lines to the log.
            seconds_to_start: SageMaker's limit until the first successful ping.
            seconds_to_answer: SageMaker's limit for an invocation.

        Raises:
            UnservableError: A limit in the container's environment is no number.
            ServiceStoppingError: The service is going down.
        """
        limits = ServerLimits(seconds_to_start, seconds_to_answer, _container_seconds(runtime, served))
        prepare = partial(self._prepare, runtime, served, write)
        return ModelServer(self.supervisor, ServerPlan(name, key, prepare, write, limits))

    def remove_folders(self) -> None:
        """Remove the folders of all servers. None may run."""
        _remove(self.settings.model_servers)

    def _prepare(
        self, runtime: ImageRuntime, served: ModelContainer, write: Callable[[list[str]], None], resources: ExitStack
    ) -> ServingProgram:
        with ExitStack() as made:
            root = self.settings.model_servers / uuid.uuid4().hex
            made.callback(_remove, root)
            identity = assumed_role(served.role, "SageMaker") if served.role else ""
            credentials_path = made.enter_context(self.keys.of_container(identity))
            container = container_of(self.settings, root)
            prepared = program.prepare(
                self.settings,
                runtime,
                served,
                container,
                credentials_path,
                lambda text: write([f"local service: {text}"]),
            )
            resources.enter_context(made.pop_all())
        return prepared


def _container_seconds(runtime: ImageRuntime, served: ModelContainer) -> float | None:
    """Return the limit of the container's own server for a response, or None for the user's own image."""
    if not runtime.framework:
        return None
    value = served.environment.get(_TIMEOUT) or str(_CONTAINER_SECONDS)
    if not value.isdecimal() or int(value) == 0:
        raise UnservableError(f"its environment variable {_TIMEOUT} is {value!r}, not a number of seconds.")
    return float(value)


def _remove(folder: Path) -> None:
    """Remove a folder whose subfolders may be read-only."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
