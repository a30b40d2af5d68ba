"""The SageMaker Python SDK, version 3, deploys a model with inference code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.core.sdk_defaults import sdk_environment
from tests.local.runtime.models.conftest import SCIKIT_LEARN, SCRIPT, Serving, archive

PROGRAM = """
import sys
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import SourceCode
from sagemaker.serve.model_builder import ModelBuilder

image, artifact, folder, role = sys.argv[1:]
builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=artifact,
    source_code=SourceCode(source_dir=folder, entry_script="inference.py"),
    role_arn=role,
    instance_type="ml.m5.large",
    sagemaker_session=Session(),
)
builder.build(model_name="sdk-model")
builder.deploy(endpoint_name="sdk-endpoint", initial_instance_count=1, wait=False)
"""
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.mark.slow
@pytest.mark.long
def test_the_sdk_deploys_a_model_with_inference_code(serving: Serving, tmp_path: Path) -> None:
    iam = serving.service.client("iam")
    role = iam.create_role(RoleName="sdk", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="sdk", PolicyName="all", PolicyDocument=json.dumps(ANYTHING))
    (tmp_path / "inference.py").write_text(SCRIPT)
    settings = serving.service.settings
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, SCIKIT_LEARN, serving.put(archive({"weight.txt": "2"})), tmp_path, role],
        env=serving.service.environment | sdk_environment(settings.root, settings.region),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert ran.returncode == 0, ran.stderr
    assert serving.settle("sdk-endpoint")["EndpointStatus"] == "InService"
    assert serving.ask("sdk-endpoint", b"[[1, 2]]") == "[6.0]"
    container = serving.sagemaker.describe_model(ModelName="sdk-model")["PrimaryContainer"]
    assert container["Environment"] == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": "us-east-1",
    }
