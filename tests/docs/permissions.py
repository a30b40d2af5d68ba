"""The permissions that docs/operations.md says a command needs, and those that requests need."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.client
import pytest

ROOT = Path(__file__).resolve().parents[2]

_ACTIONS = {
    "lambda:Invoke": {"lambda:InvokeFunction"},
    "s3:DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "s3:GetBucketEncryption": {"s3:GetEncryptionConfiguration"},
    "s3:GetBucketLifecycleConfiguration": {"s3:GetLifecycleConfiguration"},
    "s3:GetPublicAccessBlock": {"s3:GetBucketPublicAccessBlock"},
    "s3:HeadBucket": {"s3:ListBucket"},
    "s3:HeadObject": {"s3:GetObject"},
    "s3:ListObjectVersions": {"s3:ListBucketVersions"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
    # Everybody may ask who they are: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    "sts:GetCallerIdentity": set(),
}
"""Where actions are not called like the operation: AWS's Service Authorization Reference."""

_LOCAL_ONLY = {"s3:ListBuckets", "s3:CreateBucket", "s3:DeleteBucket"}
"""What the commands do with the local service only."""


def documented() -> dict[str, set[str]]:
    """Return the permissions by command, from the table."""
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    section = text.partition("### Your own permissions\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| (`make .+?) \| (.+) \|$", section, re.MULTILINE)
    cells = {command: cell for commands, cell in rows for command in re.findall(r"`make (\w+)`", commands)}
    found = {command: _actions(cell) for command, cell in cells.items()}
    for command, cell in cells.items():
        found[command].update(*(found[other] for other in re.findall(r"those of `make (\w+)`", cell)))
    return found


def _actions(cell: str) -> set[str]:
    service = ""
    actions: set[str] = set()
    for word in re.findall(r"`([\w:-]+)`", cell):
        service = word.partition(":")[0] if ":" in word else service
        actions.add(word if ":" in word else f"{service}:{word}")
    return actions


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Collect the permissions that the requests of this thread need. The local service is in other threads."""
    needed: set[str] = set()
    base: Any = botocore.client.BaseClient
    call, thread = base._make_api_call, threading.get_ident()

    def recording(client: Any, operation: str, arguments: Any) -> Any:
        if threading.get_ident() == thread:
            name = f"{client.meta.service_model.signing_name}:{operation}"
            needed.update(_ACTIONS.get(name, {name}) - _LOCAL_ONLY)
        return call(client, operation, arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "_make_api_call", recording)
        yield needed
