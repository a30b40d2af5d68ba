"""Checks the bucket's region, encryption, versioning, lifecycle and access."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from pipeline.operate.aws_errors import DENIED
from pipeline.operate.bucket_checks import covers, duration_days
from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State, attempt

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Setting = TypeVar("Setting")

_ABSENT = re.compile(r"NoSuch\w+Configuration|\w+NotFoundError")
"""S3's error codes for a setting that a bucket does not have."""

_LOCAL = "the local service keeps none of a stack's bucket settings"


def check_bucket(account: Account) -> Iterator[Finding]:
    """Check the bucket's region, then its settings."""
    bucket = account.resources.bucket
    try:
        region = account.bucket_region
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        to_do = "check aws.bucket and your credentials: it is another account's, or you lack s3:GetBucketLocation"
        yield Finding("bucket", State.UNKNOWN, f"{bucket} denies you access", to_do)
        return
    if region is None:
        yield Finding("bucket", account.missing, f"{bucket} does not exist", "make bootstrap, or set aws.bucket")
        return
    if region != account.config.aws.region:
        to_do = f"use a bucket in {account.config.aws.region}: jobs need it in their own region"
        yield Finding("bucket", State.FAILED, f"{bucket} is in {region}", to_do)
    else:
        yield Finding("bucket", State.OK, f"{bucket} in {region}")
    s3 = account.client("s3")
    for subject, check in _SETTINGS.items():
        if account.is_local:
            yield Finding(f"bucket: {subject}", State.UNKNOWN, _LOCAL)
        else:
            yield from attempt(f"bucket: {subject}", partial(check, account, s3, f"bucket: {subject}"))


def _encryption(account: Account, s3: S3Client, subject: str) -> Iterator[Finding]:
    bucket, wanted = account.resources.bucket, account.config.aws.kms_key_arn
    answer = _setting(s3.get_bucket_encryption, bucket)
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"] if answer else []
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    key, algorithm = default.get("KMSMasterKeyID"), default.get("SSEAlgorithm", "none")
    if key == wanted:
        yield Finding(subject, State.OK, key or algorithm)
    elif wanted:
        # Publishing and jobs name the key; uploads of others get the bucket's default.
        to_do = f"make {wanted} the bucket's default key; input that others upload is encrypted with the default"
        yield Finding(subject, State.ATTENTION, f"{key or algorithm}, while aws.kms_key_arn is {wanted}", to_do)
    else:
        to_do = "set aws.kms_key_arn to this key, run make bootstrap, and allow the roles in the key's policy"
        yield Finding(subject, State.ATTENTION, f"{key}, which the roles may not use", to_do)


def _versioning(account: Account, s3: S3Client, subject: str) -> Iterator[Finding]:
    bucket = account.resources.bucket
    status = s3.get_bucket_versioning(Bucket=bucket).get("Status", "never enabled")
    to_do = (
        f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled, so that an "
        "overwritten or deleted model can be brought back"
    )
    is_on = status == "Enabled"
    yield Finding(subject, State.OK if is_on else State.ATTENTION, status, "" if is_on else to_do)


def _lifecycle(account: Account, s3: S3Client, subject: str) -> Iterator[Finding]:
    answer = _setting(s3.get_bucket_lifecycle_configuration, account.resources.bucket)
    rules = answer["Rules"] if answer else []
    executions = f"{account.config.pipeline.name}/executions/"
    expiring = [
        rule
        for rule in rules
        if rule["Status"] == "Enabled" and "Days" in rule.get("Expiration", {}) and covers(rule, executions)
    ]
    if not expiring:
        yield Finding(subject, State.OK, f"nothing under {executions} expires")
        return
    shortest = min(expiring, key=lambda rule: int(rule["Expiration"]["Days"]))
    days, caching = shortest["Expiration"]["Days"], account.config.caching
    found = f"rule {shortest.get('ID', 'without a name')} deletes objects under {executions} after {days} days"
    if caching.enabled and days <= duration_days(caching.expire_after):
        to_do = f"set caching.expire_after to a time under P{days}D: the objects of a cached step would be deleted"
        yield Finding(subject, State.FAILED, f"{found}; steps are cached for {caching.expire_after}", to_do)
    else:
        to_do = "an endpoint whose artifact has expired cannot be scaled, repaired or rolled back"
        yield Finding(subject, State.OK, found, to_do)


def _public_access(account: Account, s3: S3Client, subject: str) -> Iterator[Finding]:
    bucket = account.resources.bucket
    answer = _setting(s3.get_public_access_block, bucket)
    if answer and (block := answer["PublicAccessBlockConfiguration"]) and all(block.values()):
        yield Finding(subject, State.OK, "blocked")
    else:
        to_do = (
            f"aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration "
            "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
        )
        yield Finding(subject, State.ATTENTION, "the bucket itself does not block it", to_do)


def _ownership(account: Account, s3: S3Client, subject: str) -> Iterator[Finding]:
    answer = _setting(s3.get_bucket_ownership_controls, account.resources.bucket)
    rules = answer["OwnershipControls"]["Rules"] if answer else []
    ownership = [str(rule["ObjectOwnership"]) for rule in rules] or ["ObjectWriter"]
    if ownership == ["BucketOwnerEnforced"]:
        yield Finding(subject, State.OK, ownership[0])
    else:
        to_do = (
            "set BucketOwnerEnforced: otherwise other accounts own the objects they write, and jobs cannot read them"
        )
        yield Finding(subject, State.ATTENTION, ownership[0], to_do)


_SETTINGS: dict[str, Callable[[Account, S3Client, str], Iterator[Finding]]] = {
    "encryption": _encryption,
    "versioning": _versioning,
    "lifecycle": _lifecycle,
    "public access": _public_access,
    "ownership": _ownership,
}


def _setting(get: Callable[..., Setting], bucket: str) -> Setting | None:
    """Return a setting of the bucket, or an None dict if the bucket does not have it."""
    try:
        return get(Bucket=bucket)
    except ClientError as error:
        if _ABSENT.fullmatch(error.response["Error"]["Code"]):
            return None
        raise
