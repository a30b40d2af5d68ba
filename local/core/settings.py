"""Where the service keeps things, and who it says it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.core.secret import secret_key

ACCOUNT_ID = "123456789012"
"""The account in every ARN: the one that moto uses too, so that ARNs agree between services."""

ACCESS_KEY = "local"
"""The access key of the folder's owner; its secret key is random, see ``local.core.secret``."""

HOST = "127.0.0.1"
DEFAULT_PORT = 8566
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Settings:
    """Settings of one service.

    Attributes:
        root: the folder that holds everything the service keeps (``.local``), absolute.
        port: TCP port on 127.0.0.1.
        region: AWS region that ARNs and signatures name.
    """

    root: Path
    port: int = DEFAULT_PORT
    region: str = DEFAULT_REGION

    @property
    def endpoint_url(self) -> str:
        """The URL that AWS clients are pointed at."""
        return f"http://{HOST}:{self.port}"

    @property
    def database(self) -> Path:
        """The SQLite file with the service's records."""
        return self.root / "records.sqlite"

    @property
    def buckets(self) -> Path:
        """The folder of buckets: an object is the plain file ``<buckets>/<bucket>/<key>``."""
        return self.root / "s3"

    @property
    def jobs(self) -> Path:
        """The folder of jobs: ``<jobs>/<kind>/<name>`` holds what ``/opt/ml`` holds in a container."""
        return self.root / "jobs"

    @property
    def logs(self) -> Path:
        """The folder of logs: ``<logs>/<log group>/<log stream>.log``."""
        return self.root / "logs"

    @property
    def functions(self) -> Path:
        """The folder of Lambda functions: ``<functions>/<name>/code/<digest>`` holds what was uploaded."""
        return self.root / "functions"

    @property
    def secret_key(self) -> str:
        """The secret access key of the folder's owner, made if there is none yet.

        Raises:
            OSError: it can be neither read nor made.
        """
        return secret_key(self.root)

    def client_environment(self) -> dict[str, str]:
        """Environment variables that point an AWS client of any language at this service."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
        }
