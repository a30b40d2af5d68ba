"""Run notebook.py with version 2 of the SageMaker Python SDK, in an environment of its own, on a local service.

    python tests/clients/run.py UV

It installs packages, so it is not part of ``make test``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local.app.server import LocalService
from local.core.settings import Settings

SDK_DEFAULTS = "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"


def main() -> int:
    """Run the notebook; return its exit status."""
    uv, notebook = sys.argv[1], Path(__file__).with_name("notebook.py")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalService(Settings(Path(folder) / ".local", port=0)) as service,
    ):
        defaults = Path(folder) / "sdk-defaults.yaml"
        defaults.write_text(SDK_DEFAULTS)
        settings = {
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(defaults),
        }
        return subprocess.run(
            [
                uv,
                "run",
                "--quiet",
                "--isolated",
                "--no-project",
                "--with",
                "sagemaker>=2.250,<3",
                "python",
                str(notebook),
            ],
            env={**inherited, **service.settings.client_environment(), **settings},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
