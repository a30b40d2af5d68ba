"""Virtual hosts of S3: a bucket's name may come before the host name instead of in the path.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

from collections.abc import Mapping

_SUFFIX = b".localhost"


def bucket_of_host(headers: Mapping[bytes, bytes]) -> str:
    """Return the bucket in a request's host name, or an empty string.

    Args:
        headers: the request's headers by lower-case name.
    """
    host = headers.get(b"host", b"").partition(b":")[0].lower()
    return host.removesuffix(_SUFFIX).decode("latin-1") if host.endswith(_SUFFIX) else ""
