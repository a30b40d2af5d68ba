"""One local service, driven as a person does it: by the project's commands and the real AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.app.server import LocalService
from local.core.settings import Settings
from tests.aws_cli import run_aws
from tests.commands import run_command

ROOT = Path(__file__).resolve().parents[2]
AWS = Path(sys.executable).parent / "aws"
EXECUTION_SECONDS = 300


@dataclass(frozen=True)
class Shell:
    """A shell in which ``eval "$(make local-env)"`` has been said."""

    environment: dict[str, str]

    def aws(self, *arguments: str) -> Any:
        """Run the AWS CLI and return what it prints, from JSON where it is."""
        status, printed, errors = run_aws(self.environment, *arguments)
        assert status == 0, errors
        return json.loads(printed) if printed.strip().startswith(("{", "[")) else printed

    def command(self, name: str, **options: str) -> subprocess.CompletedProcess[str]:
        """Run one of the project's commands with options."""
        return run_command(name, {**self.environment, **options})

    def succeed(self, name: str, **options: str) -> str:
        """Run a command that has to succeed; return what it prints."""
        result = self.command(name, **options)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def client(self, name: Any) -> Any:
        """A boto3 client, for calls from threads too."""
        session = boto3.Session(
            self.environment["AWS_ACCESS_KEY_ID"],
            self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
        )
        return session.client(name, endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def finish(self, execution_arn: str) -> str:
        """Wait until an execution has ended; return its status."""
        client = self.client("sagemaker")
        deadline = time.monotonic() + EXECUTION_SECONDS
        while time.monotonic() < deadline:
            description = client.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
            if description["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped"):
                return description["PipelineExecutionStatus"] + description.get("FailureReason", "")
            time.sleep(0.5)
        raise AssertionError(f"{execution_arn} has not ended after {EXECUTION_SECONDS} s")


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    with LocalService(Settings(tmp_path_factory.mktemp("local"), port=0)) as service:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        yield Shell({**inherited, **service.settings.client_environment(), "AWS_PAGER": "", "COLUMNS": "160"})
