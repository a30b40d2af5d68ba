"""infra/bootstrap.yaml itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from awscli.customizations.cloudformation.yamlhelper import yaml_parse  # type: ignore[import-untyped]

from tests.infra.conftest import ROOT

TEMPLATE = ROOT / "infra" / "bootstrap.yaml"


@pytest.fixture(scope="module")
def template():
    return yaml_parse(TEMPLATE.read_text())


@pytest.mark.slow
def test_cfn_lint_finds_nothing_with_no_rule_ignored(template) -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I", "--template", str(TEMPLATE)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stdout + finished.stderr == ""
    assert finished.returncode == 0
    assert "Metadata" not in template
    assert not [path for path in ROOT.iterdir() if path.name.startswith(".cfnlintrc")]


def test_the_bucket_is_encrypted_versioned_private_and_tells_eventbridge(template) -> None:
    bucket = template["Resources"]["Bucket"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == {"Fn::If": ["HasKey", "aws:kms", "AES256"]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"] is True


def test_the_bucket_is_closed_to_requests_without_tls(template) -> None:
    (statement,) = template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_results_of_executions_expire_only_when_asked(template) -> None:
    tidy, executions, batch, expiry = template["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert "ExpirationInDays" not in tidy
    assert "ExpirationInDays" not in executions
    assert executions["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert executions["Prefix"] == {"Fn::Sub": "${PipelineName}/executions/"}
    assert (batch["Prefix"], batch["ExpirationInDays"]) == ({"Fn::Sub": "${PipelineName}/batch/"}, 7)
    condition, rule, otherwise = expiry["Fn::If"]
    assert condition == "Expires"
    assert rule["Prefix"] == {"Fn::Sub": "${PipelineName}/executions/"}
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert template["Parameters"]["ExecutionExpirationDays"]["Default"] == 0


def test_trust_lets_no_other_account_in_and_no_service_out_that_names_none(template) -> None:
    conditions = {
        name: statement.get("Condition")
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }
    account = {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert conditions == {"JobRole": account, "PipelineRole": account, "EventsRole": account, "LambdaRole": None}


def test_every_arn_and_principal_holds_in_all_partitions(template) -> None:
    text = TEMPLATE.read_text("utf-8")
    arns = [part for part in re.findall(r"arn:[^\s\"|]+", text) if "arn:aws[a-z-]*:" not in part]
    assert len(arns) > 30
    assert [arn for arn in arns if not arn.startswith("arn:${AWS::Partition}:")] == []
    # These services have the same principal in China as elsewhere; amazonaws.com.cn is for hosts.
    trusted = {
        statement["Principal"]["Service"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }
    assert trusted == {"sagemaker.amazonaws.com", "lambda.amazonaws.com", "events.amazonaws.com"}


def test_a_bucket_that_is_replaced_is_not_deleted(template) -> None:
    assert template["Resources"]["Bucket"]["UpdateReplacePolicy"] == "Retain"
