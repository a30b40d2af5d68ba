"""Documents within requests: definitions of pipelines, rows for endpoints, code of functions, patterns of events."""

from __future__ import annotations

import base64
import copy
import io
import json
import stat
import struct
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definition_language.models import service_model
from tests.local.conftest import IMAGE, ROLE
from tests.local.fuzz.conftest import fuzzed
from tests.local.fuzz.encodings import to_json
from tests.local.fuzz.sender import check
from tests.local.fuzz.test_operations import send
from tests.local.fuzz.values import MARK, SEED, STRANGE, STRANGE_TEXTS, mutated, places_of

GET = {"Get": "Parameters.seed"}
DEFINITION: dict[str, Any] = {
    "Version": "2020-12-01",
    "Metadata": {},
    "Parameters": [
        {"Name": "seed", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Share", "Type": "Float", "DefaultValue": 0.5},
    ],
    "PipelineExperimentConfig": {"ExperimentName": GET, "TrialName": {"Get": "Execution.PipelineExecutionId"}},
    "Steps": [
        {
            "Name": "Check",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {"Type": "LessThanOrEqualTo", "LeftValue": {"Get": "Parameters.Share"}, "RightValue": 1.5},
                    {"Type": "Not", "Condition": {"Type": "Equals", "LeftValue": GET, "RightValue": "b"}},
                    {
                        "Type": "Or",
                        "Conditions": [
                            {
                                "Type": "In",
                                "QueryValue": GET,
                                "Values": ["a", {"Std:Join": {"On": "", "Values": ["a"]}}],
                            }
                        ],
                    },
                ],
                "IfSteps": [
                    {
                        "Name": "Stop",
                        "Type": "Fail",
                        "Arguments": {"ErrorMessage": {"Std:Join": {"On": "/", "Values": [GET, 1]}}},
                    }
                ],
                "ElseSteps": [],
            },
        },
        {
            "Name": "Train",
            "Type": "Training",
            "DependsOn": ["Check"],
            "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
            "RetryPolicies": [
                {"ExceptionType": ["Step.SERVICE_FAULT"], "IntervalSeconds": 1, "BackoffRate": 2.0, "MaxAttempts": 3}
            ],
            "Arguments": {
                "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
                "OutputDataConfig": {"S3OutputPath": {"Std:Join": {"On": "/", "Values": ["s3:/", GET]}}},
                "ResourceConfig": {
                    "InstanceCount": {"Get": "Parameters.Count"},
                    "InstanceType": "ml.m5.large",
                    "VolumeSizeInGB": 1,
                },
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
                "RoleArn": ROLE,
                "HyperParameters": {
                    "a": {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Make.PropertyFiles.F"}, "Path": "a.b"}}
                },
            },
        },
        {
            "Name": "Make",
            "Type": "Processing",
            "PropertyFiles": [{"PropertyFileName": "F", "OutputName": "o", "FilePath": "f.json"}],
            "Arguments": {
                "ProcessingJobName": "a",
                "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": ["--a", GET]},
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
                },
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {
                            "OutputName": "o",
                            "S3Output": {
                                "S3Uri": "s3://seed/o",
                                "LocalPath": "/opt/ml/processing/o",
                                "S3UploadMode": "EndOfJob",
                            },
                        }
                    ]
                },
                "RoleArn": ROLE,
            },
        },
        {
            "Name": "Call",
            "Type": "Lambda",
            "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:none",
            "Arguments": {"a": {"Get": "Steps.Make.ProcessingOutputConfig.Outputs['o'].S3Output.S3Uri"}},
            "OutputParameters": [{"OutputName": "o", "OutputType": "String"}],
        },
    ],
}
JOINED: list[Any] = [None, [], {}, {"On": 1, "Values": [[]]}, {"On": "", "Values": [{"Get": 1}]}]
STRANGE_PARTS: list[Any] = [
    *(
        {"Get": text}
        for text in (
            "",
            ".",
            "Steps.Train",
            "Steps.Check.Outcome",
            "Parameters.",
            "Execution.x",
            "Steps.Call.OutputParameters['o']",
        )
    ),
    *(
        {"Get": f"Steps.{text}"}
        for text in ("Make.A[99999999999999999999]", "Make.A['", "Train.Train", "Stop.X", "Make[0]", "a" * 5000)
    ),
    *({"Std:Join": value} for value in JOINED),
    *(
        {"Std:JsonGet": value}
        for value in ("", {"PropertyFile": "F", "Path": "["}, {"S3Uri": "http://[", "Path": "a"}, {"Path": 1})
    ),
    *({"Type": kind} for kind in ("Not", "Or", "In", "Equals", "BadType", 1)),
    *({"Get": ["a"]}, {"Get": GET}, {"Get": "a", "Std:Join": 1}, "P99999999999999D", "PT1E9S", -1, 10**20, 1e300),
]


