"""The S3 server: nanio, where an object is a plain file, mounted in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nanio.app import build_app
from nanio.auth.credentials import StaticCredentialResolver
from nanio.config import Settings as NanioSettings

from local.settings import ACCESS_KEY, SECRET_KEY, Settings


def s3_application(settings: Settings) -> Any:
    """The ASGI application of S3; the gateway has checked the signature before."""
    buckets: Path = settings.buckets
    credentials = StaticCredentialResolver({ACCESS_KEY: SECRET_KEY})
    return build_app(
        NanioSettings(data_dir=buckets, region=settings.region, credentials=credentials, auth_disabled=True)
    )
