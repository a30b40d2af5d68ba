"""The service in a region of another partition than most."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from local.__main__ import _parser
from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.conftest import RunningService

BUCKET_TEMPLATE = "Resources: {B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: of-a-stack}}}"


@pytest.fixture(scope="module", params=[("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def elsewhere(request, tmp_path_factory):
    region, partition = request.param
    with LocalService(Settings(tmp_path_factory.mktemp(region) / ".local", port=0, region=region)) as running:
        yield RunningService(running), f"arn:{partition}", region


def test_arns_are_of_the_regions_partition(elsewhere) -> None:
    service, prefix, region = elsewhere
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", "def handler(event, context): return context.invoked_function_arn")
    functions = service.client("lambda", read_timeout=60)
    arn = functions.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Handler="main.handler",
        Role=f"{prefix}:iam::123456789012:role/r",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    assert arn == f"{prefix}:lambda:{region}:123456789012:function:f"
    assert json.loads(functions.invoke(FunctionName=arn)["Payload"].read()) == arn

    sagemaker, logs = service.client("sagemaker"), service.client("logs")
    group = sagemaker.create_model_package_group(ModelPackageGroupName="g", Tags=[{"Key": "a", "Value": "b"}])[
        "ModelPackageGroupArn"
    ]
    assert group == f"{prefix}:sagemaker:{region}:123456789012:model-package-group/g"
    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == [{"Key": "a", "Value": "b"}]
    logs.create_log_group(logGroupName="/l")
    assert logs.describe_log_groups()["logGroups"][0]["arn"].startswith(f"{prefix}:logs:{region}:")
    assert service.client("sts").get_caller_identity()["Arn"].startswith(f"{prefix}:")


def test_a_rule_reaches_a_target_of_the_regions_partition(elsewhere) -> None:
    service, prefix, region = elsewhere
    events = service.client("events")
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["mine"]}))
    target = {"Id": "t", "Arn": f"{prefix}:logs:{region}:123456789012:log-group:/target"}
    assert events.put_targets(Rule="r", Targets=[target])["FailedEntryCount"] == 0


def test_a_bucket_of_a_stack_is_there_and_keeps_its_settings(elsewhere) -> None:
    service, _, _ = elsewhere
    service.client("cloudformation").create_stack(StackName="s", TemplateBody=BUCKET_TEMPLATE)
    s3 = service.client("s3")
    assert "of-a-stack" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.put_bucket_notification_configuration(
        Bucket="of-a-stack", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    assert service.parts.moto.tells_events("of-a-stack")


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--region", "mars-north-1"), "'mars-north-1' is not an AWS region, for example us-east-1"),
        (("--port", "abc"), "abc is not a port: 0 to 65535, 0 for a free one"),
        (("--port", "65536"), "65536 is not a port: 0 to 65535, 0 for a free one"),
    ],
)
def test_an_option_that_cannot_be_is_one_sentence(option, sentence, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(option)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"argument {option[0]}: {sentence}\n")
