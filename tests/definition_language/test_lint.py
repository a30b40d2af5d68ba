from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definition_language.lint import check
from tests.local.interpreter.documents import (
    DEFINITIONS,
    TRUE,
    compare,
    condition,
    definition,
    fail,
    function,
    get,
    join,
    json_get,
    parameter,
    processing,
)

ROOT = Path(__file__).resolve().parents[2]
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


def faults(*steps, **members) -> list[str]:
    return check(json.loads(definition(*steps, **members))).faults


@pytest.mark.parametrize("name", ["sdk_v2.json", "sdk_v3.json"])
def test_a_definition_that_the_sdk_wrote_has_no_fault(name) -> None:
    assert check(json.loads((DEFINITIONS / name).read_text())).faults == []


@pytest.mark.parametrize(
    ("path", "is_fault"),
    [
        ("/opt/ml/model", True),
        ("/opt/ml/processing/../model", True),
        (join("/", "/opt/ml", "model"), True),
        (join("/", "/opt/ml/processing", get("Execution.PipelineExecutionId")), False),
        ("/opt/ml/processing/model", False),
    ],
)
def test_local_paths_of_a_processing_step_begin_as_sagemaker_wants_them(path, is_fault) -> None:
    source = {"S3Uri": "s3://bucket/key", "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    output = {"S3Uri": "s3://bucket/key", "LocalPath": path, "S3UploadMode": "EndOfJob"}
    arguments = {
        "ProcessingInputs": [{"InputName": "in", "S3Input": source}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
    }
    found = faults(processing("Fit", arguments=arguments))
    assert all("must begin with /opt/ml/processing/" in fault for fault in found)
    places = ["ProcessingInputs[0].S3Input.LocalPath", "ProcessingOutputConfig.Outputs[0].S3Output.LocalPath"]
    assert [fault.split(": ")[1] for fault in found] == [f"Arguments.{place}" for place in places if is_fault]


def test_an_unused_parameter_and_a_step_that_cannot_be_checked_are_remarks() -> None:
    cluster = {"Name": "Cluster", "Type": "EMR", "Arguments": {"ClusterId": "j-1"}}
    report = check(json.loads(definition(cluster, parameters=[parameter("Idle", "String")])))
    assert report.faults == []
    assert report.remarks == [
        "parameter Idle is declared and not used",
        "Cluster: the arguments of a EMR step are not checked",
    ]


def test_condition_steps_that_aws_is_said_to_refuse_are_remarks() -> None:
    inner = condition("Inner", TRUE, then=[fail("Stop")])
    after = fail("After", DependsOn=["Outer", "Stop"])
    assert check(json.loads(definition(condition("Outer", TRUE, otherwise=[inner]), after))).remarks == [
        "Inner: a condition step within Outer: AWS documents that this is not supported",
        "After: it depends on the condition step Outer, which users report that AWS refuses",
    ]


def test_a_parameter_without_a_type_is_a_text() -> None:
    step = processing("Make", arguments={"Environment": {"A": get("Parameters.Source")}})
    assert faults(step, parameters=[{"Name": "Source"}]) == []
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": get("Parameters.Source")}}
    (fault,) = faults(processing("Make", arguments=limit), parameters=[{"Name": "Source"}])
    assert "Invalid type for parameter StoppingCondition.MaxRuntimeInSeconds" in fault


@pytest.mark.parametrize("document", [None, [], "x", {}, {"Version": "2020-12-01"}, {"Version": 1, "Steps": [1]}])
def test_what_is_no_definition_is_told(document) -> None:
    assert check(document).faults


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([fail("A", get("Steps.Gone.X"))], "A: 'Steps.Gone.X' refers to a step that does not exist"),
        ([fail("A", get("Parameters.Gone"))], "parameter Gone is used and not declared"),
        ([fail("A", get("Execution.Region"))], "A: 'Execution.Region' is not a variable of an execution"),
        ([fail("A", get("Elsewhere.X"))], "A: Get 'Elsewhere.X'"),
        ([fail("A", {"Std:Join": ["a"]})], "A: Std:Join takes On and Values"),
        ([processing("M"), fail("A", get("Steps.M.Nome"))], "DescribeProcessingJob returns no member of that name"),
        ([processing("M"), fail("A", json_get("M", "F", "a"))], "M has no such property file"),
        ([function("F", ARN), fail("A", get("Steps.F.OutputParameters['b']"))], "the output parameters of F are none"),
        ([fail("A", DependsOn=["Gone"])], "A: it depends on 'Gone', a step that does not exist"),
        ([fail("A", DependsOn=["B"]), fail("B", DependsOn=["A"])], "steps wait for each other"),
        (
            [condition("G", compare("Equals", get("Steps.In.ErrorMessage"), "x"), then=[fail("In")])],
            "steps wait for each other",
        ),
        ([condition("G", TRUE, then=[fail("Same")]), fail("Same")], "Same: two steps have this name"),
        ([processing("M", CacheConfig={"Enabled": True, "ExpireAfter": "12h"})], "M: CacheConfig: ExpireAfter: '12h'"),
        ([processing("M", CacheConfig={"Enabled": True})], "M: CacheConfig: ExpireAfter is missing"),
        ([{"Name": "A", "Type": "Nonsense"}], "A: there is no step of type 'Nonsense'"),
        ([fail("A", DisplayName="two\nlines")], "A: DisplayName: 'two\\nlines' does not match .*"),
        (
            [processing("M", arguments={"AppSpecification": {"ImageUri": join("\n", "a", "b")}})],
            "M: Arguments.AppSpecification.ImageUri: 'a\\nb' does not match .* (it holds a line break)",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(steps, expected) -> None:
    found = faults(*steps)
    assert any(expected in fault for fault in found), found


def places(value, path=()):
    yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(child, (*path, key))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(["", "Steps.x"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["Get", "Std:Join", "Name", "Type", "On", "Values", "a"]), inner, max_size=3),
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_whatever_stands_anywhere_in_a_definition_is_reported_on(data) -> None:
    document = json.loads((DEFINITIONS / data.draw(st.sampled_from(["sdk_v2.json", "sdk_v3.json"]))).read_text())
    *path, last = data.draw(st.sampled_from([place for place in places(document) if place]))
    parent = document
    for key in path:
        parent = parent[key]
    parent[last] = data.draw(JSON)
    check(document)


def run(argument: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    code = (
        "import runpy, sys; runpy.run_module('scripts.lint_definition', run_name='__main__', alter_sys=True)"
        if text is None
        else "import sys; sys.modules['sagemaker'] = sys.modules['boto3'] = None; import runpy;"
        "runpy.run_module('scripts.lint_definition', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, argument],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_every_fault_and_needs_neither_the_sdk_nor_boto3() -> None:
    good = run("-", definition(fail("A")))
    assert (good.returncode, good.stdout) == (0, "-: no fault\n"), good.stderr
    bad = run("-", definition(fail("A", get("Steps.Gone.X")), fail("B", DependsOn=["Gone"])))
    assert bad.returncode == 1
    assert "refers to a step that does not exist" in bad.stdout
    assert bad.stdout.endswith("-: 2 faults\n")


def test_the_command_tells_what_it_cannot_read(tmp_path) -> None:
    (tmp_path / "definition.json").write_text("{")
    (tmp_path / "latin.json").write_bytes(b'"\xe9"')
    for name in ("definition.json", "latin.json", "missing.json"):
        result = run(str(tmp_path / name))
        assert (result.returncode, result.stdout) == (2, "")
        assert name in result.stderr
        assert "Traceback" not in result.stderr
    assert run("-", "[" * 100_000).returncode == 2
