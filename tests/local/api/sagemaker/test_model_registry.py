from __future__ import annotations

import json
import re
import threading

import pytest

from local.core.errors import ServiceError
from tests.local.conftest import IMAGE

SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/a/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["application/json"],
}
METRICS = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://models/q.json"}}}


@pytest.fixture
def group(parts) -> str:
    parts.sagemaker.call(
        "CreateModelPackageGroup", {"ModelPackageGroupName": "Insurance", "ModelPackageGroupDescription": "d"}
    )
    return "Insurance"


def register(parts, group="Insurance", **members):
    request = {"ModelPackageGroupName": group, "InferenceSpecification": SPECIFICATION, **members}
    return parts.sagemaker.call("CreateModelPackage", request)["ModelPackageArn"]


def describe(parts, name):
    return parts.sagemaker.call("DescribeModelPackage", {"ModelPackageName": name})


def refusal(parts, operation, request):
    with pytest.raises(ServiceError) as caught:
        parts.sagemaker.call(operation, request)
    return caught.value


def test_a_group_is_described_by_its_name_and_by_its_arn(parts, group) -> None:
    by_name = parts.sagemaker.call("DescribeModelPackageGroup", {"ModelPackageGroupName": group})
    by_arn = parts.sagemaker.call(
        "DescribeModelPackageGroup", {"ModelPackageGroupName": by_name["ModelPackageGroupArn"]}
    )
    assert by_name == by_arn
    assert by_name["ModelPackageGroupName"] == "Insurance"
    assert by_name["ModelPackageGroupStatus"] == "Completed"
    assert by_name["ModelPackageGroupDescription"] == "d"
    assert "_NextVersion" not in by_name


def test_a_group_that_exists_is_refused_in_words_that_the_sdk_looks_for(parts, group) -> None:
    for name in (group, group.lower()):
        error = refusal(parts, "CreateModelPackageGroup", {"ModelPackageGroupName": name})
        assert error.code == "ValidationException"
        assert "already exists" in error.message


def test_versions_count_up_and_a_deleted_number_is_not_given_again(parts, group) -> None:
    first, second = register(parts), register(parts)
    assert [first.rpartition("/")[2], second.rpartition("/")[2]] == ["1", "2"]
    parts.sagemaker.call("DeleteModelPackage", {"ModelPackageName": second})
    assert register(parts).endswith(":model-package/Insurance/3")
    assert "does not exist" in refusal(parts, "DescribeModelPackage", {"ModelPackageName": second}).message


