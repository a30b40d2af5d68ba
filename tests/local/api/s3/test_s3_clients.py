"""Clients of S3 that this project's environment has, each as its own process on the local service."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients import s3_clients

SCRIPT = Path(s3_clients.__file__)


@pytest.mark.slow
@pytest.mark.parametrize("name", s3_clients.CLIENTS)
def test_a_client_writes_lists_reads_copies_and_deletes(service, tmp_path, name) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed here; make test-clients installs it")
    bucket = f"of-{name.replace('_', '-')}"
    service.client("s3").create_bucket(Bucket=bucket)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), bucket, name],
        env=service.environment | {"AWS_EC2_METADATA_DISABLED": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": fine\n")
    assert not any(path.is_file() for path in (service.settings.buckets / bucket).rglob("*") if name != "pandas")
