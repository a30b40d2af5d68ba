"""What a bucket's settings do to the pipeline that its owner may not expect."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.config.models import Config
from pipeline.definition.resources import Resources

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import LifecycleRuleOutputTypeDef

_LONGEST_DAYS = {"Y": 366, "M": 31, "W": 7, "D": 1}


def cache_days(config: Config) -> int:
    """Return for how many days, at the most, a step may take an earlier result; 0 where nothing is cached.

    A part of a day counts as one.
    """
    if not config.caching.enabled:
        return 0
    return math.ceil(duration_days(config.caching.expire_after))


def duration_days(duration: str) -> float:
    """Return how many days an ISO 8601 duration takes at the most."""
    date, _, clock = duration.removeprefix("P").partition("T")
    days = sum(int(number) * _LONGEST_DAYS[unit] for number, unit in re.findall(r"(\d+)([YMWD])", date))
    seconds = {"H": 3600, "M": 60, "S": 1}
    return days + sum(int(number) * seconds[unit] for number, unit in re.findall(r"(\d+)([HMS])", clock)) / 86400


def bucket_warnings(s3: S3Client, config: Config, resources: Resources) -> list[str]:
    """What to know of the bucket before executions rely on it, a sentence each.

    Args:
        s3: boto3's S3 client.
        config: the configuration.
        resources: bucket, roles and function; the bucket exists.
    """
    return [*_expiring_results(s3, config, resources), *_other_key(s3, config, resources)]


def _expiring_results(s3: S3Client, config: Config, resources: Resources) -> Iterator[str]:
    bucket, prefix, cached = resources.bucket, f"{config.pipeline.name}/executions/", cache_days(config)
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "NoSuchLifecycleConfiguration":
            yield f"the bucket {bucket} does not say whether it deletes objects by itself ({code})"
        return
    for rule in rules:
        days = rule.get("Expiration", {}).get("Days")
        if rule["Status"] != "Enabled" or days is None or days > cached or not covers(rule, prefix):
            continue
        yield (
            f"the bucket {bucket} deletes what executions wrote after {days} days (lifecycle rule {rule.get('ID')}), "
            f"but steps take results from the cache for {cached} (caching.expire_after): they would be given objects "
            "that are gone. Let the rule wait longer, or shorten caching.expire_after"
        )


def covers(rule: LifecycleRuleOutputTypeDef, prefix: str) -> bool:
    """Return whether a lifecycle rule may apply to objects under a prefix that have no tags."""
    condition = rule.get("Filter", {})
    joined = condition.get("And", condition)
    if "Tag" in joined or joined.get("Tags"):
        return False
    ruled = str(joined.get("Prefix", rule.get("Prefix", "")))
    return prefix.startswith(ruled) or ruled.startswith(prefix)


def _other_key(s3: S3Client, config: Config, resources: Resources) -> Iterator[str]:
    """The pipeline names its key with all that it writes; what others put into the bucket has the bucket's own."""
    bucket, key = resources.bucket, config.aws.kms_key_arn
    if key is None:
        return
    try:
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "ServerSideEncryptionConfigurationNotFoundError":
            yield f"the bucket {bucket} does not say how it encrypts by default ({code})"
            return
        rules = []
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    if default.get("KMSMasterKeyID") not in (key, key.rpartition("/")[2]):
        used = default.get("KMSMasterKeyID") or default.get("SSEAlgorithm", "S3's own keys")
        yield (
            f"the bucket {bucket} encrypts by default with {used}, not with aws.kms_key_arn: what others put there, "
            "the input for one, is encrypted so, and the job role needs that key too"
        )
