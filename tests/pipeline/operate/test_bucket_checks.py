"""What is said of a bucket whose settings harm the pipeline."""

from __future__ import annotations

import pytest

from pipeline.operate.bucket_checks import bucket_warnings, cache_days

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
EXECUTIONS = "insurance-cross-validation/executions/"


@pytest.fixture
def s3(aws, resources):
    client = aws.client("s3")
    client.create_bucket(Bucket=resources.bucket)
    return client


@pytest.fixture
def expire(s3, config, resources):
    """What is said of the bucket with one lifecycle rule."""

    def warnings(days, **rule):
        rule = {"ID": "r", "Status": "Enabled", "Expiration": {"Days": days}, "Filter": {"Prefix": ""}} | rule
        s3.put_bucket_lifecycle_configuration(Bucket=resources.bucket, LifecycleConfiguration={"Rules": [rule]})
        return bucket_warnings(s3, config, resources)

    return warnings


@pytest.mark.parametrize(
    ("expire_after", "days"),
    [("P30D", 30), ("P1Y2M", 428), ("P2W", 14), ("PT36H", 2), ("P1DT1S", 2), ("PT24H", 1)],
)
def test_the_cache_is_counted_in_whole_days(configure, expire_after, days) -> None:
    assert cache_days(configure(caching={"expire_after": expire_after})) == days
    assert cache_days(configure(caching={"expire_after": expire_after, "enabled": False})) == 0


@pytest.mark.parametrize(
    "where",
    [
        {"Filter": {"Prefix": ""}},
        {"Filter": {"Prefix": "insurance"}},
        {"Filter": {"Prefix": f"{EXECUTIONS}2"}},
        {"Filter": {"And": {"Prefix": EXECUTIONS, "ObjectSizeGreaterThan": 1}}},
    ],
)
def test_a_rule_that_deletes_what_the_cache_points_at_is_named(expire, where) -> None:
    (warning,) = expire(30, **where)
    assert "after 30 days (lifecycle rule r), but steps reuse cached results for 30 days" in warning


@pytest.mark.parametrize(
    "rule",
    [
        {"Expiration": {"Days": 31}},
        {"Status": "Disabled"},
        {"Filter": {"Prefix": "insurance-cross-validation/data/"}},
        {"Filter": {"Tag": {"Key": "keep", "Value": "no"}}},
        {"Filter": {"And": {"Prefix": "", "Tags": [{"Key": "keep", "Value": "no"}]}}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
    ],
)
def test_a_rule_that_spares_what_the_cache_points_at_is_not(expire, rule) -> None:
    assert expire(1, **rule) == []


def test_a_bucket_without_a_lifecycle_is_fine(s3, config, resources) -> None:
    assert bucket_warnings(s3, config, resources) == []


def test_a_bucket_that_encrypts_with_another_key_is_told(s3, configure, resources) -> None:
    config = configure(aws={"kms_key_arn": KEY})

    def encrypt(**default):
        rules = [{"ApplyServerSideEncryptionByDefault": default}]
        s3.put_bucket_encryption(Bucket=resources.bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        return bucket_warnings(s3, config, resources)

    (warning,) = bucket_warnings(s3, config, resources)
    assert "encrypts by default with S3's own keys, not with aws.kms_key_arn" in warning
    (warning,) = encrypt(SSEAlgorithm="AES256")
    assert "encrypts by default with AES256, not with aws.kms_key_arn" in warning
    (warning,) = encrypt(SSEAlgorithm="aws:kms", KMSMasterKeyID=KEY.replace("1111-", "2222-"))
    assert "2222-" in warning
    assert encrypt(SSEAlgorithm="aws:kms", KMSMasterKeyID=KEY) == []


def test_a_bucket_that_may_not_be_asked_is_told(s3, configure, resources) -> None:
    def denied(**_):
        reply = type("Reply", (), {"status_code": 403})
        return reply, {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    for operation in ("GetBucketLifecycleConfiguration", "GetBucketEncryption"):
        s3.meta.events.register(f"before-call.s3.{operation}", denied)
    assert bucket_warnings(s3, configure(aws={"kms_key_arn": KEY}), resources) == [
        f"the bucket {resources.bucket} does not say whether it deletes objects by itself (AccessDenied)",
        f"the bucket {resources.bucket} does not say how it encrypts by default (AccessDenied)",
    ]
