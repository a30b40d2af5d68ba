"""The access keys that the service knows: the folder owner's, and temporary ones of what runs at the moment.

A job finds its credentials as it does in SageMaker's containers: botocore asks a URL that the environment names. Here
that is a random path of this service, which answers while the job runs. A Lambda function finds its own in its
environment. Temporary keys are kept in memory only, because no job outlives the service.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import hmac
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from local.core.settings import ACCESS_KEY

PATH = "/v2/credentials/"
"""Where containers ask for credentials; ECS has the same path. No bucket has a name of two letters."""

LIFETIME_SECONDS = 6 * 3600.0
_RENEWAL_SECONDS = 3600.0
"""A key with less time left is followed by a new one. botocore asks anew when 15 minutes are left."""
_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Credentials:
    """An access key and what belongs to it.

    Attributes:
        access_key: the access key id.
        secret_key: signs requests.
        token: the session token that requests must carry; None for a key that is not temporary.
        expires: when a temporary key ends, in seconds since the epoch.
    """

    access_key: str
    secret_key: str
    token: str | None = None
    expires: float | None = None

    def accepts(self, token: str) -> bool:
        """Return whether a request's session token is the right one."""
        return self.token is None or hmac.compare_digest(self.token.encode(), token.encode())

    def document(self) -> dict[str, str]:
        """Return what a container's credentials URI answers."""
        assert self.token is not None
        assert self.expires is not None
        return {
            "AccessKeyId": self.access_key,
            "SecretAccessKey": self.secret_key,
            "Token": self.token,
            "Expiration": datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def variables(self) -> dict[str, str]:
        """Return the environment variables from which AWS clients read a temporary key."""
        assert self.token is not None
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
        }


class KeyRing:
    """All access keys that count at the moment.

    Args:
        secret_key: of the folder's owner, whose access key is always the same.
        now: tells the time, in seconds since the epoch.
    """

    def __init__(self, secret_key: str, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._by_key = {ACCESS_KEY: Credentials(ACCESS_KEY, secret_key)}
        self._by_path: dict[str, list[Credentials]] = {}

    def find(self, access_key: str) -> Credentials | None:
        """Return the credentials of an access key, expired or not; None for one that does not count."""
        return self._by_key.get(access_key)

    @contextmanager
    def of_container(self) -> Iterator[str]:
        """Give a container credentials of its own; they are worth nothing once the context ends.

        Yields:
            The path at which the service answers with them. Whoever knows it may have them.
        """
        path = PATH + secrets.token_urlsafe(32)
        self._by_path[path] = []
        try:
            yield path
        finally:
            with self._lock:
                for key in self._by_path.pop(path):
                    del self._by_key[key.access_key]

    @contextmanager
    def of_invocation(self) -> Iterator[Credentials]:
        """Give credentials that are worth nothing once the context ends."""
        key = self._issue()
        try:
            yield key
        finally:
            del self._by_key[key.access_key]

    def answer(self, path: str) -> Credentials | None:
        """Return what a container's path answers, renewed in time; None for a path of no running container."""
        with self._lock:
            keys = self._by_path.get(path)
            if keys is None:
                return None
            if not keys or (keys[-1].expires or 0.0) - self._now() < _RENEWAL_SECONDS:
                keys.append(self._issue())
            return keys[-1]

    def _issue(self) -> Credentials:
        access_key = "ASIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
        key = Credentials(
            access_key, secrets.token_urlsafe(30), secrets.token_urlsafe(64), self._now() + LIFETIME_SECONDS
        )
        self._by_key[access_key] = key
        return key
