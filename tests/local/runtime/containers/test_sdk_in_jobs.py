"""The SageMaker Python SDK in a job: its bucket, with the network cut off."""

from __future__ import annotations

import sys

import pytest

from tests.local.runtime.jobs.conftest import BUCKET, Jobs

pytestmark = pytest.mark.slow

PROGRAM = f"""
import os, socket

def only_this_machine(host, *arguments, resolve=socket.getaddrinfo, **options):
    if host not in ("127.0.0.1", "localhost", None):
        raise OSError(f"the network is cut off: {{host}}")
    return resolve(host, *arguments, **options)

socket.getaddrinfo = only_this_machine

import boto3
from sagemaker.core.helper.session_helper import Session

here = boto3.Session(region_name=os.environ["AWS_REGION"])
session = Session(here)
seen = session.default_bucket()
here.client("s3").put_object(Bucket="{BUCKET}", Key="sdk.txt", Body=seen)
"""


def test_a_job_finds_its_bucket_without_the_network(jobs: Jobs) -> None:
    # The Python of the tests has the SDK; that of an image need not have it.
    specification = {
        "ImageUri": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "ContainerEntrypoint": [sys.executable, "/opt/ml/processing/input/code/script.py"],
    }
    description = jobs.run_script(PROGRAM, AppSpecification=specification)
    assert description["ProcessingJobStatus"] == "Completed", jobs.script_log(description["ProcessingJobName"])
    assert jobs.read(f"s3://{BUCKET}/sdk.txt") == "sagemaker-us-east-1-123456789012"
    assert jobs.parts.objects.bucket_exists("s3://sagemaker-us-east-1-123456789012/")
