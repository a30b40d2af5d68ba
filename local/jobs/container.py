"""A job's folder in the place of its container's ``/opt/ml``, and what its programs see of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.settings import Settings

_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# Not a part of a longer path or of an S3 key: s3://bucket/opt/ml/x stays as it is, file:///opt/ml/x does not.
_CONTAINER_PATH = re.compile(r"(?:(?<=file://)|(?<![\w./-]))/opt/ml(?![\w.-])")


def map_paths(value: Any, root: Path) -> Any:
    """Replace ``/opt/ml`` by the job's folder in all strings of a JSON value, ``--key=/opt/ml/...`` among them."""
    if isinstance(value, str):
        return _CONTAINER_PATH.sub(lambda _: str(root), value)
    if isinstance(value, list):
        return [map_paths(item, root) for item in value]
    if isinstance(value, dict):
        return {key: map_paths(item, root) for key, item in value.items()}
    return value


def local_path(container_path: str, root: Path) -> Path | None:
    """The local place of a path within the container's ``/opt/ml``; None for a path that lies elsewhere."""
    normal = os.path.normpath(container_path)
    if normal != "/opt/ml" and not normal.startswith("/opt/ml/"):
        return None
    return root / os.path.relpath(normal, "/opt/ml")


def environment(settings: Settings, root: Path, own: Mapping[str, str]) -> dict[str, str]:
    """Environment variables of a job's program.

    As in a container, nothing of the user's own environment is in it but what programs need to run at all: no
    credentials, no profile, no tokens. AWS clients talk to this service.

    Args:
        settings: the service's settings.
        root: the job's folder, which is its home too.
        own: the variables that the job's request gives.
    """
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return (
        inherited
        | {
            "HOME": str(root),
            "PYTHONUNBUFFERED": "1",
            "AWS_REGION": settings.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        | settings.client_environment()
        | {name: str(map_paths(value, root)) for name, value in own.items()}
    )
