from __future__ import annotations

import base64
import errno
import json
import os
import re
import time

import pytest

from local.core.errors import validation_error
from local.runtime.endpoints import data_capture
from tests.local.conftest import IMAGE


@pytest.fixture
def endpoint(parts, put_model):
    """Puts a linear model, 1 x1 + 2 x2 + 0.5, in service under the name e."""

    def start(**config) -> None:
        container = {"Image": IMAGE, "ModelDataUrl": put_model()}
        parts.sagemaker.call("CreateModel", {"ModelName": "m", "PrimaryContainer": container})
        variant = {"VariantName": "All", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        parts.sagemaker.call(
            "CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant], **config}
        )
        parts.sagemaker.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"})
        waits = (parts.sagemaker.call("DescribeEndpoint", {"EndpointName": "e"}) for _ in range(60))
        assert any(endpoint["EndpointStatus"] == "InService" for endpoint in waits)

    return start


def test_an_answer_has_the_services_headers_and_bytes(parts, endpoint) -> None:
    endpoint()
    status, headers, body = parts.hosting.invoke("e", b"1.5,2\n3,4", "text/csv", None, None)
    assert (status, body) == (200, b'{"predictions": [{"score": 6.0}, {"score": 11.5}]}')
    names = dict(headers)
    assert names[b"x-Amzn-Invoked-Production-Variant"] == b"All"
    assert names[b"Content-Type"] == b"application/json"
    assert len(names[b"x-amzn-RequestId"]) == 36


def test_a_missing_endpoint_is_a_validation_error_in_the_services_words(parts) -> None:
    status, headers, body = parts.hosting.invoke("absent", b"1,2", "text/csv", None, None)
    assert status == 400
    assert dict(headers)[b"x-amzn-ErrorType"] == b"ValidationError"
    assert json.loads(body) == {"Message": "Endpoint absent of account 123456789012 not found."}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [(b"1,2,3", "text/csv", 400), (b"", "text/csv", 400), (b"1,nan", "text/csv", 400), (b"1,2", "image/png", 415)],
)
def test_what_the_model_refuses_is_a_model_error_with_the_containers_status(
    parts, endpoint, body, content_type, status
) -> None:
    endpoint()
    answer, headers, document = parts.hosting.invoke("e", body, content_type, None, None)
    error = json.loads(document)
    assert answer == 424
    assert dict(headers)[b"x-amzn-ErrorType"] == b"ModelError"
    assert list(error) == ["ErrorCode", "LogStreamArn", "Message", "OriginalMessage", "OriginalStatusCode"]
    assert error["OriginalStatusCode"] == status
    assert error["ErrorCode"] == "CLIENT_ERROR_FROM_MODEL"
    assert error["Message"] == (
        f'Received client error ({status}) from primary with message "{error["OriginalMessage"]}". See '
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        "#logEventViewer:group=/aws/sagemaker/Endpoints/e in account 123456789012 for more information."
    )


def test_refused_requests_are_in_the_endpoints_log(parts, endpoint) -> None:
    endpoint()
    parts.hosting.invoke("e", b"1,2,3", "text/csv", None, None)
    parts.hosting.close()
    log = parts.logs.path("/aws/sagemaker/Endpoints/e", "All/local").read_text()
    assert "The feature dimension of the input: 3 does not match the feature dimension of the model: 2" in log


def test_a_log_that_cannot_be_written_is_an_error_in_the_services_log(parts, endpoint, monkeypatch, caplog) -> None:
    endpoint()

    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(parts.logs, "append", fail)
    assert parts.hosting.invoke("e", b"1,2,3", "text/csv", None, None)[0] == 424
    parts.hosting.close()
    assert "Permission denied" in caplog.text


def test_answers_over_six_megabytes_are_refused(parts, endpoint) -> None:
    endpoint()
    row = b'{"score": 0.5}\n'
    rows = 6291456 // len(row)

    def ask(count):
        return parts.hosting.invoke("e", b"0,0\n" * count, "text/csv", "application/jsonlines", None)

    assert ask(rows)[2] == row * rows
    assert ask(rows + 1)[0] == 413


