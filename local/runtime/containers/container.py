"""Replacements for a job's container: a folder for ``/opt/ml``, and environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.core.sdk_defaults import sdk_environment
from local.core.settings import Settings

OPT_ML = Path("/opt/ml")
"""The folder that SageMaker shares with a job's container."""

_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables of this machine without which programs cannot run."""
# Matches whole paths only: file:///opt/ml/x is replaced, the S3 key in s3://bucket/opt/ml/x is not.
CONTAINER_PATH = re.compile(r"(?:(?<=file://)|(?<![\w./-]))/opt/ml(?![\w.-])")


def map_paths(value: Any, root: Path) -> Any:
    """Return a JSON value with ``/opt/ml`` replaced by the job's folder, also within strings.

    Args:
        value: The JSON value. A string may contain the path, as in ``--key=/opt/ml/...``.
        root: The job's folder.
    """
    if isinstance(value, str):
        return CONTAINER_PATH.sub(lambda _: str(root), value)
    if isinstance(value, list):
        return [map_paths(item, root) for item in value]
    if isinstance(value, dict):
        return {key: map_paths(item, root) for key, item in value.items()}
    return value


def local_path(container_path: str, root: Path) -> Path | None:
    """Return the local path for a path below ``/opt/ml`` in the container, or None for any other path.

    Args:
        container_path: An absolute path in the container.
        root: The job's folder.
    """
    normal = os.path.normpath(container_path)
    if normal != "/opt/ml" and not normal.startswith("/opt/ml/"):
        return None
    return root / os.path.relpath(normal, "/opt/ml")


@dataclass(frozen=True)
class Container:
    """A job's folder, and the place at which the job's program sees it.

    Attributes:
        root: The folder on this machine.
        seen: ``/opt/ml`` if the program runs in a root folder of its own; otherwise ``root``.
    """

    root: Path
    seen: Path

    @property
    def has_own_root(self) -> bool:
        """Whether the program runs in a root folder of its own."""
        return self.seen == OPT_ML

    @property
    def working_folder(self) -> Path:
        """The folder on this machine in which to start the program."""
        return Path("/") if self.has_own_root else self.root

    def map_paths(self, value: Any) -> Any:
        """Return a JSON value with ``/opt/ml`` replaced by the place at which the program sees it."""
        return value if self.has_own_root else map_paths(value, self.root)

    def path(self, seen: str) -> Path:
        """Return the path on this machine for an absolute path that the program sees."""
        return (local_path(seen, self.root) if self.has_own_root else None) or Path(seen)


def machine_environment(root: Path) -> dict[str, str]:
    """Return the variables of this machine that programs need: where commands and libraries are, and the locale.

    Args:
        root: The folder of the program's files. If its path is not plain ASCII, Java finds it in a UTF-8 locale only.
    """
    machine = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    locale = machine.get("LC_ALL") or machine.get("LC_CTYPE") or machine.get("LANG") or "C"
    if str(root).isascii() or locale not in ("C", "POSIX"):
        return machine
    return {name: value for name, value in machine.items() if name != "LC_ALL"} | {"LC_CTYPE": "C.UTF-8"}


def environment(settings: Settings, seen: Path, credentials_path: str | None, own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a job's program.

    docs/local-service.md lists the variables and their sources. As in SageMaker's containers, AWS_DEFAULT_REGION and
    access keys are not set: clients get their credentials from a URI. AWS_ENDPOINT_URL and
    SAGEMAKER_USER_CONFIG_OVERRIDE are the only variables for clients that SageMaker does not set.

    Args:
        settings: The service's settings.
        seen: The job's folder as its program sees it, used as HOME.
        credentials_path: The path at which the service returns the job's credentials; None for none.
        own: The variables of the job's image and of its request. They override all others.
    """
    # Containers have AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, which always means the host 169.254.170.2.
    uri = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    credentials = {uri: f"{settings.endpoint_url}{credentials_path}"} if credentials_path else {}
    return (
        machine_environment(settings.root)
        | {
            "HOME": str(seen),
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
            "AWS_REGION": settings.region,
            "AWS_ENDPOINT_URL": settings.endpoint_url,
        }
        | credentials
        | sdk_environment(settings.root, settings.region)
        | {name: str(map_paths(value, seen)) for name, value in own.items()}
    )