def _definition(draw: st.DrawFn) -> Any:
    value: Any = copy.deepcopy(DEFINITION)
    for _ in range(draw(st.integers(1, 2))):
        if draw(st.booleans()):
            places = list(places_of(value))
            holder, place = draw(st.sampled_from(places)) if places else ({}, "a")
            holder[place] = copy.deepcopy(draw(st.sampled_from(STRANGE_PARTS)))
        else:
            value = mutated(draw, value)
    return value


definitions = st.composite(_definition)


def _create_pipelines(target: Any, examples: int) -> None:
    @fuzzed(examples)
    @given(definitions())
    def run(definition: Any) -> None:
        text = to_json(definition).decode()
        made = {"PipelineName": "fuzzed", "RoleArn": ROLE, "PipelineDefinition": text, "ClientRequestToken": "b" * 32}
        send(target, "sagemaker", "CreatePipeline", made)
        send(target, "sagemaker", "DescribePipeline", {"PipelineName": "fuzzed"})
        send(target, "sagemaker", "DeletePipeline", {"PipelineName": "fuzzed", "ClientRequestToken": "b" * 32})

    run()


def test_definitions(target) -> None:
    send(
        target,
        "sagemaker",
        "CreatePipeline",
        {
            "PipelineName": "good",
            "RoleArn": ROLE,
            "PipelineDefinition": json.dumps(DEFINITION),
            "ClientRequestToken": "c" * 32,
        },
    )
    target.client("sagemaker").describe_pipeline(PipelineName="good")
    _create_pipelines(target, 25)


@pytest.mark.slow
def test_definitions_at_length(target) -> None:
    _create_pipelines(target, 300)


ROWS: list[bytes] = [
    *(
        b"1,2",
        b"1,2\n3,4",
        b"",
        b"\n",
        b",",
        b"1",
        b"1,2,3",
        b"a,b",
        b"1e999,1",
        b"nan,inf",
        b'"1","2"',
        b'"1',
        b"\xff",
        b"\0,1",
    ),
    *(
        b"1;2",
        b"\xef\xbb\xbf1,2",
        b"9" * 5000 + b",1",
        b"1,2\r3,4",
        b"1,2" * 9000,
        b",".join([b"1"] * 9000),
        b"0x10,1_0",
        b"\xd9\xa1,2",
    ),
    *(
        b'{"instances": [{"features": [1, 2]}]}',
        b'{"instances": [{"features": [1, null]}]}',
        b'{"instances": {}}',
        b"{}",
        b"[[1, 2]]",
    ),
    *(
        b'{"instances": [{"data": {"features": {"values": [1e999, 1]}}}]}',
        b'{"instances": [{"features": [[1], 2]}]}',
        b"null",
    ),
    *(
        b'{"instances": [{"data": {"features": {"keys": [0, 99], "values": [1, 2], "shape": [2]}}}]}',
        b'{"features": [1, 2]}',
    ),
    *(
        b'{"instances": [{"data": {"features": {"keys": "ab", "values": [1, 2], "shape": "x"}}}]}',
        b'{"features": [true, 2]}',
    ),
    *(
        b"[" * 5000,
        b'{"a":' * 5000,
        b"\x0a\x23\xd7\xce\x10\0\0\0" + b"\xff" * 16,
        b"\x0a\x23\xd7\xce\xff\xff\xff\xff",
        b"\x0a\x23\xd7\xce",
    ),
    *(b'{"instances": [{"data": {"features": {"keys": [0], "values": [1], "shape": [9999999999999999999999]}}}]}',),
]
TYPES = [
    *(
        b"text/csv",
        b"text/csv;label_size=1",
        b"text/csv; label_size=99999999999",
        b"application/json",
        b"application/jsonlines",
        b"\xff",
    ),
    *(
        b"application/x-recordio-protobuf",
        b"",
        b"text/csv;charset=\xff",
        b"TEXT/CSV",
        b"text/csv;label_size=-1",
        MARK.encode(),
    ),
]
OTHERS = [
    b"",
    b"*/*",
    b"application/json",
    b"application/x-recordio-protobuf",
    b"seed",
    b"\xff",
    b"a" * 3000,
    MARK.encode(),
]
OF_INVOCATION = [
    "accept",
    "x-amzn-sagemaker-target-variant",
    "x-amzn-sagemaker-inference-id",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-target-model",
]


