"""Credentials that the service's own STS gives out."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.aws.credentials import KeyRing
from local.core.settings import Settings
from tests.local.conftest import RunningService

ROLE = "arn:aws:iam::123456789012:role/analyst"
EXAMPLES = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


def assume(service, name="someone"):
    return service.client("sts").assume_role(RoleArn=ROLE, RoleSessionName=name)["Credentials"]


def client_of(service, name, key, **changes):
    given = {**key, **changes}
    return boto3.client(
        name,
        region_name="us-east-1",
        endpoint_url=service.settings.endpoint_url,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}, signature_version=given.get("version")),
    )


def test_a_role_that_was_assumed_can_do_what_its_owner_can(service) -> None:
    key = assume(service)
    identity = client_of(service, "sts", key).get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/analyst/someone"
    client_of(service, "sagemaker", key).list_pipelines()
    for version in ("s3", "s3v4"):
        s3 = client_of(service, "s3", key, version=version)
        s3.create_bucket(Bucket=f"of-a-role-{version}")
        s3.put_object(Bucket=f"of-a-role-{version}", Key="key", Body=b"x")
        url = s3.generate_presigned_url("get_object", {"Bucket": f"of-a-role-{version}", "Key": "key"})
        assert "token" in url.lower()


def test_the_owner_is_a_user_who_may_do_everything(service) -> None:
    identity = service.client("sts").get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::123456789012:user/local"
    assert identity["UserId"].startswith("AIDA")
    (result,) = service.client("iam").simulate_principal_policy(
        PolicySourceArn=identity["Arn"], ActionNames=["iam:PassRole"], ResourceArns=[ROLE]
    )["EvaluationResults"]
    assert result["EvalDecision"] == "allowed"


def test_a_session_of_the_owner_has_no_well_known_secret(service) -> None:
    sts = service.client("sts")
    keys = [sts.get_session_token()["Credentials"] for _ in range(2)]
    keys.append(sts.get_federation_token(Name="someone")["Credentials"])
    for key in keys:
        client_of(service, "s3", key).list_buckets()
        assert not {key["AccessKeyId"], key["SecretAccessKey"]} & set(EXAMPLES)
    for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"):
        assert len({key[name] for key in keys}) == len(keys)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SessionToken": None}, "InvalidAccessKeyId"),
        ({"SessionToken": "wrong"}, "InvalidAccessKeyId"),
        ({"SecretAccessKey": "wrong"}, "SignatureDoesNotMatch"),
        ({"AccessKeyId": EXAMPLES[0]}, "InvalidAccessKeyId"),
    ],
)
def test_a_part_of_the_credentials_is_not_enough(service, changes, code) -> None:
    with pytest.raises(ClientError, match=code):
        client_of(service, "s3", assume(service), **changes).list_buckets()


def test_credentials_end_with_the_service(tmp_path) -> None:
    settings = Settings(tmp_path / ".local", port=0)
    with LocalService(settings) as running:
        key = assume(RunningService(running))
    with LocalService(settings) as running, pytest.raises(ClientError, match="since it started"):
        client_of(RunningService(running), "s3", key).list_buckets()


def test_an_expired_key_is_known_for_a_day() -> None:
    now = [1000.0]
    keys = KeyRing("secret", lambda: now[0])
    first = keys.issue(expires=1600.0)
    now[0] = 1601.0
    keys.issue(expires=1e9)
    assert keys.find(first.access_key) == first
    now[0] += 24 * 3600
    keys.issue(expires=1e9)
    assert keys.find(first.access_key) is None
