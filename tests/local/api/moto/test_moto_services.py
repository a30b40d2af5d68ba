import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.conftest import RunningService

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
PERMISSION = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
METRIC = [{"MetricName": "mse", "Timestamp": 1, "Value": 1.0}]
STACK = """
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: bucket-of-a-stack
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}
Outputs:
  Name:
    Value: !Ref Bucket
    Export: {Name: bucket-of-everyone}
"""


@pytest.fixture
def restarted(tmp_path):
    """Start a service on one folder as often as wanted, one after the other."""
    running: list[Any] = []

    def start():
        while running:
            running.pop().stop()
        service = LocalService(Settings(tmp_path / ".local", port=0))
        service.start()
        running.append(service)
        return RunningService(service)

    yield start
    while running:
        running.pop().stop()


def test_what_moto_knows_is_the_same_after_a_restart(restarted) -> None:
    first = restarted()
    iam = first.client("iam")
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=TRUST)["Role"]
    iam.put_role_policy(RoleName="job", PolicyName="inline", PolicyDocument=PERMISSION)
    first.client("cloudwatch").put_metric_alarm(
        AlarmName="latency",
        MetricName="ModelLatency",
        Namespace="AWS/SageMaker",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    topic = first.client("sns").create_topic(Name="alarms")["TopicArn"]
    again = restarted()
    found = again.client("iam").get_role(RoleName="job")["Role"]
    assert (found["RoleId"], found["Arn"]) == (role["RoleId"], role["Arn"])
    assert found["CreateDate"] == role["CreateDate"]
    assert again.client("iam").list_role_policies(RoleName="job")["PolicyNames"] == ["inline"]
    assert [a["AlarmName"] for a in again.client("cloudwatch").describe_alarms()["MetricAlarms"]] == ["latency"]
    assert [t["TopicArn"] for t in again.client("sns").list_topics()["Topics"]] == [topic]


def test_what_was_deleted_stays_deleted_after_a_restart(restarted) -> None:
    iam = restarted().client("iam")
    iam.create_role(RoleName="gone", AssumeRolePolicyDocument=TRUST)
    iam.delete_role(RoleName="gone")
    with pytest.raises(ClientError):
        restarted().client("iam").get_role(RoleName="gone")


def test_a_stacks_bucket_exists_in_s3_and_goes_with_the_stack_once_it_is_empty(restarted) -> None:
    first = restarted()
    cloudformation = first.client("cloudformation")
    stack = cloudformation.create_stack(StackName="stack", TemplateBody=STACK)["StackId"]
    first.client("s3").put_object(Bucket="bucket-of-a-stack", Key="key", Body=b"data")
    with pytest.raises(ClientError, match="only when the stack is in the DELETE_FAILED state"):
        cloudformation.delete_stack(StackName="stack", RetainResources=["Bucket"])
    cloudformation.delete_stack(StackName="stack")
    again = restarted()
    cloudformation = again.client("cloudformation")
    (found,) = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    assert (found["StackId"], found["StackStatus"]) == (stack, "DELETE_FAILED")
    assert found["StackStatusReason"] == "The following resource(s) failed to delete: [Bucket]. "
    assert [output["OutputValue"] for output in found["Outputs"]] == ["bucket-of-a-stack"]
    events = cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert [(event["LogicalResourceId"], event["ResourceStatus"]) for event in events[:3]] == [
        ("stack", "DELETE_FAILED"),
        ("Bucket", "DELETE_FAILED"),
        ("stack", "DELETE_IN_PROGRESS"),
    ]
    assert "The bucket you tried to delete is not empty" in events[1]["ResourceStatusReason"]
    assert events[1]["PhysicalResourceId"] == "bucket-of-a-stack"
    assert again.client("iam").list_roles()["Roles"] == []
    with pytest.raises(ClientError, match="is in DELETE_FAILED state and can not be updated"):
        cloudformation.update_stack(StackName="stack", TemplateBody=STACK)
    s3 = again.client("s3")
    s3.delete_object(Bucket="bucket-of-a-stack", Key="key")
    cloudformation.delete_stack(StackName="stack")
    assert s3.list_buckets()["Buckets"] == []
    assert cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_a_stacks_bucket_can_be_kept_and_its_name_is_free_when_it_is_deleted(restarted) -> None:
    first = restarted()
    cloudformation, s3 = first.client("cloudformation"), first.client("s3")
    cloudformation.create_stack(StackName="stack", TemplateBody=STACK)
    s3.put_object(Bucket="bucket-of-a-stack", Key="key", Body=b"data")
    cloudformation.delete_stack(StackName="stack")
    with pytest.raises(ClientError, match="Do not specify resources that are in the DELETE_COMPLETE state"):
        cloudformation.delete_stack(StackName="stack", RetainResources=["Role"])
    cloudformation.delete_stack(StackName="stack", RetainResources=["Bucket"])
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="stack")
    with pytest.raises(ClientError, match="BucketAlreadyExists"):
        cloudformation.create_stack(StackName="stack", TemplateBody=STACK)
    assert cloudformation.describe_stacks()["Stacks"] == []
    assert s3.get_object(Bucket="bucket-of-a-stack", Key="key")["Body"].read() == b"data"
    s3.delete_object(Bucket="bucket-of-a-stack", Key="key")
    s3.delete_bucket(Bucket="bucket-of-a-stack")
    again = restarted()
    again.client("cloudformation").create_stack(StackName="stack", TemplateBody=STACK)
    assert again.client("cloudformation").describe_stacks()["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert [bucket["Name"] for bucket in again.client("s3").list_buckets()["Buckets"]] == ["bucket-of-a-stack"]


def test_a_stack_with_what_would_not_exist_is_refused(service) -> None:
    template = "Resources: {Group: {Type: 'AWS::SageMaker::ModelPackageGroup', Properties: {}}}"
    with pytest.raises(ClientError, match="cloudformation:CreateStack with AWS::SageMaker::ModelPackageGroup"):
        service.client("cloudformation").create_stack(StackName="refused", TemplateBody=template)
    assert service.client("cloudformation").list_stacks()["StackSummaries"] == []


@pytest.mark.parametrize(
    ("name", "call", "what"),
    [
        ("iam", lambda c: c.get_service_last_accessed_details(JobId="1" * 36), "iam:GetServiceLastAccessedDetails"),
        ("cloudwatch", lambda c: c.describe_anomaly_detectors(), "monitoring:DescribeAnomalyDetectors"),
        ("athena", lambda c: c.start_query_execution(QueryString="select 1"), "athena:StartQueryExecution"),
        (
            "sagemaker-metrics",
            lambda c: c.batch_put_metrics(TrialComponentName="x", MetricData=METRIC),
            "sagemaker:PUT",
        ),
        ("sagemaker-runtime", lambda c: c.invoke_endpoint_async(EndpointName="x", InputLocation="s3://x/y"), "POST"),
    ],
)
def test_what_nobody_answers_here_is_refused_by_name(service, name, call, what) -> None:
    with pytest.raises(ClientError, match=f"not implemented by the local service: .*{what}") as refusal:
        call(service.client(name))
    assert refusal.value.response["Error"]["Code"] in ("NotImplementedException", "NotImplemented")


def test_a_buckets_settings_are_described_back_after_a_restart(restarted) -> None:
    s3 = restarted().client("s3")
    s3.create_bucket(Bucket="with-settings")
    s3.put_bucket_tagging(Bucket="with-settings", Tagging={"TagSet": [{"Key": "team", "Value": "risk"}]})
    s3.put_public_access_block(Bucket="with-settings", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    s3 = restarted().client("s3")
    assert s3.get_bucket_tagging(Bucket="with-settings")["TagSet"] == [{"Key": "team", "Value": "risk"}]
    assert s3.get_public_access_block(Bucket="with-settings")["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    s3.delete_bucket(Bucket="with-settings")
    s3.create_bucket(Bucket="with-settings")
    with pytest.raises(ClientError, match="NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket="with-settings")
