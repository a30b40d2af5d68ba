"""Split the URIs of objects in S3."""

from __future__ import annotations


def split_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the key, or prefix of keys, of an ``s3://`` URI.

    ``urllib`` would take ``?`` and ``#``, which keys may have, for the end of the path.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
