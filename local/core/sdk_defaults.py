"""Defaults for the SageMaker Python SDK, versions 2 and 3, which keep it from asking the real AWS.

``Session.default_bucket()`` takes the account's number from STS, at a URL that no variable changes. The SDK does not
ask if its configuration file names the bucket. The same file turns off its telemetry.

Source: "Configuring and using defaults with the SageMaker Python SDK",
https://sagemaker.readthedocs.io/en/stable/overview.html
"""

from __future__ import annotations

from pathlib import Path

from local.core.files import replacing
from local.core.settings import ACCOUNT_ID

FOLDER = "sdk-defaults"
"""The folder of the configuration files, in the service's folder."""

_TEXT = """\
# Written by the local service: see docs/local-service.md.
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: sagemaker-{region}-{account}
"""


def sdk_environment(root: Path, region: str) -> dict[str, str]:
    """Return the environment variable that names the SDK's configuration file. Write the file if it does not exist.

    Args:
        root: the service's folder, which exists.
        region: the service's region.

    Raises:
        OSError: the file cannot be written.
    """
    path = root / FOLDER / f"{region}.yaml"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as unfinished:
            unfinished.write_text(_TEXT.format(region=region, account=ACCOUNT_ID), "utf-8")
    return {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(path)}