def test_versions_registered_at_once_get_numbers_of_their_own(parts, group) -> None:
    arns: list[str] = []
    threads = [threading.Thread(target=lambda: arns.append(register(parts))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(arn.rpartition("/")[2]) for arn in arns) == list(range(1, 9))


def test_a_version_is_described_with_all_that_it_was_registered_with(parts, group) -> None:
    metadata = {"folds": "5", "mse": "36.5"}
    arn = register(parts, ModelMetrics=METRICS, CustomerMetadataProperties=metadata, ModelPackageDescription="first")
    version = describe(parts, arn)
    assert version["ModelPackageVersion"] == 1
    assert version["ModelPackageName"] == version["ModelPackageGroupName"] == "Insurance"
    assert version["ModelApprovalStatus"] == "PendingManualApproval"
    assert version["ModelPackageStatus"] == "Completed"
    assert version["InferenceSpecification"] == SPECIFICATION
    assert version["ModelMetrics"] == METRICS
    assert version["CustomerMetadataProperties"] == metadata
    assert version["ModelPackageDescription"] == "first"


def test_a_repeated_client_token_registers_once(parts, group) -> None:
    tokens = ["a" * 36, "a" * 36, "b" * 36]
    arns = [register(parts, ClientToken=token) for token in tokens]
    assert [arn.rpartition("/")[2] for arn in arns] == ["1", "1", "2"]
    request = {"ModelPackageName": "alone", "ClientToken": "a" * 36}
    alone = [parts.sagemaker.call("CreateModelPackage", request) for _ in range(2)]
    assert alone[0] == alone[1]
    assert refusal(parts, "CreateModelPackage", request | {"ClientToken": "c" * 36}).code == "ConflictException"


@pytest.mark.parametrize(
    "metadata",
    [{"version": "a,b"}, {"version": "(a)"}, {"version": ""}, {"version": "x" * 257}, {"a,b": "1"}, {"x" * 129: "1"}],
)
def test_metadata_that_sagemaker_would_refuse_is_refused(parts, group, metadata) -> None:
    request = {"ModelPackageGroupName": "Insurance", "InferenceSpecification": SPECIFICATION}
    error = refusal(parts, "CreateModelPackage", {**request, "CustomerMetadataProperties": metadata})
    assert error.code == "ValidationException"
    arn = register(parts, CustomerMetadataProperties={"version": "Ärger 2026-11-26T03:00:00Z a=1+2@x_y./"})
    refusal(parts, "UpdateModelPackage", {"ModelPackageArn": arn, "CustomerMetadataProperties": metadata})


def test_an_update_changes_approval_life_cycle_and_metadata_and_keeps_the_rest(parts, group) -> None:
    arn = register(parts, CustomerMetadataProperties={"a": "1", "b": "2"}, ModelMetrics=METRICS)
    life_cycle = {"Stage": "Production", "StageStatus": "Ready"}
    change = {
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": "good",
        "ModelLifeCycle": life_cycle,
        "CustomerMetadataProperties": {"b": "3", "c": "4"},
        "CustomerMetadataPropertiesToRemove": ["a", "absent"],
    }
    assert parts.sagemaker.call("UpdateModelPackage", {"ModelPackageArn": arn, **change}) == {"ModelPackageArn": arn}
    version = describe(parts, arn)
    assert version["ModelApprovalStatus"] == "Approved"
    assert version["ApprovalDescription"] == "good"
    assert version["ModelLifeCycle"] == life_cycle
    assert version["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert version["ModelMetrics"] == METRICS
    assert version["LastModifiedTime"] >= version["CreationTime"]


def test_an_update_that_is_refused_changes_nothing(parts, group) -> None:
    arn = register(parts, CustomerMetadataProperties={"a": "1"})
    change = {
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": {f"k{index}": "x" for index in range(50)},
    }
    assert refusal(parts, "UpdateModelPackage", {"ModelPackageArn": arn, **change}).code == "ResourceLimitExceeded"
    assert describe(parts, arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_inference_specifications_are_added_under_names_that_differ(parts, group) -> None:
    arn = register(parts)
    added = [{"Name": "other", "Containers": SPECIFICATION["Containers"]}]
    request = {"ModelPackageArn": arn, "AdditionalInferenceSpecificationsToAdd": added}
    parts.sagemaker.call("UpdateModelPackage", request)
    assert describe(parts, arn)["AdditionalInferenceSpecifications"] == added
    assert "different names" in refusal(parts, "UpdateModelPackage", request).message
    request = {"ModelPackageGroupName": group, "AdditionalInferenceSpecifications": added * 2}
    assert "different names" in refusal(parts, "CreateModelPackage", request).message


def test_the_newest_approved_version_is_found_as_deployment_code_looks_for_it(parts, group) -> None:
    arns = [register(parts, ModelApprovalStatus=status) for status in ("Approved", "Approved", "Rejected")]
    request = {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": "Approved",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": 1,
    }
    answer = parts.sagemaker.call("ListModelPackages", request)
    assert [item["ModelPackageArn"] for item in answer["ModelPackageSummaryList"]] == [arns[1]]
    assert "ModelPackageName" not in answer["ModelPackageSummaryList"][0]
    rest = parts.sagemaker.call("ListModelPackages", {**request, "NextToken": answer["NextToken"]})
    assert [item["ModelPackageArn"] for item in rest["ModelPackageSummaryList"]] == [arns[0]]
    assert "NextToken" not in rest


def test_a_list_holds_packages_without_a_group_unless_another_type_is_asked_for(parts, group) -> None:
    version = register(parts)
    request = {"ModelPackageName": "alone", "InferenceSpecification": SPECIFICATION}
    alone = parts.sagemaker.call("CreateModelPackage", request)["ModelPackageArn"]

    def listed(**members):
        answer = parts.sagemaker.call("ListModelPackages", members)
        return [item["ModelPackageArn"] for item in answer["ModelPackageSummaryList"]]

    assert listed() == [alone]
    assert listed(ModelPackageType="Versioned") == [version]
    assert listed(ModelPackageType="Both") == [version, alone]
    assert listed(ModelPackageGroupName=group) == [version]
    assert listed(ModelPackageType="Both", NameContains="nsur") == [version]
    assert describe(parts, "alone")["ModelPackageArn"] == alone
    assert refusal(parts, "CreateModelPackage", request).code == "ConflictException"


def test_several_packages_are_described_at_once_with_errors_for_those_that_are_missing(parts, group) -> None:
    arn = register(parts)
    missing = arn.replace("/1", "/9")
    answer = parts.sagemaker.call("BatchDescribeModelPackage", {"ModelPackageArnList": [arn, missing]})
    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert answer["BatchDescribeModelPackageErrorMap"][missing]["ErrorCode"] == "ValidationException"


def test_a_group_with_versions_is_not_deleted(parts, group) -> None:
    arn = register(parts)
    assert refusal(parts, "DeleteModelPackageGroup", {"ModelPackageGroupName": group}).code == "ConflictException"
    parts.sagemaker.call("DeleteModelPackage", {"ModelPackageName": arn})
    parts.sagemaker.call("DeleteModelPackageGroup", {"ModelPackageGroupName": group})
    assert "does not exist" in refusal(parts, "DescribeModelPackageGroup", {"ModelPackageGroupName": group}).message


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "Missing ARN"),
        ({"ModelPackageGroupName": "Insurance", "ModelPackageName": "x"}, "Cannot determine which one to use"),
        ({"ModelPackageGroupName": "absent"}, "does not exist"),
        ({"ModelPackageGroupName": "Insurance", "Tags": [{"Key": "a", "Value": "b"}]}, "set tags on its group"),
        ({"ModelPackageName": "x", "ModelApprovalStatus": "Approved"}, "versions of a ModelPackageGroup"),
    ],
)
def test_a_package_that_cannot_be_placed_is_refused(parts, group, members, words) -> None:
    error = refusal(parts, "CreateModelPackage", members)
    assert error.code == "ValidationException"
    assert words in error.message


