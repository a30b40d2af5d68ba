"""Deterministic names of an endpoint's models and endpoint configurations."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

VARIANT = "AllTraffic"
LONGEST_STEM = 40


@dataclass(frozen=True)
class Target:
    """The model package to serve, the endpoint and its instances."""

    model_package_arn: str
    endpoint_name: str
    instance_type: str
    instance_count: int


def name_of(target: Target, options: dict[str, Any]) -> str:
    """Return the name of the model and its configuration, from the package's version and a hash of the settings."""
    shape = [
        target.model_package_arn,
        target.instance_type,
        target.instance_count,
        *(options[key] for key in ("role_arn", "serverless", "data_capture", "kms_key_arn", "vpc")),
    ]
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:10]
    version = target.model_package_arn.rpartition("/")[2]
    return f"{stem_of(target.endpoint_name)}-v{version}-{digest}"


def stem_of(endpoint_name: str) -> str:
    """Return the beginning of an endpoint's names, short enough for names of at most 63 characters."""
    if len(endpoint_name) <= LONGEST_STEM:
        return endpoint_name
    return f"{endpoint_name[:33]}-{hashlib.sha256(endpoint_name.encode()).hexdigest()[:6]}"


def version_of(name: str, endpoint_name: str) -> int | None:
    """Return the package's version from a name, or None if the name is not this endpoint's."""
    match = re.fullmatch(re.escape(stem_of(endpoint_name)) + r"-v(\d+)-[0-9a-f]{10}", name)
    return int(match[1]) if match else None
