"""Files of the project that the pipeline carries to S3, each under the hash of its content.

The same bytes always get the same address, whatever the machine or the path: a step whose code has not changed
keeps its cache key, and one that a running execution uses is never overwritten.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

STEPS = Path(__file__).resolve().parent.parent / "steps"


@dataclass(frozen=True)
class Upload:
    """A file and where it goes.

    Attributes:
        source: the file here.
        bucket: the bucket it goes to.
        key: its key, which holds the SHA-256 of its content.
    """

    source: Path
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def upload_of(source: Path, bucket: str, prefix: str) -> Upload:
    """The content-addressed upload of a file.

    Args:
        source: the file.
        bucket: name of the bucket.
        prefix: what the key begins with, without a slash at the end.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Upload(source, bucket, f"{prefix}/{digest}/{source.name}")
