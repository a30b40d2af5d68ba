"""Settings of buckets: those that change objects do so, and the others are refused by name."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.local.api.s3.raw_s3 import send

BUCKET = "settled"
KEY = "arn:aws:kms:us-east-1:123456789012:key/one"


@pytest.fixture(scope="module")
def s3(service):
    client = service.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def encrypt(s3, **rule):
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})


def by_default(algorithm, **key):
    return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **key}}


def test_objects_get_the_buckets_default_encryption(s3) -> None:
    [rule] = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == {**by_default("AES256"), "BucketKeyEnabled": False}
    s3.put_object(Bucket=BUCKET, Key="before")
    encrypt(s3, **by_default("aws:kms", KMSMasterKeyID=KEY), BucketKeyEnabled=True)
    shown = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY, "BucketKeyEnabled": True}
    assert s3.put_object(Bucket=BUCKET, Key="put").items() >= shown.items()
    assert s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/before").items() >= shown.items()
    assert s3.create_multipart_upload(Bucket=BUCKET, Key="upload").items() >= shown.items()
    for key in ("put", "copy"):
        assert s3.head_object(Bucket=BUCKET, Key=key).items() >= shown.items()
    # A request's own encryption takes precedence, with all that belongs to it.
    own = s3.put_object(Bucket=BUCKET, Key="own", ServerSideEncryption="AES256")
    assert (own["ServerSideEncryption"], "SSEKMSKeyId" in own) == ("AES256", False)
    assert s3.head_object(Bucket=BUCKET, Key="before")["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket=BUCKET)
    assert s3.put_object(Bucket=BUCKET, Key="put")["ServerSideEncryption"] == "AES256"


def lifecycle(status, **action):
    rule = {"ID": "rule", "Status": status, "Filter": {"Prefix": ""}, **action}
    return "put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": [rule]}}


def ownership(value):
    return "put_bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": value}]}}


def policy(effect, **more):
    statement = {"Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*", **more}
    return "put_bucket_policy", {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


def notifications(**targets):
    return "put_bucket_notification_configuration", {"NotificationConfiguration": targets}


SECURE = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
QUEUE = {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:queue", "Events": ["s3:ObjectCreated:*"]}
TARGET = {"LoggingEnabled": {"TargetBucket": BUCKET, "TargetPrefix": ""}}


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lifecycle("Enabled", Expiration={"Days": 1}), "enabled lifecycle rule with Expiration"),
        (lifecycle("Enabled", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}), "AbortIncompleteMultipart"),
        (lifecycle("Enabled", Transitions=[{"Days": 1, "StorageClass": "GLACIER"}]), "Transition"),
        (policy("Deny"), "PutBucketPolicy with Effect: Deny"),
        (notifications(QueueConfigurations=[QUEUE]), "QueueConfiguration"),
        (notifications(QueueConfigurations=[QUEUE], EventBridgeConfiguration={}), "QueueConfiguration"),
        (ownership("ObjectWriter"), "ObjectOwnership: ObjectWriter"),
        (("put_bucket_logging", {"BucketLoggingStatus": TARGET}), "LoggingEnabled"),
        (("put_bucket_acl", {"ACL": "public-read"}), "AccessControlListNotSupported"),
        (("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}), "versioning"),
        (("delete_bucket_ownership_controls", {}), "ownershipControls"),
        (("put_bucket_policy", {"Policy": "[]"}), "MalformedPolicy"),
        (("put_bucket_policy", {"Policy": '{"Statement": [1]}'}), "MalformedPolicy"),
    ],
)
def test_a_setting_without_an_effect_is_refused_by_its_name(s3, call, error) -> None:
    operation, arguments = call
    with pytest.raises(ClientError, match=error):
        getattr(s3, operation)(Bucket=BUCKET, **arguments)


@pytest.mark.parametrize(
    "call",
    [
        lifecycle("Disabled", Expiration={"Days": 1}),
        lifecycle("Enabled", NoncurrentVersionExpiration={"NoncurrentDays": 1}),
        policy("Allow"),
        policy("Deny", **SECURE),
        notifications(EventBridgeConfiguration={}),
        ownership("BucketOwnerEnforced"),
        ("put_bucket_logging", {"BucketLoggingStatus": {}}),
    ],
)
def test_a_setting_that_changes_nothing_here_or_on_aws_is_kept(s3, call) -> None:
    operation, arguments = call
    getattr(s3, operation)(Bucket=BUCKET, **arguments)


def test_settings_that_all_buckets_have_alike_can_be_read(s3) -> None:
    [rule] = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=BUCKET)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("", "MalformedXML"),
        ("<Rule/>", "MalformedXML"),
        ("<Rule><ApplyServerSideEncryptionByDefault/></Rule>", "MalformedXML"),
        ("<Rule><BlockedEncryptionTypes/></Rule>", "NotImplemented"),
        (
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms:dsse</SSEAlgorithm>"
            "</ApplyServerSideEncryptionByDefault></Rule>",
            "NotImplemented",
        ),
        (
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k"
            "</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>",
            "InvalidArgument",
        ),
    ],
)
def test_an_encryption_that_is_none_is_refused(service, s3, rules, code) -> None:
    body = f"<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>"
    answer = send(service, "PUT", f"/{BUCKET}?encryption", body.encode())
    assert f"<Code>{code}</Code>" in answer.body.decode()


@pytest.mark.parametrize(
    ("method", "setting"),
    [("POST", "policy"), ("HEAD", "policy"), ("PATCH", "cors"), ("DELETE", "acl"), ("DELETE", "notification")],
)
def test_a_setting_has_the_methods_of_s3(service, s3, method, setting) -> None:
    assert send(service, method, f"/{BUCKET}?{setting}").status == 405


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        ("lifecycle", "<LifecycleConfiguration><Rule/></LifecycleConfiguration>"),
        ("lifecycle", "<LifecycleConfiguration><Rule><Status>On</Status></Rule></LifecycleConfiguration>"),
        ("cors", "<CORSConfiguration/>"),
        ("cors", "<CORSConfiguration><CORSRule/></CORSConfiguration>"),
        ("tagging", "<Tagging/>"),
        ("tagging", "<Other/>"),
        ("tagging", "{"),
        ("publicAccessBlock", "<PublicAccessBlock/>"),
        ("notification", "<"),
    ],
)
def test_a_setting_that_does_not_have_s3s_schema_is_refused(service, s3, setting, body) -> None:
    answer = send(service, "PUT", f"/{BUCKET}?{setting}", body.encode())
    assert (answer.status, b"<Code>MalformedXML</Code>" in answer.body) == (400, True)


def test_a_target_is_refused_however_its_xml_is_written(service, s3) -> None:
    for body in (
        '<NotificationConfiguration><QueueConfiguration a="b"/></NotificationConfiguration>',
        '<n:NotificationConfiguration xmlns:n="n"><n:TopicConfiguration/></n:NotificationConfiguration>',
    ):
        assert send(service, "PUT", f"/{BUCKET}?notification", body.encode()).status == 501


def test_the_tags_of_a_bucket_have_the_limits_of_s3(s3) -> None:
    def put(*tags) -> None:
        s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags]})

    fifty = [(f"key-{number}", "x") for number in range(50)]
    put(*fifty)
    for tags, message in (
        ([*fifty, ("one-more", "x")], "BadRequest.*Bucket tag count cannot be greater than 50"),
        ([("a", "1"), ("a", "2")], "InvalidTag.*multiple Tags with the same key"),
        ([("k" * 129, "x")], "InvalidTag.*TagKey"),
        ([("k", "x" * 257)], "InvalidTag.*TagValue"),
        ([("aws:k", "x")], "InvalidTag.*System tags"),
    ):
        with pytest.raises(ClientError, match=message):
            put(*tags)
    assert len(s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]) == 50
    s3.delete_bucket_tagging(Bucket=BUCKET)
