"""Gives a job's program its own ``/opt/ml``: by a root folder of its own, or by changed paths."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from local.core import sdk_defaults
from local.core.settings import Settings
from local.runtime.containers.container import OPT_ML, Container
from local.runtime.containers.container_root import arguments_of
from local.runtime.errors import JobFailedError
from local.runtime.images import environments

_PROGRAM = (sys.executable, "-I", "-S", str(Path(__file__).with_name("container_root.py")))
_HOST = "algo-1"
_CHECK_SECONDS = 20.0
NO_FOLDERS: Mapping[str, str] = MappingProxyType({})


def container_of(settings: Settings, root: Path) -> Container:
    """Return how a job's program will see the job's folder on this machine.

    Args:
        settings: The service's settings.
        root: The job's folder.
    """
    _mount_point(settings).mkdir(parents=True, exist_ok=True)
    return Container(root, OPT_ML if has_own_roots() else root)


def isolated(  # noqa: PLR0913 - what a program sees
    settings: Settings,
    container: Container,
    command: list[str],
    folders: Mapping[str, str] = NO_FOLDERS,
    *,
    read_only: Sequence[str] = (),
    sees_buckets: bool = False,
    has_network: bool = True,
) -> list[str]:
    """Return the command that runs a program as its container's ``seen`` says.

    The program sees nothing of the service's folder but the job's own, Python environments, and the SDK's defaults. It
    can write only the job's own.

    Args:
        settings: The service's settings.
        container: The job's folder.
        command: The program and its arguments.
        folders: Further folders of this machine by their place in the container.
        read_only: Places in the container that the program cannot write, if it has a root folder of its own.
        sees_buckets: Whether the program sees the buckets: Spark reads and writes objects as files.
        has_network: Whether the program has this machine's network. Otherwise, it reaches itself only.

    Raises:
        JobFailedError: there are such folders, and programs cannot have a root folder of their own here; or the program
            must not have a network, and this machine cannot do that.
    """
    if not has_network and not can_cut_network():
        raise JobFailedError(
            "ClientError: EnableNetworkIsolation is not implemented by the local service on this machine, which has no "
            "unprivileged network namespaces"
        )
    if folders and not container.has_own_root:
        raise JobFailedError(f"ClientError: the image's folders cannot be shown to the job. {description()}")
    if not container.has_own_root:
        return command
    further = _further(settings)
    layout = arguments_of(
        mount_point=str(_mount_point(settings)),
        job=str(container.root),
        hidden=str(settings.root),
        host=_HOST,
        network=has_network,
        visible=[*([str(settings.buckets)] if sees_buckets else []), *further],
        folders=dict(folders),
        read_only=[*further, *read_only],
    )
    return [*_PROGRAM, *layout, *command]


@cache
def has_own_roots() -> bool:
    """Return whether programs can have a root folder of their own here: on Linux with unprivileged user namespaces."""
    return _works(network=True)


@cache
def can_cut_network() -> bool:
    """Return whether programs can be without a network here: on Linux with unprivileged network namespaces."""
    return has_own_roots() and _works(network=False)


def _works(*, network: bool) -> bool:
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as name:
        folders = {part: str(Path(name, part)) for part in ("mount_point", "job", "hidden")}
        for folder in folders.values():
            Path(folder).mkdir()
        layout = arguments_of(**folders, host=_HOST, network=network, visible=[], folders={}, read_only=[])
        command = [*_PROGRAM, *layout, sys.executable, "-I", "-S", "-c", ""]
        try:
            return subprocess.run(command, capture_output=True, timeout=_CHECK_SECONDS, check=False).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False


def description() -> str:
    """Return a sentence about how jobs get ``/opt/ml`` on this machine."""
    if has_own_roots():
        return "Jobs have /opt/ml at its own path, by Linux namespaces."
    return (
        "Jobs have /opt/ml only in their arguments, environment and code files, where it is replaced by their folder: "
        "this machine has no unprivileged user namespaces."
    )


def _further(settings: Settings) -> list[str]:
    """Return the folders of Python environments and of the SDK's defaults that exist."""
    folders = (settings.root / name for name in (environments.FOLDER, sdk_defaults.FOLDER))
    return [str(folder) for folder in folders if folder.is_dir()]


def _mount_point(settings: Settings) -> Path:
    return settings.root / "job-root"
