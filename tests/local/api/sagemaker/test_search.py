"""Search over resources, through boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.records import training_jobs
from local.records.kinds import TRAINING_JOB
from local.records.tags import save_tags
from tests.local.conftest import IMAGE, ROLE


def job(number: int) -> dict[str, Any]:
    request = {
        "TrainingJobName": f"job-{number}",
        "HyperParameters": {"learning_rate": str(number / 10), "loss": "auto"},
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": name,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://b/{number}/{name}"}},
            }
            for name in ("train", "validation")
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": number, "VolumeSizeInGB": 1},
    }
    record = training_jobs.new("us-east-1", request)
    record["CreationTime"] = record["LastModifiedTime"] = 1_700_000_000 + number
    record["TrainingJobStatus"] = record["SecondaryStatus"] = "Completed" if number % 2 else "Failed"
    record["FinalMetricDataList"] = [{"MetricName": "validation:mse", "Value": 10.0 * number, "Timestamp": 1.7e9}]
    return record


@pytest.fixture(scope="module")
def client(service):
    for number in range(1, 6):
        record = job(number)
        service.parts.store.insert(TRAINING_JOB.name, record["TrainingJobName"], record)
        tags = [{"Key": "team", "Value": "a" if number < 3 else "b"}, {"Key": f"only-{number}", "Value": "x"}]
        save_tags(service.parts.store, record["TrainingJobArn"], tags)
    return service.client("sagemaker")


def found(client, *filters: tuple[str, ...], **request: Any) -> list[int]:
    names = ("Name", "Operator", "Value")
    expression = {"Filters": [dict(zip(names, each, strict=False)) for each in filters]} if filters else {}
    expression |= request.pop("expression", {})
    if expression:
        request["SearchExpression"] = expression
    results = client.search(Resource="TrainingJob", **{"SortBy": "TrainingJobName", "SortOrder": "Ascending"} | request)
    return [int(result["TrainingJob"]["TrainingJobName"][-1]) for result in results["Results"]]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], [1, 2, 3, 4, 5]),
        ([("TrainingJobStatus", "Equals", "Failed")], [2, 4]),
        ([("TrainingJobStatus", "NotEquals", "Failed")], [1, 3, 5]),
        ([("TrainingJobName", "Contains", "-3")], [3]),
        ([("TrainingJobName", "In", "job-1, job-5")], [1, 5]),
        ([("ResourceConfig.InstanceCount", "GreaterThan", "3")], [4, 5]),
        ([("Metrics.validation:mse", "LessThanOrEqualTo", "20")], [1, 2]),
        ([("HyperParameters.learning_rate", "GreaterThanOrEqualTo", "0.40")], [4, 5]),
        ([("HyperParameters.loss", "Equals", "auto")], [1, 2, 3, 4, 5]),
        ([("CreationTime", "LessThan", "2023-11-14T22:13:22Z")], [1]),
        ([("Tags.team", "Equals", "a")], [1, 2]),
        ([("Tags.only-4", "Exists")], [4]),
        ([("Tags.only-4", "NotExists")], [1, 2, 3, 5]),
        ([("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "/2/")], [2]),
        ([("EnableManagedSpotTraining", "Equals", "false")], [1, 2, 3, 4, 5]),
        ([("TrainingJobStatus", "Equals", "Failed"), ("Tags.team", "Equals", "a")], [2]),
    ],
)
def test_filters_of_every_kind(client, filters, expected) -> None:
    assert found(client, *filters) == expected


def test_nested_filters_hold_for_one_item_together(client) -> None:
    def nested(channel):
        return {
            "NestedFilters": [
                {
                    "NestedPropertyName": "InputDataConfig",
                    "Filters": [
                        {"Name": "InputDataConfig.ChannelName", "Operator": "Equals", "Value": channel},
                        {
                            "Name": "InputDataConfig.DataSource.S3DataSource.S3Uri",
                            "Operator": "Contains",
                            "Value": "3/train",
                        },
                    ],
                }
            ]
        }

    assert found(client, expression=nested("train")) == [3]
    assert found(client, expression=nested("validation")) == []


def test_sub_expressions_are_combined_by_the_operator(client) -> None:
    sub = [
        {"Filters": [{"Name": "TrainingJobName", "Operator": "Equals", "Value": "job-1"}]},
        {"Filters": [{"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Failed"}], "Operator": "Or"},
    ]
    assert found(client, expression={"SubExpressions": sub, "Operator": "Or"}) == [1, 2, 4]
    assert found(client, expression={"SubExpressions": sub}) == []


def test_pages_in_the_order_of_a_metric(client) -> None:
    request = {"Resource": "TrainingJob", "SortBy": "Metrics.validation:mse", "MaxResults": 2}
    pages = [client.search(**request)]
    while "NextToken" in pages[-1]:
        pages.append(client.search(**request, NextToken=pages[-1]["NextToken"]))
    names = [result["TrainingJob"]["TrainingJobName"] for page in pages for result in page["Results"]]
    assert names == ["job-5", "job-4", "job-3", "job-2", "job-1"]
    assert pages[0]["TotalHits"] == {"Value": 5, "Relation": "EqualTo"}
    assert pages[0]["Results"][0]["TrainingJob"]["Tags"] == [
        {"Key": "only-5", "Value": "x"},
        {"Key": "team", "Value": "b"},
    ]


def test_other_resources_are_found_too(client) -> None:
    client.create_model_package_group(ModelPackageGroupName="group", Tags=[{"Key": "team", "Value": "a"}])
    expression = {"Filters": [{"Name": "Tags.team", "Value": "a"}]}
    (result,) = client.search(Resource="ModelPackageGroup", SearchExpression=expression)["Results"]
    assert result["ModelPackageGroup"]["ModelPackageGroupName"] == "group"
    for resource in ("Pipeline", "PipelineExecution", "ModelPackage", "Endpoint", "HyperParameterTuningJob"):
        assert client.search(Resource=resource)["Results"] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("Nonsense", "Equals", "x"), "Unknown property name: Nonsense"),
        (("ResourceConfig.Nonsense", "Equals", "x"), "Unknown property name"),
        (("ResourceConfig.InstanceCount", "GreaterThan", "many"), "is not a integer"),
        (("TrainingJobName", "GreaterThan", "a"), "is for numbers and times"),
        (("TrainingJobName", "Equals"), "needs a Value"),
        (("TrainingJobName", "Exists", "x"), "takes no Value"),
        (("ResourceConfig.InstanceCount", "In", "1,2"), "In is for text, not for the integer property"),
        (("Metrics.validation:mse", "Contains", "1"), "Contains is for text, not for the double property"),
        (("CreationTime", "Contains", "2023"), "Contains is for text, not for the timestamp property"),
        (("EnableNetworkIsolation", "In", "true"), "In is for text, not for the boolean property"),
    ],
)
def test_a_filter_that_cannot_hold_is_refused(client, given, message) -> None:
    with pytest.raises(ClientError, match=message):
        found(client, given)


NAME = {"Name": "TrainingJobName", "Value": "job-1"}
CONTAINS = {"Name": "TrainingJobName", "Operator": "Contains", "Value": "job"}
URI = {"Name": "InputDataConfig.DataSource.S3DataSource.S3Uri", "Operator": "Contains", "Value": "s3"}
NOTHING = "at least one subexpression, filter, or nested filter"
TOO_MANY = "SearchExpression object is 50"
ONE_CONTAINS = "'CONTAINS' operator usage limit of 1 exceeded."


def nested(*filters: dict[str, str]) -> list[dict[str, Any]]:
    return [{"NestedPropertyName": "InputDataConfig", "Filters": list(filters)}]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({}, NOTHING),
        ({"Operator": "Or"}, NOTHING),
        ({"Filters": [NAME], "SubExpressions": [{"Operator": "And"}]}, NOTHING),
        ({"Filters": [CONTAINS, CONTAINS], "Operator": "Or"}, ONE_CONTAINS),
        ({"NestedFilters": nested(URI, URI)}, ONE_CONTAINS),
        ({"Filters": [CONTAINS], "SubExpressions": [{"NestedFilters": nested(URI)}]}, ONE_CONTAINS),
        ({"Filters": [NAME] * 20, "SubExpressions": [{"Filters": [NAME] * 20}, {"Filters": [NAME] * 9}]}, TOO_MANY),
        ({"SubExpressions": [{"NestedFilters": nested(*[NAME] * 15) * 3, "Filters": [NAME] * 2}]}, TOO_MANY),
    ],
)
def test_an_expression_that_sagemaker_does_not_take_is_refused(client, expression, message) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        client.search(Resource="TrainingJob", SearchExpression=expression)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_fifty_elements_are_not_too_many(client) -> None:
    parts = [{"Filters": [NAME] * 20}, {"Filters": [NAME] * 7}]
    assert found(client, expression={"Filters": [NAME] * 20, "SubExpressions": parts}) == [1]
    assert found(client, expression={"Filters": [CONTAINS, NAME]}) == [1]


def test_a_version_is_named_by_its_group_and_its_number(client) -> None:
    client.create_model_package_group(ModelPackageGroupName="named")
    arns = [client.create_model_package(ModelPackageGroupName="named")["ModelPackageArn"] for _ in range(2)]
    client.create_model_package(ModelPackageName="alone")

    def names(**filter_: str) -> list[str]:
        expression = {"Filters": [{"Name": "ModelPackageName", **filter_}]}
        results = client.search(Resource="ModelPackage", SearchExpression=expression, SortBy="ModelPackageName")
        return [result["ModelPackage"]["ModelPackageName"] for result in results["Results"]]

    assert names(Operator="Exists") == ["named/2", "named/1", "alone"]
    assert names(Value="named/2") == ["named/2"]
    assert names(Value="named") == []
    assert client.describe_model_package(ModelPackageName=arns[0])["ModelPackageName"] == "named"


def test_an_execution_is_found_by_its_parameters_and_named_after_its_version(client) -> None:
    parameters = [{"Name": name, "Type": "String", "DefaultValue": "a"} for name in ("Given", "Other")]
    step = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "as asked"}}
    document = json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [step]})
    arn = client.create_pipeline(PipelineName="searched", PipelineDefinition=document, RoleArn=ROLE)["PipelineArn"]
    client.update_pipeline_version(PipelineArn=arn, PipelineVersionId=1, PipelineVersionDisplayName="first")
    for value in ("a", "b"):
        given = [{"Name": "Given", "Value": value}]
        started = client.start_pipeline_execution(PipelineName="searched", PipelineParameters=given)
    filters = [{"Name": f"PipelineParameters.{name}", "Value": value} for name, value in given[0].items()]
    expression = {"NestedFilters": [{"NestedPropertyName": "PipelineParameters", "Filters": filters}]}
    (result,) = client.search(Resource="PipelineExecution", SearchExpression=expression)["Results"]
    assert result["PipelineExecution"]["PipelineExecutionArn"] == started["PipelineExecutionArn"]
    assert result["PipelineExecution"]["PipelineParameters"] == given
    assert result["PipelineExecution"]["PipelineVersionDisplayName"] == "first"


def test_what_is_not_kept_is_refused_by_name(client) -> None:
    for resource in ("FeatureGroup", "Experiment", "Model"):
        with pytest.raises(ClientError, match=f"sagemaker:Search for {resource}"):
            client.search(Resource=resource)
