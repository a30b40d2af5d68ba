from __future__ import annotations

import pytest

from local.core.errors import ServiceError
from local.records.kinds import MODEL
from local.records.models import containers
from local.records.resources import find
from tests.local.conftest import IMAGE, ROLE


def create(parts, name="m", **container):
    request = {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    return parts.sagemaker.call("CreateModel", request)


def refusal(parts, operation, request):
    with pytest.raises(ServiceError) as caught:
        parts.sagemaker.call(operation, request)
    return caught.value


def test_a_model_is_described_as_it_was_made(parts, put_model) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": put_model(), "Environment": {"A": "b"}}
    arn = create(parts, "Insurance", **container)["ModelArn"]
    model = parts.sagemaker.call("DescribeModel", {"ModelName": "Insurance"})
    assert model["ModelArn"] == arn == "arn:aws:sagemaker:us-east-1:123456789012:model/Insurance"
    assert model["PrimaryContainer"].items() >= container.items()
    assert model["ExecutionRoleArn"] == ROLE
    assert not any(member.startswith("_") for member in model)
    assert [item["ModelName"] for item in parts.sagemaker.call("ListModels", {})["Models"]] == ["Insurance"]


def test_errors_use_the_words_that_clients_know(parts, put_model) -> None:
    uri = put_model()
    create(parts, Image=IMAGE, ModelDataUrl=uri)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model"
    again = {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": uri}}
    assert refusal(parts, "CreateModel", again).message == f'Cannot create already existing model "{arn}/m".'
    for operation in ("DescribeModel", "DeleteModel"):
        error = refusal(parts, operation, {"ModelName": "absent"})
        assert (error.code, error.message) == ("ValidationException", f'Could not find model "{arn}/absent".')


@pytest.mark.parametrize("uri", ["s3://models/none/model.tar.gz", "s3://no-such-bucket/model.tar.gz"])
def test_model_data_that_is_not_in_s3_is_refused(parts, put_model, uri) -> None:
    put_model()
    request = {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": uri}}
    assert refusal(parts, "CreateModel", request).message == f"Could not find model data at {uri}."
    assert parts.sagemaker.call("ListModels", {})["Models"] == []


HOSTS = {
    "https://s3.amazonaws.com/models/a/model.tar.gz": True,
    "https://s3.us-east-1.amazonaws.com/models/a/model.tar.gz": True,
    "https://s3-us-east-1.amazonaws.com/models/a/model.tar.gz": True,
    "https://models.s3.amazonaws.com/a/model.tar.gz": True,
    "https://models.s3.us-east-1.amazonaws.com/a/model%2Etar.gz": True,
    "https://models.s3.us-east-1.amazonaws.com/none/model.tar.gz": False,
    "https://models.s3.eu-west-1.amazonaws.com/a/model.tar.gz": False,
    "https://models.s3.us-east-1.amazonaws.com/a/model.tar.gz?versionId=1": False,
    "https://s3.us-east-1.amazonaws.com/models": False,
    "https://s3.us-east-1.example.com/models/a/model.tar.gz": False,
    "https://example.com/models/a/model.tar.gz": False,
}


@pytest.mark.parametrize(("url", "is_there"), HOSTS.items())
def test_an_https_url_of_s3_names_the_object(parts, put_model, url, is_there) -> None:
    uri = put_model()
    request = {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": url}}
    if not is_there:
        assert refusal(parts, "CreateModel", request).message.startswith("Could not find model data at ")
        return
    create(parts, Image=IMAGE, ModelDataUrl=url)
    model = parts.sagemaker.call("DescribeModel", {"ModelName": "m"})
    assert model["PrimaryContainer"]["ModelDataUrl"] == url
    (container,) = containers(find(parts.store, MODEL, "us-east-1", "m"))
    assert container["ModelDataUrl"] == uri


def test_a_package_with_a_url_elsewhere_is_refused(parts) -> None:
    for member in ("InferenceSpecification", "AdditionalInferenceSpecifications"):
        url = "https://example.com/model.tar.gz"
        specification = {"Containers": [{"Image": IMAGE, "ModelDataUrl": url}]}
        given = specification if member == "InferenceSpecification" else [specification | {"Name": "other"}]
        error = refusal(parts, "CreateModelPackage", {"ModelPackageName": "p", member: given})
        assert error.message == f"Could not find model data at {url}."


def test_a_model_of_an_approved_package_serves_what_the_package_names(parts, put_model) -> None:
    uri = put_model()
    parts.sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})
    specification = {"Containers": [{"Image": IMAGE, "ModelDataUrl": uri}]}
    request = {"ModelPackageGroupName": "g", "InferenceSpecification": specification}
    package = parts.sagemaker.call("CreateModelPackage", request)["ModelPackageArn"]
    error = refusal(parts, "CreateModel", {"ModelName": "m", "PrimaryContainer": {"ModelPackageName": package}})
    assert 'Invalid approval status "PendingManualApproval"' in error.message
    parts.sagemaker.call("UpdateModelPackage", {"ModelPackageArn": package, "ModelApprovalStatus": "Approved"})
    create(parts, ModelPackageName=package)
    assert containers(find(parts.store, MODEL, "us-east-1", "m")) == [{"Image": IMAGE, "ModelDataUrl": uri}]
    described = parts.sagemaker.call("DescribeModel", {"ModelName": "m"})
    assert described["PrimaryContainer"] == {"ModelPackageName": package}


def test_a_model_data_source_of_a_gzipped_object_is_the_same_as_its_url(parts, put_model) -> None:
    uri = put_model()
    source = {"S3DataSource": {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}}
    create(parts, Image=IMAGE, ModelDataSource=source)
    # DescribeModel returns both, so a model can be created again from its description.
    create(parts, "again", Image=IMAGE, ModelDataSource=source, ModelDataUrl=uri)
    assert containers(find(parts.store, MODEL, "us-east-1", "m")) == [{"Image": IMAGE, "ModelDataUrl": uri}]


@pytest.mark.parametrize(
    "container",
    [
        {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://models/a/"},
        {
            "Image": IMAGE,
            "ModelDataSource": {
                "S3DataSource": {"S3Uri": "s3://models/a/", "S3DataType": "S3Prefix", "CompressionType": "None"}
            },
        },
        {
            "Image": IMAGE,
            "ModelDataUrl": "s3://models/other/model.tar.gz",
            "ModelDataSource": {
                "S3DataSource": {
                    "S3Uri": "s3://models/a/model.tar.gz",
                    "S3DataType": "S3Object",
                    "CompressionType": "Gzip",
                }
            },
        },
    ],
)
def test_ways_to_serve_that_are_not_imitated_are_refused(parts, container) -> None:
    error = refusal(parts, "CreateModel", {"ModelName": "m", "PrimaryContainer": container})
    assert error.message.startswith("not implemented by the local service: sagemaker:CreateModel with ")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"PrimaryContainer": {}},
        {"PrimaryContainer": {"Image": IMAGE}, "Containers": [{"Image": IMAGE}]},
        {"PrimaryContainer": {"Image": IMAGE, "ModelPackageName": "p"}},
    ],
)
def test_a_model_without_exactly_one_source_is_refused(parts, members) -> None:
    assert refusal(parts, "CreateModel", {"ModelName": "m", **members}).code == "ValidationException"


FIRST, SECOND = ({"Image": IMAGE, "ContainerHostname": name} for name in ("first", "second"))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Containers": [FIRST], "InferenceExecutionConfig": {"Mode": "Direct"}}, "more than one container"),
        ({"PrimaryContainer": FIRST, "InferenceExecutionConfig": {"Mode": "Direct"}}, "more than one container"),
        ({"Containers": [{"Image": IMAGE}] * 2, "InferenceExecutionConfig": {"Mode": "Direct"}}, "is required"),
        ({"Containers": [FIRST, {"Image": IMAGE}]}, "every container"),
        ({"Containers": [FIRST, FIRST]}, "different values"),
        ({"Containers": [FIRST, SECOND], "InferenceExecutionConfig": {"Mode": "Direct"}}, None),
        ({"Containers": [FIRST, SECOND]}, None),
        ({"Containers": [{"Image": IMAGE}] * 2}, None),
    ],
)
def test_containers_of_one_model_are_told_apart(parts, members, words) -> None:
    request = {"ModelName": "m", "ExecutionRoleArn": ROLE, **members}
    if words is None:
        parts.sagemaker.call("CreateModel", request)
        return
    error = refusal(parts, "CreateModel", request)
    assert error.code == "ValidationException"
    assert words in error.message
