import hashlib

import pytest
from botocore.exceptions import ClientError


def test_an_operation_that_is_not_there_is_refused_by_name(service) -> None:
    with pytest.raises(ClientError, match="not implemented by the local service: sagemaker:CreateNotebookInstance"):
        service.client("sagemaker").create_notebook_instance(
            NotebookInstanceName="notebook",
            InstanceType="ml.t3.medium",
            RoleArn="arn:aws:iam::123456789012:role/role",
        )


def test_s3_and_moto_answer_on_the_same_port(service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="a-bucket")
    s3.put_object(Bucket="a-bucket", Key="a/b c+d.txt", Body=b"hello")
    assert (service.settings.buckets / "a-bucket" / "a" / "b c+d.txt").read_bytes() == b"hello"
    assert s3.get_object(Bucket="a-bucket", Key="a/b c+d.txt")["Body"].read() == b"hello"
    assert service.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert service.client("iam").list_roles()["Roles"] == []


def test_large_objects_and_answers_without_a_body_arrive_whole(service) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="large-objects")
    content = hashlib.shake_256(b"content").digest(3_000_000)
    s3.put_object(Bucket="large-objects", Key="large", Body=content)
    assert s3.head_object(Bucket="large-objects", Key="large")["ContentLength"] == len(content)
    assert s3.get_object(Bucket="large-objects", Key="large")["Body"].read() == content
    assert s3.delete_object(Bucket="large-objects", Key="large")["ResponseMetadata"]["HTTPStatusCode"] == 204
