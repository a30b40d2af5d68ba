"""Run clients that this project does not install, each in an environment of its own, on a local service.

    python tests/clients/run.py UV

They are notebook.py and scripts.py with version 2 of the SageMaker Python SDK, the first with its network cut off, and
s3_clients.py with the clients of S3. This installs packages, so it is not part of ``make test``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

from local.app.server import LocalService
from local.core.sdk_defaults import sdk_environment
from local.core.settings import ACCESS_KEY, Settings

BUCKET = "clients"


def main() -> int:
    """Run the clients; return the exit status of the first that fails."""
    uv, here = sys.argv[1], Path(__file__).parent
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalService(Settings(Path(folder) / ".local", port=0)) as service,
    ):
        settings = {
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
            **sdk_environment(service.settings.root, service.settings.region),
        }
        environment = {**inherited, **service.settings.client_environment(), **settings}
        _create_bucket(service.settings)
        for packages, program in (
            (["awswrangler", "s3fs>=2024", "smart-open[s3]"], [str(here / "s3_clients.py"), BUCKET]),
            (["sagemaker>=2.250,<3"], [str(here / "cut_off.py"), str(here / "notebook.py")]),
            (["sagemaker>=2.250,<3"], [str(here / "scripts.py")]),
        ):
            installed = [part for package in packages for part in ("--with", package)]
            command = [uv, "run", "--quiet", "--isolated", "--no-project", *installed, "python", *program]
            done = subprocess.run(command, env=environment, check=False)
            if done.returncode != 0:
                return done.returncode
    return 0


def _create_bucket(settings: Settings) -> None:
    session = boto3.Session(ACCESS_KEY, settings.secret_key, region_name=settings.region)
    session.client("s3", endpoint_url=settings.endpoint_url).create_bucket(Bucket=BUCKET)


if __name__ == "__main__":
    sys.exit(main())
