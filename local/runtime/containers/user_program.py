"""The user's program in its container's replacement: its command line and its environment variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.core.settings import Settings
from local.runtime.containers import job_python
from local.runtime.containers.container import Container, environment
from local.runtime.containers.find_program import find_program, is_python
from local.runtime.images import runtimes
from local.runtime.images.runtimes import ImageRuntime

_REFERENCES = ("$PATH", "${PATH}")


@dataclass(frozen=True)
class UserProgram:
    """A program to start.

    Attributes:
        command: The program and its arguments, as the container's root folder shows them.
        environment: All of its environment variables.
    """

    command: list[str]
    environment: dict[str, str]


def prepare(  # noqa: PLR0913 - what a container is made of
    settings: Settings,
    container: Container,
    runtime: ImageRuntime,
    command: Sequence[str],
    *,
    variables: Mapping[str, str],
    credentials_path: str | None,
    note: Callable[[str], None],
    code: Sequence[Path] = (),
    toolkit: bool = True,
) -> UserProgram:
    """Make the job's Python environment, and return its program.

    Args:
        settings: The service's settings.
        container: The job's folder.
        runtime: What takes the image's place.
        command: The program and its arguments.
        variables: The environment variables of the request. They override those of the image.
        credentials_path: The path at which the service returns the job's credentials; None for none.
        note: Writes a sentence to the job's log.
        code: The files of the program, if these are all.
        toolkit: Whether the image's own program starts the user's code, as in training jobs.

    Raises:
        JobFailedError: the image's environment cannot be made, or it has no such program.
    """
    program, *arguments = container.map_paths(list(command))
    own = {**runtime.variables, **variables}
    if runtime.framework and not toolkit:
        # Before the environment is made, which takes long. A custom image's environment may have the program.
        _find(program, container, runtime, machine_path())
    interpreter = runtimes.interpreter(settings, runtime, note, code, toolkit=toolkit)
    own["PATH"] = python_path(container, interpreter, own.get("PATH"))
    return UserProgram(
        [_find(program, container, runtime, own["PATH"]), *arguments],
        environment(settings, container.seen, credentials_path, own),
    )


def _find(program: str, container: Container, runtime: ImageRuntime, path: str) -> str:
    if is_python(program):
        return str(container.seen / job_python.PROGRAM)
    return find_program(program, container, path, runtime.files)


def python_path(container: Container, interpreter: str, own: str | None = None) -> str:
    """Make the job's Python environment, and return the variable PATH with which programs find it.

    Args:
        container: The job's folder.
        interpreter: The Python whose packages the job finds.
        own: The image's or the request's PATH. It goes before the machine's, and may refer to it as ``$PATH``.
    """
    job_python.make(container, interpreter)
    python = container.seen / job_python.PROGRAM
    folders = [folder for folder in (own or "").split(os.pathsep) if folder and folder not in _REFERENCES]
    # The programs of an image's packages come after the job's own Python.
    of_packages = [] if interpreter == sys.executable else [str(Path(interpreter).parent)]
    return os.pathsep.join([str(python.parent), *of_packages, *folders, machine_path()])


def machine_path() -> str:
    """Return the PATH of this machine."""
    return os.environ.get("PATH", os.defpath)
