"""A session of the SageMaker Python SDK with no bucket given, in the environment of ``make local-env``."""

from __future__ import annotations

import subprocess
import sys

import pytest

from local.core.sdk_defaults import sdk_environment

PROGRAM = """
import socket

def only_this_machine(host, *arguments, resolve=socket.getaddrinfo, **options):
    if host not in ("127.0.0.1", "localhost", None):
        raise OSError(f"the network is cut off: {host}")
    return resolve(host, *arguments, **options)

socket.getaddrinfo = only_this_machine

from sagemaker.core.helper.session_helper import Session

session = Session()
print(session.default_bucket(), session.upload_string_as_file_body("x", session.default_bucket(), "a.txt"))
"""


@pytest.mark.slow
def test_the_default_bucket_is_made_here_and_the_real_sts_is_not_asked(service) -> None:
    environment = service.environment | sdk_environment(service.settings.root, service.settings.region)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()[0] == "sagemaker-us-east-1-123456789012"
    body = service.client("s3").get_object(Bucket="sagemaker-us-east-1-123456789012", Key="a.txt")["Body"].read()
    assert body == b"x"


def test_the_file_is_written_once_and_names_the_regions_bucket(tmp_path) -> None:
    first = sdk_environment(tmp_path, "eu-west-1")
    (file,) = (tmp_path / "sdk-defaults").iterdir()
    assert first == {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(file)}
    assert "DefaultS3Bucket: sagemaker-eu-west-1-123456789012\n" in file.read_text()
    written = file.stat().st_mtime_ns
    assert sdk_environment(tmp_path, "eu-west-1") == first
    assert file.stat().st_mtime_ns == written
