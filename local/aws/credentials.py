"""The access keys that the service accepts: the folder owner's key, and temporary keys of jobs, functions and STS.

A job gets its credentials as in SageMaker's containers: botocore requests a URL that an environment variable names.
Here, the URL has a random path, which is valid while the job runs. A Lambda function gets its credentials in
environment variables. Temporary keys are kept in memory only, because no job outlives the service.

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
"""The start of the paths for containers' credentials, as in ECS. Bucket names have at least three characters."""

LIFETIME_SECONDS = 6 * 3600.0
_RENEWAL_SECONDS = 3600.0
"""A key with less time left is replaced. botocore asks for new credentials 15 minutes before they expire."""
_KEPT_SECONDS = 24 * 3600.0
_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Credentials:
    """An access key.

    Attributes:
        access_key: The access key id.
        secret_key: The secret key, which signs requests.
        token: The session token that requests must have, or None for a key that is not temporary.
        expires: The time when a temporary key expires, in seconds since the epoch; None for any other key.
        identity: The ARN of the assumed role that the key belongs to, or None for the folder's owner.
    """

    access_key: str
    secret_key: str
    token: str | None = None
    expires: float | None = None
    identity: str | None = None

    def accepts(self, token: str) -> bool:
        """Return whether a request's session token is valid for this key."""
        return self.token is None or hmac.compare_digest(self.token.encode(), token.encode())

    def document(self) -> dict[str, str]:
        """Return the JSON document that a container's credentials URI returns for a temporary key."""
        assert self.token is not None
        assert self.expires is not None
        return {
            "AccessKeyId": self.access_key,
            "SecretAccessKey": self.secret_key,
            "Token": self.token,
            "Expiration": datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def variables(self) -> dict[str, str]:
        """Return a temporary key as the environment variables that AWS clients read."""
        assert self.token is not None
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
        }


@dataclass(frozen=True)
class _Container:
    """A running container's identity, and the keys that it was given, the newest last."""

    identity: str
    keys: list[Credentials]


class KeyRing:
    """All access keys that are valid now.

    Args:
        secret_key: The secret key of the folder's owner, whose access key id is always the same.
        now: Returns the time, in seconds since the epoch.
    """

    def __init__(self, secret_key: str, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._by_key = {ACCESS_KEY: Credentials(ACCESS_KEY, secret_key)}
        self._by_path: dict[str, _Container] = {}
        self._issued: list[Credentials] = []

    def find(self, access_key: str) -> Credentials | None:
        """Return the credentials of an access key id, expired or not, or None for an unknown id."""
        return self._by_key.get(access_key)

    def issue(self, expires: float, access_key: str | None = None) -> Credentials:
        """Create a temporary key that is not bound to a job. It is valid until it expires or the service stops.

        Args:
            expires: The time when it expires, in seconds since the epoch.
            access_key: Its access key id, or None for a random one.
        """
        with self._lock:
            # An expired key is known for a day more, so that its user gets an error that says so.
            ended = [key for key in self._issued if (key.expires or 0.0) + _KEPT_SECONDS < self._now()]
            for key in ended:
                self._issued.remove(key)
                self._by_key.pop(key.access_key, None)
            key = self._issue(None, expires, access_key)
            self._issued.append(key)
            return key

    @contextmanager
    def of_container(self, identity: str) -> Iterator[str]:
        """Create credentials for a container. They are valid until the context ends.

        Args:
            identity: The ARN of the assumed role.

        Yields:
            The path at which the service returns the credentials to anyone who knows the path.
        """
        path = PATH + secrets.token_urlsafe(32)
        container = self._by_path[path] = _Container(identity, [])
        try:
            yield path
        finally:
            with self._lock:
                del self._by_path[path]
                for key in container.keys:
                    del self._by_key[key.access_key]

    @contextmanager
    def of_invocation(self, identity: str) -> Iterator[Credentials]:
        """Create credentials for an invocation of a function. They are valid until the context ends.

        Args:
            identity: The ARN of the assumed role.
        """
        key = self._issue(identity)
        try:
            yield key
        finally:
            del self._by_key[key.access_key]

    def answer(self, path: str) -> Credentials | None:
        """Return the credentials at a container's path, or None if the path belongs to no running container.

        Credentials that expire within an hour are replaced.
        """
        with self._lock:
            container = self._by_path.get(path)
            if container is None:
                return None
            keys = container.keys
            if not keys or (keys[-1].expires or 0.0) - self._now() < _RENEWAL_SECONDS:
                keys.append(self._issue(container.identity))
            return keys[-1]

    def _issue(
        self, identity: str | None = None, expires: float | None = None, access_key: str | None = None
    ) -> Credentials:
        key = Credentials(
            access_key or "ASIA" + "".join(secrets.choice(_ALPHABET) for _ in range(16)),
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(64),
            expires if expires is not None else self._now() + LIFETIME_SECONDS,
            identity,
        )
        self._by_key[key.access_key] = key
        return key
