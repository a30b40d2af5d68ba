from __future__ import annotations

import pytest

from local.core.errors import ServiceError


@pytest.fixture
def group(parts):
    tags = [{"Key": "team", "Value": "risk"}]
    return parts.sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "Insurance", "Tags": tags})[
        "ModelPackageGroupArn"
    ]


def tags_of(parts, arn):
    return {tag["Key"]: tag["Value"] for tag in parts.sagemaker.call("ListTags", {"ResourceArn": arn})["Tags"]}


def test_tags_given_at_creation_can_be_added_to_changed_and_removed(parts, group) -> None:
    added = [{"Key": "team", "Value": "pricing"}, {"Key": "stage", "Value": "test"}]
    answer = parts.sagemaker.call("AddTags", {"ResourceArn": group, "Tags": added})
    assert {tag["Key"]: tag["Value"] for tag in answer["Tags"]} == {"stage": "test", "team": "pricing"}
    parts.sagemaker.call("DeleteTags", {"ResourceArn": group, "TagKeys": ["stage", "absent"]})
    assert tags_of(parts, group) == {"team": "pricing"}


def test_a_resource_without_tags_has_an_empty_list(parts) -> None:
    arn = parts.sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})["ModelPackageGroupArn"]
    assert parts.sagemaker.call("ListTags", {"ResourceArn": arn}) == {"Tags": []}
    parts.sagemaker.call("DeleteTags", {"ResourceArn": arn, "TagKeys": ["absent"]})


def test_tags_go_with_their_resource(parts, group) -> None:
    parts.sagemaker.call("DeleteModelPackageGroup", {"ModelPackageGroupName": "Insurance"})
    with pytest.raises(ServiceError, match="Could not find resource"):
        parts.sagemaker.call("ListTags", {"ResourceArn": group})
    parts.sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "Insurance"})
    assert tags_of(parts, group) == {}


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sagemaker:us-east-1:123456789012:model/absent",
        "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/insurance",
        "arn:aws:sagemaker:us-east-1:999999999999:model-package-group/insurance",
        "arn:aws:sagemaker:us-east-1:123456789012:nonsense",
    ],
)
def test_tags_of_what_does_not_exist_are_refused(parts, group, arn) -> None:
    for operation, members in (("ListTags", {}), ("AddTags", {"Tags": []}), ("DeleteTags", {"TagKeys": ["a"]})):
        with pytest.raises(ServiceError, match="Could not find resource") as caught:
            parts.sagemaker.call(operation, {"ResourceArn": arn, **members})
        assert caught.value.code == "ValidationException"


def test_a_resource_has_at_most_fifty_tags_and_a_refused_request_adds_none(parts, group) -> None:
    tags = [{"Key": f"k{index}", "Value": ""} for index in range(50)]
    with pytest.raises(ServiceError) as caught:
        parts.sagemaker.call("AddTags", {"ResourceArn": group, "Tags": tags})
    assert caught.value.code == "ResourceLimitExceeded"
    assert tags_of(parts, group) == {"team": "risk"}


def test_keys_that_aws_keeps_for_itself_and_repeated_keys_are_refused(parts, group) -> None:
    for tags in ([{"Key": "aws:x", "Value": ""}], [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]):
        with pytest.raises(ServiceError, match=r"aws:|twice"):
            parts.sagemaker.call("AddTags", {"ResourceArn": group, "Tags": tags})


def test_a_creation_with_refused_tags_makes_nothing(parts) -> None:
    tags = [{"Key": "aws:x", "Value": ""}]
    with pytest.raises(ServiceError):
        parts.sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g", "Tags": tags})
    assert parts.sagemaker.call("ListModelPackageGroups", {})["ModelPackageGroupSummaryList"] == []


def test_many_tags_are_paged(parts, group) -> None:
    tags = [{"Key": f"k{index:02}", "Value": str(index)} for index in range(49)]
    parts.sagemaker.call("AddTags", {"ResourceArn": group, "Tags": tags})
    whole = parts.sagemaker.call("ListTags", {"ResourceArn": group})["Tags"]
    assert len(whole) == 50
    assert sorted(tag["Key"] for tag in whole) == [tag["Key"] for tag in whole]
