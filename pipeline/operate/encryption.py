"""Tells S3 with which key to encrypt an upload."""

from __future__ import annotations

from typing import Literal, TypedDict

from pipeline.config.models import Config


class Encryption(TypedDict, total=False):
    """How S3 is to encrypt an object; empty for the bucket's default."""

    ServerSideEncryption: Literal["aws:kms"]
    SSEKMSKeyId: str


def encryption(config: Config) -> Encryption:
    """Return the encryption arguments of an upload. They name the key, as the bucket's default may be another one."""
    key = config.aws.kms_key_arn
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
