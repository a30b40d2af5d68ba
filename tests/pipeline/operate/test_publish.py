from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile

import boto3
import pytest
from moto import mock_aws

from pipeline.definition.assets import STEPS
from pipeline.definition.resources import conventional_resources
from pipeline.errors import UserError
from pipeline.operate.function import function_package
from pipeline.operate.publish import plan_publishing, publish
from pipeline.operate.role_checks import missing_role_faults

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.Session(region_name="us-east-1")


@pytest.fixture
def account(session, resources):
    """An account that ``make bootstrap`` has been run in, as far as publishing needs it."""
    session.client("s3").create_bucket(Bucket=resources.bucket)
    for arn in (resources.lambda_role_arn, resources.lambda_role_arn.replace("-lambda-", "-other-")):
        session.client("iam").create_role(RoleName=arn.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(TRUST))
    return session


def publish_all(config, resources, session) -> list[str]:
    plan = plan_publishing(config, resources, session)
    publish(plan, session, lambda _: None)
    return plan.changes


def test_publishing_creates_what_the_definition_names(account, config, resources, built) -> None:
    changes = publish_all(config, resources, account)
    assert any(change.startswith("pipeline: create") for change in changes)
    published = account.client("sagemaker").describe_pipeline(PipelineName=config.pipeline.name)
    assert json.loads(published["PipelineDefinition"]) == built
    assert published["RoleArn"] == resources.pipeline_role_arn
    assert "MaxMse:" in published["PipelineDescription"]
    keys = {item["Key"] for item in account.client("s3").list_objects_v2(Bucket=resources.bucket)["Contents"]}
    text = json.dumps(built)
    for name in ("make_folds.py", "select_best.pyz", "verify_endpoint.pyz", "insurance.csv", "fold_options.json"):
        (key,) = [key for key in keys if key.endswith(f"/{name}")]
        assert f"s3://{resources.bucket}/{key}" in text


def test_publishing_again_changes_nothing(account, config, resources) -> None:
    publish_all(config, resources, account)
    assert plan_publishing(config, resources, account).changes == []


def test_whatever_publishing_would_change_is_said_before(account, config, configure, resources) -> None:
    publish_all(config, resources, account)
    changed = configure(
        pipeline={"max_parallel_steps": 2, "description": "Other words."},
        triggers={"schedule": "rate(7 days)"},
        registry={"group": "others"},
    )
    found = plan_publishing(changed, resources, account).changes
    for change in (
        "pipeline: at most 2 steps at once, before 5",
        "pipeline: its description changes",
        f"rule {config.pipeline.name}-schedule: create; runs when its schedule rate(7 days) says so",
        f"rule {config.pipeline.name}-approved: change; runs when a model of others is approved",
    ):
        assert change in found


def test_planning_changes_nothing(account, config, resources) -> None:
    plan_publishing(config, resources, account)
    assert account.client("sagemaker").list_pipelines()["PipelineSummaries"] == []
    assert "Contents" not in account.client("s3").list_objects_v2(Bucket=resources.bucket)


def test_a_changed_configuration_updates_the_pipeline(account, config, resources) -> None:
    publish_all(config, resources, account)
    stricter = config.model_copy(update={"quality": config.quality.model_copy(update={"max_mse": 4e7})})
    assert publish_all(stricter, resources, account) == ["parameter MaxMse: DefaultValue 50000000.0 -> 40000000.0"]
    published = account.client("sagemaker").describe_pipeline(PipelineName=config.pipeline.name)
    (limit,) = [p for p in json.loads(published["PipelineDefinition"])["Parameters"] if p["Name"] == "MaxMse"]
    assert limit["DefaultValue"] == 4e7


