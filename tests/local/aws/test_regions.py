"""Requests for another region than the local service's."""

from __future__ import annotations

import urllib.error
import urllib.request
from unittest.mock import Mock

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.aws.refusals import SignatureError
from local.aws.regions import check_region
from local.aws.sigv4 import Signature
from local.core.settings import ACCESS_KEY, Settings

BUCKET = "region-bucket"


def client(settings: Settings, name, region):
    session = boto3.Session(ACCESS_KEY, settings.secret_key, region_name=region)
    # S3's second attempt is in the region that the first answer names.
    config = Config(retries={"total_max_attempts": 2}, signature_version="s3v4" if name == "s3" else None)
    return session.client(name, endpoint_url=settings.endpoint_url, config=config)


@pytest.mark.parametrize("region", ["eu-west-1", "moon-1"])
@pytest.mark.parametrize(
    ("name", "call", "status", "code"),
    [
        ("sagemaker", lambda c: c.create_model_package_group(ModelPackageGroupName="g"), 400, "InvalidSignature"),
        ("logs", lambda c: c.create_log_group(logGroupName="g"), 400, "InvalidSignature"),
        ("events", lambda c: c.put_rule(Name="g", EventPattern="{}"), 400, "InvalidSignature"),
        ("cloudwatch", lambda c: c.list_metrics(), 400, "InvalidSignature"),
        ("lambda", lambda c: c.list_functions(), 403, "InvalidSignature"),
        ("sagemaker-runtime", lambda c: c.invoke_endpoint(EndpointName="e", Body=b""), 403, "InvalidSignature"),
        ("cloudformation", lambda c: c.list_stacks(), 403, "SignatureDoesNotMatch"),
        ("s3", lambda c: c.list_buckets(), 400, "AuthorizationHeaderMalformed"),
        ("s3", lambda c: c.create_bucket(Bucket="region-made"), 400, "AuthorizationHeaderMalformed"),
    ],
)
def test_a_request_for_another_region_is_refused(service, name, call, status, code, region) -> None:
    with pytest.raises(ClientError) as refusal:
        call(client(service.settings, name, region))
    response = refusal.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["Error"]["Code"] == (f"{code}Exception" if code == "InvalidSignature" else code)
    for words in (repr(region), "one region, 'us-east-1'", "AWS_DEFAULT_REGION"):
        assert words in response["Error"]["Message"]


def test_a_service_that_is_not_there_is_refused_as_such_in_any_region(service) -> None:
    with pytest.raises(ClientError, match="not implemented by the local service"):
        client(service.settings, "athena", "eu-west-1").list_work_groups()


def test_clients_of_s3_find_out_a_buckets_region(service) -> None:
    service.client("s3").create_bucket(Bucket=BUCKET)
    for call in (
        lambda s3: s3.put_object(Bucket=BUCKET, Key="k", Body=b"content"),
        lambda s3: s3.head_object(Bucket=BUCKET, Key="k"),
        lambda s3: s3.head_bucket(Bucket=BUCKET),
        lambda s3: s3.get_bucket_location(Bucket=BUCKET),
        lambda s3: s3.get_bucket_encryption(Bucket=BUCKET),
    ):
        assert call(client(service.settings, "s3", "eu-west-1"))["ResponseMetadata"]["HTTPStatusCode"] == 200
    stored = service.client("s3").get_object(Bucket=BUCKET, Key="k")["Body"].read()
    assert stored == b"content"


def test_a_presigned_url_of_another_region_names_the_buckets(service) -> None:
    url = client(service.settings, "s3", "eu-west-1").generate_presigned_url("list_objects_v2", {"Bucket": BUCKET})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(url)
    body = refusal.value.read()
    assert (refusal.value.code, refusal.value.headers["x-amz-bucket-region"]) == (400, "us-east-1")
    assert b"<Code>AuthorizationQueryParametersError</Code>" in body
    assert b"the region 'eu-west-1' is wrong; expecting 'us-east-1'" in body
    assert b"<Region>us-east-1</Region>" in body


def test_s3s_global_endpoint_lists_places_and_makes_buckets_anywhere(tmp_path) -> None:
    with LocalService(Settings(tmp_path / ".local", port=0, region="eu-west-1")) as running:
        s3 = client(running.settings, "s3", "us-east-1")
        with pytest.raises(ClientError, match="IllegalLocationConstraintException"):
            s3.create_bucket(Bucket=BUCKET)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == [BUCKET]
        assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1"
        assert s3.meta.region_name == "us-east-1"
        assert s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == "eu-west-1"


@pytest.mark.parametrize(
    ("service", "signed", "own", "is_accepted"),
    [
        ("sagemaker", "eu-west-1", "eu-west-1", True),
        ("sagemaker", "us-east-1", "eu-west-1", False),
        # Without regions, but each partition has its own.
        ("iam", "eu-west-1", "us-east-1", True),
        ("iam", "us-east-1", "eu-west-1", True),
        ("iam", "us-east-1", "cn-north-1", False),
        ("iam", "moon-1", "us-east-1", False),
        # The global endpoint is us-east-1, and the others are of their regions.
        ("sts", "us-east-1", "eu-west-1", True),
        ("sts", "eu-west-1", "us-east-1", False),
        ("sts", "us-east-1", "cn-north-1", False),
        ("sts", "cn-north-1", "cn-north-1", True),
    ],
)
def test_global_services_answer_in_their_partition(service, signed, own, is_accepted) -> None:
    signature = Mock(spec=Signature, service=service, region=signed)
    try:
        check_region(signature, own)
    except SignatureError:
        assert not is_accepted
    else:
        assert is_accepted
