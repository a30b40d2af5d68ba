"""Warns of bucket settings that break the pipeline."""

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
    """Return the days for which cached results are valid, rounded up; 0 without caching."""
    if not config.caching.enabled:
        return 0
    return math.ceil(duration_days(config.caching.expire_after))


def duration_days(duration: str) -> float:
    """Return the longest time, in days, that an ISO 8601 duration can mean."""
    date, _, clock = duration.removeprefix("P").partition("T")
    days = sum(int(number) * _LONGEST_DAYS[unit] for number, unit in re.findall(r"(\d+)([YMWD])", date))
    seconds = {"H": 3600, "M": 60, "S": 1}
    return days + sum(int(number) * seconds[unit] for number, unit in re.findall(r"(\d+)([HMS])", clock)) / 86400


def bucket_warnings(s3: S3Client, config: Config, resources: Resources) -> list[str]:
    """Return warnings about the bucket's settings, one sentence each.

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
            f"the bucket {bucket} deletes the results of executions after {days} days (lifecycle rule "
            f"{rule.get('ID')}), but steps reuse cached results for {cached} days (caching.expire_after) and would "
            "then find no objects. Extend the rule, or shorten caching.expire_after"
        )


def covers(rule: LifecycleRuleOutputTypeDef, prefix: str) -> bool:
    """Return whether a lifecycle rule may apply to untagged objects under a prefix."""
    condition = rule.get("Filter", {})
    joined = condition.get("And", condition)
    if "Tag" in joined or joined.get("Tags"):
        return False
    ruled = str(joined.get("Prefix", rule.get("Prefix", "")))
    return prefix.startswith(ruled) or ruled.startswith(prefix)


def _other_key(s3: S3Client, config: Config, resources: Resources) -> Iterator[str]:
    """Warn if the bucket encrypts by default with another key than the pipeline, which names its own key."""
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
            f"the bucket {bucket} encrypts by default with {used}, not with aws.kms_key_arn. Objects that others "
            "upload, for example the input, are then encrypted with it, so the job role needs that key too"
        )
