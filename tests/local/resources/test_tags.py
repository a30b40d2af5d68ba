from __future__ import annotations

import pytest

from local.api.sagemaker.operations import call
from local.core.errors import ServiceError


@pytest.fixture
def group(context):
    tags = [{"Key": "team", "Value": "risk"}]
    return call(context, "CreateModelPackageGroup", {"ModelPackageGroupName": "Insurance", "Tags": tags})[
        "ModelPackageGroupArn"
    ]


def tags_of(context, arn):
    return {tag["Key"]: tag["Value"] for tag in call(context, "ListTags", {"ResourceArn": arn})["Tags"]}


def test_tags_given_at_creation_can_be_added_to_changed_and_removed(context, group):
    added = [{"Key": "team", "Value": "pricing"}, {"Key": "stage", "Value": "test"}]
    answer = call(context, "AddTags", {"ResourceArn": group, "Tags": added})
    assert {tag["Key"]: tag["Value"] for tag in answer["Tags"]} == {"stage": "test", "team": "pricing"}
    call(context, "DeleteTags", {"ResourceArn": group, "TagKeys": ["stage", "absent"]})
    assert tags_of(context, group) == {"team": "pricing"}


def test_a_resource_without_tags_has_an_empty_list(context):
    arn = call(context, "CreateModelPackageGroup", {"ModelPackageGroupName": "g"})["ModelPackageGroupArn"]
    assert call(context, "ListTags", {"ResourceArn": arn}) == {"Tags": []}
    call(context, "DeleteTags", {"ResourceArn": arn, "TagKeys": ["absent"]})


def test_tags_go_with_their_resource(context, group):
    call(context, "DeleteModelPackageGroup", {"ModelPackageGroupName": "Insurance"})
    with pytest.raises(ServiceError, match="Could not find resource"):
        call(context, "ListTags", {"ResourceArn": group})
    call(context, "CreateModelPackageGroup", {"ModelPackageGroupName": "Insurance"})
    assert tags_of(context, group) == {}


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sagemaker:us-east-1:123456789012:model/absent",
        "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/insurance",
        "arn:aws:sagemaker:us-east-1:999999999999:model-package-group/insurance",
        "arn:aws:sagemaker:us-east-1:123456789012:nonsense",
    ],
)
def test_tags_of_what_does_not_exist_are_refused(context, group, arn):
    for operation, members in (("ListTags", {}), ("AddTags", {"Tags": []}), ("DeleteTags", {"TagKeys": ["a"]})):
        with pytest.raises(ServiceError, match="Could not find resource") as caught:
            call(context, operation, {"ResourceArn": arn, **members})
        assert caught.value.code == "ValidationException"


def test_a_resource_has_at_most_fifty_tags_and_a_refused_request_adds_none(context, group):
    tags = [{"Key": f"k{index}", "Value": ""} for index in range(50)]
    with pytest.raises(ServiceError) as caught:
        call(context, "AddTags", {"ResourceArn": group, "Tags": tags})
    assert caught.value.code == "ResourceLimitExceeded"
    assert tags_of(context, group) == {"team": "risk"}


def test_keys_that_aws_keeps_for_itself_and_repeated_keys_are_refused(context, group):
    for tags in ([{"Key": "aws:x", "Value": ""}], [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]):
        with pytest.raises(ServiceError, match=r"aws:|twice"):
            call(context, "AddTags", {"ResourceArn": group, "Tags": tags})


def test_a_creation_with_refused_tags_makes_nothing(context):
    tags = [{"Key": "aws:x", "Value": ""}]
    with pytest.raises(ServiceError):
        call(context, "CreateModelPackageGroup", {"ModelPackageGroupName": "g", "Tags": tags})
    assert call(context, "ListModelPackageGroups", {})["ModelPackageGroupSummaryList"] == []


def test_many_tags_are_paged(context, group):
    tags = [{"Key": f"k{index:02}", "Value": str(index)} for index in range(49)]
    call(context, "AddTags", {"ResourceArn": group, "Tags": tags})
    whole = call(context, "ListTags", {"ResourceArn": group})["Tags"]
    assert len(whole) == 50
    assert sorted(tag["Key"] for tag in whole) == [tag["Key"] for tag in whole]