VALIDATION = {
    "ValidationRole": "arn:aws:iam::123456789012:role/r",
    "ValidationProfiles": [
        {
            "ProfileName": "p",
            "TransformJobDefinition": {
                "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}},
                "TransformOutput": {"S3OutputPath": "s3://b/o"},
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            },
        }
    ],
}


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("ValidationSpecification", VALIDATION),
        ("SourceAlgorithmSpecification", {"SourceAlgorithms": [{"AlgorithmName": "no-such-algorithm"}]}),
    ],
)
def test_what_packages_do_not_have_here_is_refused_rather_than_left_out(parts, group, member, value) -> None:
    error = refusal(parts, "CreateModelPackage", {"ModelPackageGroupName": group, member: value})
    assert error.message == f"not implemented by the local service: sagemaker:CreateModelPackage with {member}"


@pytest.mark.parametrize(
    ("uri", "members", "code", "words"),
    [
        ("model-package/Insurance/1", {}, "NotImplementedException", "model or model package as SourceUri"),
        ("model/fitted", {}, "NotImplementedException", "model or model package as SourceUri"),
        ("s3://a/b", {"InferenceSpecification": SPECIFICATION}, "ValidationException", "in the same request"),
        ("s3://a/b", {"ModelPackageName": "alone"}, "ValidationException", "unversioned"),
    ],
)
def test_a_source_from_which_a_package_would_be_made_is_refused(parts, group, uri, members, code, words) -> None:
    source = uri if "://" in uri else f"arn:aws:sagemaker:us-east-1:123456789012:{uri}"
    versioned = "ModelPackageName" not in members
    request = {"SourceUri": source, **members, **({"ModelPackageGroupName": group} if versioned else {})}
    error = refusal(parts, "CreateModelPackage", request)
    assert (error.code, words in error.message) == (code, True)
    if versioned:
        error = refusal(
            parts, "UpdateModelPackage", {"ModelPackageArn": register(parts), "SourceUri": source, **members}
        )
        assert (error.code, words in error.message) == (code, True)