def until(reached) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def captured(parts):
    parts.hosting.close()
    folder = parts.objects.root / "models" / "capture"
    files = sorted(folder.rglob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [file.relative_to(folder).parts for file in files], lines


def capture(**members):
    return {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://models/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        **members,
    }


def test_captured_requests_lie_in_s3_as_the_service_writes_them(parts, endpoint) -> None:
    headers = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
    endpoint(DataCaptureConfig=capture(CaptureContentTypeHeader=headers))
    status = parts.sagemaker.call("DescribeEndpoint", {"EndpointName": "e"})["DataCaptureConfig"]
    assert status["CaptureStatus"] == "Started"
    named = {b"x-amzn-sagemaker-inference-id": b"id-1"}
    parts.hosting.invoke("e", b"1,2", "text/csv", None, None, headers=named)
    parts.hosting.invoke("e", b"1,2,3", "text/csv", None, None)
    (path,), (line,) = captured(parts)
    assert path[:2] == ("e", "All")
    assert len(path) == 7
    assert line["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": '{"predictions": [{"score": 5.5}]}',
            "encoding": "JSON",
        },
    }
    assert line["eventVersion"] == "0"
    assert line["eventMetadata"]["inferenceId"] == "id-1"


def test_captured_payloads_of_other_types_are_base64(parts, endpoint) -> None:
    endpoint(DataCaptureConfig=capture(CaptureOptions=[{"CaptureMode": "Input"}]))
    parts.hosting.invoke("e", b"1,2", "text/csv", None, None)
    _, (line,) = captured(parts)
    assert list(line["captureData"]) == ["endpointInput"]
    assert base64.b64decode(line["captureData"]["endpointInput"]["data"]) == b"1,2"


@pytest.mark.parametrize("members", [{"EnableCapture": False}, {"InitialSamplingPercentage": 0}])
def test_nothing_is_captured_where_capture_is_off(parts, endpoint, members) -> None:
    endpoint(DataCaptureConfig=capture(**members))
    parts.hosting.invoke("e", b"1,2", "text/csv", None, None)
    assert captured(parts) == ([], [])


def test_capture_into_a_bucket_that_is_not_there_is_told_in_the_log_and_makes_no_bucket(parts, endpoint) -> None:
    endpoint(DataCaptureConfig=capture(DestinationS3Uri="s3://absent/capture"))
    assert parts.hosting.invoke("e", b"1,2", "text/csv", None, None)[0] == 200
    parts.hosting.close()
    assert not (parts.objects.root / "absent").exists()
    assert "does not exist" in parts.logs.path("/aws/sagemaker/Endpoints/e", "All/data-capture").read_text()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "no space is left on the disk"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES)), "Permission denied"),
        (validation_error("not a key"), "not a key"),
    ],
)
def test_captures_that_cannot_be_written_are_told_in_the_log_and_others_are_written(
    parts, endpoint, monkeypatch, error, reason
) -> None:
    monkeypatch.setattr(data_capture, "FLUSH_SECONDS", 0.05)
    endpoint(DataCaptureConfig=capture())
    parts.sagemaker.call("CreateEndpoint", {"EndpointName": "full", "EndpointConfigName": "c"})
    until(lambda: parts.sagemaker.call("DescribeEndpoint", {"EndpointName": "full"})["EndpointStatus"] == "InService")
    write = parts.objects.write

    def fail(uri: str, content: bytes) -> None:
        if "/full/" in uri:
            raise error
        write(uri, content)

    monkeypatch.setattr(parts.objects, "write", fail)
    for name in ("full", "full", "e"):
        assert parts.hosting.invoke(name, b"1,2", "text/csv", None, None)[0] == 200
    log = parts.logs.path("/aws/sagemaker/Endpoints/full", "All/data-capture")

    def lost() -> int:
        return sum(map(int, re.findall(r"lost (\d+) records: s3://models/capture/full/All/", log.read_text())))

    # By the timer's flush, not by that of the stop.
    until(lambda: log.exists() and lost() == 2)
    assert [path[0] for path in captured(parts)[0]] == ["e"]
    assert reason in log.read_text()
