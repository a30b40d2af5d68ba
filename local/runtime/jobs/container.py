"""A job's folder in the place of its container's ``/opt/ml``, and what its programs see of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.core.settings import Settings

_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What programs need to run on this machine at all."""
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
    """Return the local place of a path within the container's ``/opt/ml``; None for a path that lies elsewhere."""
    normal = os.path.normpath(container_path)
    if normal != "/opt/ml" and not normal.startswith("/opt/ml/"):
        return None
    return root / os.path.relpath(normal, "/opt/ml")


def environment(settings: Settings, root: Path, credentials_path: str, own: Mapping[str, str]) -> dict[str, str]:
    """Environment variables of a job's program: those of its container, and what this machine needs.

    docs/local-service.md has the table, with its sources. As in a container there is no AWS_DEFAULT_REGION and no
    access key: clients find their credentials at a URI. AWS_ENDPOINT_URL is the one variable of AWS's that only
    this service sets.

    Args:
        settings: the service's settings.
        root: the job's folder, which is its home too.
        credentials_path: where the service answers with the job's credentials.
        own: the variables of the job's image and those that its request gives.
    """
    machine = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return (
        machine
        | {
            "HOME": str(root),
            "TZ": "UTC",
            "PYTHONUNBUFFERED": "1",
            "AWS_REGION": settings.region,
            # Containers have AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, which always means the host 169.254.170.2.
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{settings.endpoint_url}{credentials_path}",
            "AWS_ENDPOINT_URL": settings.endpoint_url,
        }
        | {name: str(map_paths(value, root)) for name, value in own.items()}
    )