def _invoke_endpoint(target: Any, examples: int) -> None:
    shape = service_model("sagemaker-runtime").operation_model("InvokeEndpoint").output_shape
    headers = st.dictionaries(st.sampled_from(OF_INVOCATION), st.sampled_from(OTHERS), max_size=2)
    names = st.sampled_from([b"seed", b"seed", b"seed", b"other", b"%ff", b"..", b"%2e%2e", b"a" * 300, b"%00", b""])

    @fuzzed(examples)
    @given(names, st.sampled_from(TYPES), headers, st.sampled_from(ROWS))
    def run(name: bytes, kind: bytes, given_headers: dict[str, bytes], rows: bytes) -> None:
        encoded = {b"content-type": kind, **{name.encode(): value for name, value in given_headers.items()}}
        reply = target.sender.send("sagemaker", "POST", b"/endpoints/%b/invocations" % name, encoded, rows)
        # What an endpoint's own model fails at is its fault, not the service's.
        check(reply, "rest-json", shape, (name, kind, given_headers, rows[:200]))

    target.seed()
    target.client("sagemaker").get_waiter("endpoint_in_service").wait(EndpointName=SEED, WaiterConfig={"Delay": 1})
    run()


def test_rows_for_an_endpoint(target) -> None:
    _invoke_endpoint(target, 40)


@pytest.mark.slow
def test_rows_for_an_endpoint_at_length(target) -> None:
    _invoke_endpoint(target, 500)


def _zip(*names: str, content: bytes = b"def handler(event, context): pass\n", **entry: Any) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", entry.pop("method", zipfile.ZIP_STORED)) as opened:
        for name in names:
            info = zipfile.ZipInfo(name)
            for member, value in entry.items():
                setattr(info, member, value)
            opened.writestr(info, content)
    return archive.getvalue()


GOOD = _zip("main.py")
DIRECTORY = GOOD.index(b"PK\1\2")


def _patched(offset: int, layout: str, value: int) -> bytes:
    patched = bytearray(GOOD)
    struct.pack_into(layout, patched, offset, value)
    return bytes(patched)