def test_the_function_runs_the_code_of_steps(account, config, resources) -> None:
    publish_all(config, resources, account)
    function = account.client("lambda").get_function_configuration(FunctionName=resources.deploy_function_name)
    package = function_package()
    assert function["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        packed = [path.relative_to(STEPS).as_posix() for path in (STEPS / "deployment").glob("*.py")]
        assert files.namelist() == sorted(["deploy_endpoint.py", *packed])
        assert files.read("deploy_endpoint.py") == (STEPS / "deploy_endpoint.py").read_bytes()


def test_code_runtime_and_role_of_an_older_function_are_updated(account, config, resources) -> None:
    client = account.client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("deploy_endpoint.py", "def handler(event, context): return {}")
    client.create_function(
        FunctionName=resources.deploy_function_name,
        Runtime="python3.9",
        Role=resources.lambda_role_arn.replace("-lambda-", "-other-"),
        Handler="deploy_endpoint.old",
        Code={"ZipFile": archive.getvalue()},
    )
    old = client.get_function_configuration(FunctionName=resources.deploy_function_name)
    changes = publish_all(config, resources, account)
    assert any(change.startswith("Lambda insurance-cross-validation-deploy: update code") for change in changes)
    new = client.get_function_configuration(FunctionName=resources.deploy_function_name)
    assert new["CodeSha256"] != old["CodeSha256"]
    assert (new["Runtime"], new["Role"]) == ("python3.12", resources.lambda_role_arn)
    assert (new["Handler"], new["Timeout"]) == ("deploy_endpoint.handler", 580)
    assert json.loads(new["Environment"]["Variables"]["DEPLOYMENT"])["role_arn"] == resources.job_role_arn


def test_a_missing_bucket_is_a_sentence(session, config, resources) -> None:
    with pytest.raises(UserError, match=r"does not exist: run 'make bootstrap', or set aws\.bucket"):
        plan_publishing(config, resources, session)


@pytest.mark.parametrize("kind", ["pipeline", "job", "lambda", "events"])
def test_a_role_of_another_account_is_told_before_anything_is_sent(session, configure, kind) -> None:
    theirs = f"arn:aws:iam::999999999999:role/{kind}"
    config = configure(aws={f"{kind}_role_arn": theirs}, triggers={"schedule": "rate(1 day)"})
    with pytest.raises(UserError) as caught:
        plan_publishing(config, conventional_resources(config), session)
    assert str(caught.value) == (
        f"AWS would refuse this configuration:\naws.{kind}_role_arn: {theirs} belongs to another account than "
        "123456789012; a role cannot be passed across accounts: use one of this account"
    )


@pytest.mark.parametrize("kind", ["pipeline", "job", "lambda", "events"])
def test_a_named_role_that_does_not_exist_is_told_before_anything_is_changed(account, configure, kind) -> None:
    arn = f"arn:aws:iam::123456789012:role/mine-{kind}"
    config = configure(aws={f"{kind}_role_arn": arn}, triggers={"schedule": "rate(1 day)"})
    resources = conventional_resources(config)
    with pytest.raises(UserError, match=rf"aws\.{kind}_role_arn: {arn} does not exist$"):
        plan_publishing(config, resources, account)
    iam = account.client("iam")
    iam.create_role(RoleName=f"mine-{kind}", Path="/ml/", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(UserError, match=rf"does not exist; the role of this name is .*:role/ml/mine-{kind}$"):
        plan_publishing(config, resources, account)
    config = configure(aws={f"{kind}_role_arn": arn.replace("role/", "role/ml/")})
    assert not list(missing_role_faults(account, config, conventional_resources(config)))


def test_a_role_that_may_not_be_read_passes(account, configure) -> None:
    def deny(**_):
        error = {"Code": "AccessDenied", "Message": "no"}
        return type("Reply", (), {"status_code": 403}), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}

    config = configure(aws={"job_role_arn": "arn:aws:iam::123456789012:role/mine"})
    account.events.register("before-call.iam.GetRole", deny)
    assert plan_publishing(config, conventional_resources(config), account).changes


def test_a_role_that_nothing_uses_may_belong_to_any_account(account, configure) -> None:
    config = configure(aws={"events_role_arn": "arn:aws:iam::999999999999:role/events"})
    assert plan_publishing(config, conventional_resources(config), account).changes


def test_a_long_definition_goes_through_s3(account, config, resources) -> None:
    plan = plan_publishing(config, resources, account)
    plan.definition["Parameters"].append({"Name": "Padding", "Type": "String", "DefaultValue": "x" * 102_400})
    publish(plan, account, lambda _: None)
    listed = account.client("s3").list_objects_v2(Bucket=resources.bucket, Prefix=f"{config.pipeline.name}/definition/")
    (item,) = listed["Contents"]
    body = account.client("s3").get_object(Bucket=resources.bucket, Key=item["Key"])["Body"].read()
    assert json.loads(body) == plan.definition
    assert account.client("sagemaker").describe_pipeline(PipelineName=config.pipeline.name)["PipelineArn"]


def test_all_uploads_are_encrypted_with_the_configured_key(account, config, resources) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
    guarded = config.model_copy(update={"aws": config.aws.model_copy(update={"kms_key_arn": key})})
    plan = plan_publishing(guarded, resources, account)
    plan.definition["Parameters"].append({"Name": "Padding", "Type": "String", "DefaultValue": "x" * 102_400})
    publish(plan, account, lambda _: None)
    s3 = account.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=resources.bucket)["Contents"]]
    assert {name.split("/")[1] for name in keys} == {"code", "data", "definition", "options"}
    for name in keys:
        stored = s3.head_object(Bucket=resources.bucket, Key=name)
        assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", key), name


def test_a_role_that_cannot_be_assumed_is_told_with_what_may_keep_sagemaker_out(account, config, resources) -> None:
    def refuse(**_):
        reply = type("Reply", (), {"status_code": 400})
        error = {"Code": "ValidationException", "Message": f"Could not assume role {resources.pipeline_role_arn}."}
        return reply, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}

    plan = plan_publishing(config, resources, account)
    account.events.register("before-call.sagemaker.CreatePipeline", refuse)
    with pytest.raises(UserError, match=r"cannot be used: Could not assume role .*aws:SourceAccount.*make bootstrap"):
        publish(plan, account, lambda _: None)


def test_what_aws_would_refuse_of_any_request_is_said_before_anything_is_sent(config, resources, session) -> None:
    name = "x" * 200
    bad = config.model_copy(update={"pipeline": config.pipeline.model_copy(update={"tags": {name: "v"}})})
    with pytest.raises(UserError, match=r"(?s)CreatePipeline\.Tags\[0\]\.Key: 200 characters; AWS takes 128") as caught:
        plan_publishing(bad, resources, session)
    assert "CreateEndpoint.Tags[0].Key: 200 characters" in str(caught.value)