def test_a_source_that_is_only_named_is_described(parts, group) -> None:
    arn = register(parts)
    parts.sagemaker.call("UpdateModelPackage", {"ModelPackageArn": arn, "SourceUri": "https://example.com/run/7"})
    assert describe(parts, arn)["SourceUri"] == "https://example.com/run/7"


CARD = {
    "model_overview": {"model_creator": "a", "model_artifact": ["s3://a/b"]},
    "intended_uses": {"purpose_of_model": "a", "risk_rating": "Low"},
    "evaluation_details": [
        {"name": "a", "metric_groups": [{"name": "a", "metric_data": [{"name": "a", "type": "number", "value": 1.5}]}]}
    ],
    "additional_information": {"custom_details": {"a": "b"}},
}


def with_card(content, status="Draft"):
    text = content if isinstance(content, str) else json.dumps(content)
    return {"ModelCard": {"ModelCardContent": text, "ModelCardStatus": status}}


def test_a_model_card_is_described_as_a_whole_or_by_its_metadata(parts, group) -> None:
    arn = register(parts, **with_card(CARD))
    assert json.loads(describe(parts, arn)["ModelCard"]["ModelCardContent"]) == CARD
    request = {"ModelPackageName": arn, "IncludedData": "MetadataOnly"}
    card = parts.sagemaker.call("DescribeModelPackage", request)["ModelCard"]
    assert card["ModelCardStatus"] == "Draft"
    assert json.loads(card["ModelCardContent"]) == {"intended_uses": {"risk_rating": "Low"}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ("a text", "is not JSON"),
        ("[" * 5000, "is nested too deeply"),
        ('{"intended_uses": {"purpose_of_model": NaN}}', "is not JSON"),
        ([], "the card must be an object"),
        ({"other": {}}, "other is unknown"),
        ({"model_overview": {"model_id": "a"}}, "model_overview.model_id is unknown"),
        ({"intended_uses": {"risk_rating": "Huge"}}, "intended_uses.risk_rating must be one of High"),
        ({"intended_uses": {"purpose_of_model": "a" * 2049}}, "has 2049 characters, and may have 2048"),
        ({"intended_uses": {"purpose_of_model": 1}}, "purpose_of_model must be a text"),
        ({"evaluation_details": {}}, "evaluation_details must be a list"),
        ({"evaluation_details": [{}]}, r"evaluation_details\[0\] has no name"),
        ({"evaluation_details": [{"name": "a", "metric_groups": [{"name": "a"}]}]}, "has no metric_data"),
        ({"additional_information": {"custom_details": {"a": 1}}}, "custom_details must be an object of texts"),
    ],
)
def test_a_model_card_that_does_not_match_the_schema_is_refused(parts, group, content, said) -> None:
    request = {"ModelPackageGroupName": group, "InferenceSpecification": SPECIFICATION, **with_card(content)}
    arn = register(parts, **with_card(CARD))
    for operation, asked in (
        ("CreateModelPackage", request),
        ("UpdateModelPackage", {"ModelPackageArn": arn, **with_card(content)}),
    ):
        error = refusal(parts, operation, asked)
        assert error.code == "ValidationException"
        assert re.search(said, error.message)


def test_the_content_of_an_archived_model_card_stays(parts, group) -> None:
    arn = register(parts, **with_card(CARD, "Archived"))
    error = refusal(parts, "UpdateModelPackage", {"ModelPackageArn": arn, **with_card(CARD)})
    assert error.message == "Model Card is in Archived state"
