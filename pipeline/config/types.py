"""Types of the configuration's values. They refuse what AWS would refuse, and say why."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import botocore.session
from botocore.exceptions import UnknownRegionError
from botocore.model import StringShape
from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from definition_language.constraints import faults
from definition_language.models import service_model
from pipeline.algorithms.table import ALGORITHMS
from pipeline.config.schedules import SCHEDULE, check_schedule
from pipeline.config.section import VALUES_IN_WORDS

_NAME = "^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"
"""The pattern of names in SageMaker's API, without its limit of characters."""


@dataclass(frozen=True)
class _Checked(AfterValidator):
    """A check that documentation and editors know too.

    Attributes:
        known: returns members of the value's JSON Schema. It is called only where a schema is made, because AWS's
            models take long to read.
    """

    known: Callable[[], dict[str, Any]]

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core_schema), **self.known()}


@cache
def _sagemaker_enum(shape: str) -> frozenset[str]:
    found = service_model("sagemaker").shape_for(shape)
    assert isinstance(found, StringShape)
    return frozenset(found.enum)


def _name(shape: str, longest: int, limit: str = "AWS allows") -> _Checked:
    """Return the check of a name against botocore's pattern for a shape of SageMaker's API.

    Args:
        shape: the shape's name.
        longest: the maximum number of characters.
        limit: who sets this maximum and why; the message puts the number after it.
    """

    def check(value: str) -> str:
        if len(value) > longest:
            raise ValueError(f"{value!r} has {len(value)} characters; {limit} {longest}")
        if any(faults(service_model("sagemaker").shape_for(shape), value)):
            raise ValueError(f"AWS would refuse {value!r}: use letters, digits, and hyphens between them")
        return value

    expected = f"up to {longest} letters, digits, and hyphens between them"
    return _Checked(check, lambda: {"pattern": _NAME, "maxLength": longest, VALUES_IN_WORDS: expected})


def _one_of(shape: str, use: str) -> _Checked:
    def check(value: str) -> str:
        if value not in _sagemaker_enum(shape):
            raise ValueError(f"{value!r} is not an instance type that SageMaker offers here")
        return value

    expected = f"an instance type of {use}"
    return _Checked(check, lambda: {"enum": sorted(_sagemaker_enum(shape)), VALUES_IN_WORDS: expected})


def _pattern(pattern: str, expected: str) -> _Checked:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} is not {expected}")
        return value

    return _Checked(check, lambda: {"pattern": f"^(?:{pattern})$", VALUES_IN_WORDS: expected})


def _check_region(value: str) -> str:
    """Check that botocore knows the region's partition, because ARNs begin with the partition's name."""
    try:
        botocore.session.get_session().get_partition_for_region(value)
    except UnknownRegionError:
        raise ValueError(f"{value!r} is not an AWS region, for example us-east-1") from None
    return value


def _check_metadata_text(value: str) -> str:
    """Check that a model package's metadata can hold a value.

    Source: CustomerMetadataValue of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
    """
    if any(faults(service_model("sagemaker").shape_for("CustomerMetadataValue"), value)):
        raise ValueError(
            f"{value!r} cannot be recorded with a model: use 1 to 256 letters, digits, spaces and _.:/=+-@"
        )
    return value


def _check_tag_key(value: str) -> str:
    """Check that a key can be that of a tag of any resource, and that the pipeline does not use it itself.

    Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html and, for the prefix,
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
    """
    if value.lower().startswith("aws:"):
        raise ValueError("keys that begin with aws: belong to AWS, in any case: use another key")
    if value in OWN_TAGS:
        raise ValueError("the pipeline keeps the state of its endpoint in a tag of this name: use another key")
    if any(faults(service_model("sagemaker").shape_for("TagKey"), value)):
        raise ValueError(f"AWS would refuse the key: use 1 to 128 {_TAG_CHARACTERS}")
    return value


def _check_tag_value(value: str) -> str:
    if any(faults(service_model("sagemaker").shape_for("TagValue"), value)):
        raise ValueError(f"AWS would refuse the value: use up to 256 {_TAG_CHARACTERS}")
    return value


def _check_algorithm(value: str) -> str:
    if value not in ALGORITHMS:
        raise ValueError(f"{value!r} is not an algorithm of this pipeline: {' or '.join(ALGORITHMS)}")
    return value


OWN_TAGS = ("deployed-by", "last-known-good", "failed-verification", "waiting-model-package", "latest-deployment")
"""The tags in which the function that deploys keeps the state of the endpoint."""

_TAG_CHARACTERS = "letters, digits, spaces and _.:/=+-@"

# AWS allows 256. The bucket's name, <pipeline>-<account>-<region>, may have 63: 12 are the account's, up to 16 the
# region's, and 2 are hyphens. That leaves 33.
LONGEST_PIPELINE_NAME = 32
PipelineName = Annotated[
    str, _name("PipelineName", LONGEST_PIPELINE_NAME, "the bucket's name contains it, so this project allows at most")
]
EndpointName = Annotated[str, _name("EndpointName", 63)]
GroupName = Annotated[str, _name("EntityName", 63)]
RoleArn = Annotated[str, _pattern(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "the ARN of an IAM role")]
KeyArn = Annotated[str, _pattern(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+", "the ARN of a KMS key")]
AlarmName = Annotated[
    str, Field(min_length=1, max_length=255, json_schema_extra={VALUES_IN_WORDS: "an alarm of up to 255 characters"})
]
BucketName = Annotated[str, _pattern(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket name that S3 accepts")]
Region = Annotated[str, _Checked(_check_region, lambda: {VALUES_IN_WORDS: "an AWS region"})]
Duration = Annotated[
    str,
    _pattern(
        r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?",
        "an ISO 8601 duration, for example P30D",
    ),
]
ProcessingInstance = Annotated[str, _one_of("ProcessingInstanceType", "processing jobs")]
TrainingInstance = Annotated[str, _one_of("TrainingInstanceType", "training jobs")]
EndpointInstance = Annotated[str, _one_of("ProductionVariantInstanceType", "endpoints")]
TransformInstance = Annotated[str, _one_of("TransformInstanceType", "transform jobs")]
TagKey = Annotated[str, _Checked(_check_tag_key, lambda: {"minLength": 1, "maxLength": 128, VALUES_IN_WORDS: "a key"})]
TagValue = Annotated[
    str, _Checked(_check_tag_value, lambda: {"maxLength": 256, VALUES_IN_WORDS: "a text of up to 256 characters"})
]
S3Uri = Annotated[str, _pattern(r"s3://[^/]+(/.*)?", "an S3 URI, for example s3://bucket/prefix/")]
MetadataText = Annotated[str, AfterValidator(_check_metadata_text)]
ColumnName = Annotated[str, Field(min_length=1, json_schema_extra={VALUES_IN_WORDS: "a column"})]
HyperparameterName = Annotated[str, Field(json_schema_extra={VALUES_IN_WORDS: "a hyperparameter"})]
AlgorithmName = Annotated[str, _Checked(_check_algorithm, lambda: {"enum": list(ALGORITHMS)})]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html ; 0 means forever.
RetentionDays = Literal[
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html has the limit.
Schedule = Annotated[
    str,
    Field(max_length=256),
    _Checked(check_schedule, lambda: {"pattern": f"^(?:{SCHEDULE})$", VALUES_IN_WORDS: "cron(...) or rate(...)"}),
]
