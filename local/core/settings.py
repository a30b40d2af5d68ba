"""The service's settings: its folders, address, account and region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.core.secret import secret_key

ACCOUNT_ID = "123456789012"
"""The account in every ARN. It is moto's account, so ARNs agree between services."""

ACCESS_KEY = "local"
"""The access key of the folder's owner. Its secret key is random, see ``local.core.secret``."""

HOST = "127.0.0.1"
DEFAULT_PORT = 8566
LOCK_FILE = "service.lock"
"""The file that the process of the service locks. It holds the service's address."""
LOG_FILE = "service.log"
"""The file with the service's own errors."""
DEFAULT_REGION = "us-east-1"
REPOSITORY = Path(__file__).parents[2]
"""The folder in which ``python -m local...`` finds the service's modules."""


@dataclass(frozen=True)
class Settings:
    """Tells one service where to store its data and where to listen.

    Attributes:
        root: The absolute path of the folder with all the service's data (``.local``).
        port: The TCP port on 127.0.0.1.
        region: The AWS region in ARNs and signatures.
    """

    root: Path
    port: int = DEFAULT_PORT
    region: str = DEFAULT_REGION

    @property
    def endpoint_url(self) -> str:
        """The endpoint URL for AWS clients."""
        return f"http://{HOST}:{self.port}"

    @property
    def database(self) -> Path:
        """The SQLite file with the service's records."""
        return self.root / "records.sqlite"

    @property
    def custom_images(self) -> Path:
        """The user's file that says what takes the place of own images; it need not exist."""
        return self.root.parent / "local-images.yaml"

    @property
    def metrics(self) -> Path:
        """The SQLite file with the data points of metrics."""
        return self.root / "metrics.sqlite"

    @property
    def buckets(self) -> Path:
        """The folder of buckets: an object is the plain file ``<buckets>/<bucket>/<key>``."""
        return self.root / "s3"

    @property
    def jobs(self) -> Path:
        """The folder of jobs: ``<jobs>/<kind>/<name>`` is a job's ``/opt/ml``."""
        return self.root / "jobs"

    @property
    def logs(self) -> Path:
        """The folder of logs: ``<logs>/<log group>/<log stream>.log``."""
        return self.root / "logs"

    @property
    def functions(self) -> Path:
        """The folder of Lambda functions: ``<functions>/<name>/code/<digest>`` holds the unzipped code."""
        return self.root / "functions"

    @property
    def endpoints(self) -> Path:
        """The folder of endpoints: ``<endpoints>/<name>/<change>`` holds the artifacts that an endpoint serves."""
        return self.root / "endpoints"

    @property
    def model_servers(self) -> Path:
        """The folder of served models: ``<model_servers>/<id>`` is a model container's ``/opt/ml``."""
        return self.root / "model-servers"

    @property
    def secret_key(self) -> str:
        """The secret access key of the folder's owner. It is created at its first use.

        Raises:
            OSError: The key cannot be read or created.
        """
        return secret_key(self.root)

    def client_environment(self) -> dict[str, str]:
        """Return the environment variables that direct an AWS client of any language to this service."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
        }