ARCHIVES: dict[str, bytes | bytearray] = {
    "empty": b"",
    "text": b"not a zip",
    "no entries": _zip(),
    "cut": GOOD[:-10],
    "cut content": GOOD[20:],
    "wrong checksum": _patched(DIRECTORY + 16, "<L", 1),
    "encrypted": _patched(DIRECTORY + 8, "<H", 1),
    "encrypted in its local header": _patched(6, "<H", 1),
    "strongly encrypted": _patched(DIRECTORY + 8, "<H", 0x41),
    "unknown compression": _patched(DIRECTORY + 10, "<H", 99),
    "not deflated": _patched(DIRECTORY + 10, "<H", 8),
    "size of nothing": _patched(DIRECTORY + 24, "<L", 0xFFFFFFFF),
    "compressed size": _patched(DIRECTORY + 20, "<L", 0x7FFFFFFF),
    "offset": _patched(DIRECTORY + 42, "<L", 0x7FFFFFFF),
    "version": _patched(DIRECTORY + 6, "<H", 0xFFFF),
    "length of name": _patched(DIRECTORY + 28, "<H", 0xFFFF),
    "other local name": GOOD.replace(b"main.py", b"mail.py", 1),
    "date": _patched(DIRECTORY + 14, "<H", 0),
    "bzip2": _zip("main.py", method=zipfile.ZIP_BZIP2, compress_type=zipfile.ZIP_BZIP2),
    "above": _zip("main.py", "../outside.py", "../../../../outside.py"),
    "absolute": _zip("/tmp/outside-of-the-folder.py", "main.py"),
    "only dots": _zip("..", "main.py"),
    "dot": _zip(".", "main.py"),
    "backslashes": _zip("..\\..\\outside.py", "main.py"),
    "long name": _zip("a" * 300, "main.py"),
    "long path": _zip("/".join(["a" * 200] * 40), "main.py"),
    "deep path": _zip("/".join(["a"] * 3000), "main.py"),
    "NUL": _zip("main.pyX", "a\0b").replace(b"main.pyX", b"main\0pyX"),
    "surrogate": GOOD.replace(b"main.py", b"mai\xed\xa0\x80"[:7]),
    "not UTF-8": bytearray(GOOD.replace(b"main.py", b"mai\xff.py")),
    "folder": _zip("main.py/", "main.py"),
    "file and folder": _zip("main.py", "main.py/a"),
    "twice": _zip("main.py", "main.py"),
    "link": _zip("main.py", content=b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16),
    "link to a folder": _zip("main.py", content=b"..", external_attr=(stat.S_IFLNK | 0o777) << 16),
    "device": _zip("main.py", content=b"", external_attr=(stat.S_IFCHR | 0o777) << 16),
    "pipe": _zip("main.py", content=b"", external_attr=(stat.S_IFIFO | 0o777) << 16),
    "no permissions": _zip("a/main.py", "a/", external_attr=stat.S_IFREG << 16),
    "extra field": _zip("main.py", extra=b"\x01\0\x08\0" + b"\xff" * 4),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_the_code_of_a_function(target, kind) -> None:
    code = {"ZipFile": base64.b64encode(ARCHIVES[kind]).decode()}
    made = {"FunctionName": "odd", "Runtime": "python3.11", "Handler": "main.handler", "Role": ROLE, "Code": code}
    send(target, "lambda", "CreateFunction", made)
    send(target, "lambda", "DeleteFunction", {"FunctionName": "odd"})


PATTERN: dict[str, Any] = {
    "source": ["aws.s3", {"prefix": "a"}],
    "detail": {"a": [{"numeric": [">", 1]}, {"exists": True}], "b": [1, None]},
}


def _put_rules(target: Any, examples: int) -> None:
    @fuzzed(examples)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        pattern = (
            mutated(data.draw, copy.deepcopy(PATTERN))
            if data.draw(st.booleans())
            else data.draw(st.sampled_from(STRANGE))
        )
        detail = data.draw(st.sampled_from([*STRANGE_TEXTS, '{"a": 1e999}', '{"a": "b"}', '{"a": ' + "9" * 400 + "}"]))
        send(target, "events", "PutRule", {"Name": "fuzzed", "EventPattern": to_json(pattern).decode()})
        event = {"Source": "aws.s3", "DetailType": "a", "Detail": detail}
        send(target, "events", "PutEvents", {"Entries": [event]})
        send(target, "events", "TestEventPattern", {"EventPattern": to_json(pattern).decode(), "Event": detail})

    run()


def test_patterns_of_events(target) -> None:
    _put_rules(target, 6)


@pytest.mark.slow
def test_patterns_of_events_at_length(target) -> None:
    _put_rules(target, 60)
