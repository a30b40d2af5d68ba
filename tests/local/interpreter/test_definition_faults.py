from __future__ import annotations

import contextlib
import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.core.errors import ServiceError
from local.interpreter.definition import Branch
from local.interpreter.parsing import parse
from tests.local.interpreter.documents import (
    DEFINITIONS,
    FALSE,
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

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


def faults(text: str) -> str:
    with pytest.raises(ServiceError) as caught:
        parse(text)
    assert caught.value.code == "ValidationException"
    assert caught.value.message.startswith("Unable to parse pipeline definition. ")
    return caught.value.message


@pytest.mark.parametrize("name", ["sdk_v2.json", "sdk_v3.json"])
def test_a_definition_that_the_sdk_wrote_has_no_faults(name) -> None:
    steps = parse((DEFINITIONS / name).read_text()).steps
    assert {step.type for step in steps.values()} >= {
        "Processing",
        "Tuning",
        "Condition",
        "RegisterModel",
        "Lambda",
        "Fail",
    }


def test_steps_depend_on_what_their_expressions_and_depends_on_name() -> None:
    steps = parse((DEFINITIONS / "sdk_v3.json").read_text()).steps
    assert steps["TuneFold3"].dependencies == {"MakeFolds"}
    assert steps["SelectBest"].dependencies == {f"TuneFold{fold}" for fold in range(5)}
    assert steps["RegisterModel"].dependencies == {"CheckMse", "SelectBest"}
    assert steps["RegisterModel"].branch == Branch("CheckMse", True)
    assert steps["MseTooHigh"].branch == Branch("CheckMse", False)
    assert parse((DEFINITIONS / "sdk_v2.json").read_text()).steps["Tune"].dependencies == {"Prepare", "Train"}


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "{}", '{"Version": "2020-12-01", "Steps": []}'])
def test_text_that_is_no_definition_is_refused(text) -> None:
    faults(text)


def test_a_version_before_the_first_is_refused() -> None:
    assert "2019-01-01 is older than 2020-12-01" in faults(json.dumps({"Version": "2019-01-01", "Steps": [fail("A")]}))
    parse(json.dumps({"Version": "2024-05-01", "Steps": [fail("A")]}))


def test_every_fault_is_reported_at_once() -> None:
    message = faults(
        definition(
            {"Name": "Cluster", "Type": "EMR", "Arguments": {}},
            {"Name": "Wait", "Type": "QualityCheck", "Arguments": {}},
            fail("Same"),
            fail("Same"),
            {"Name": "no spaces", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}},
            parameters=[parameter("P", "Decimal"), parameter("Q", "Integer", "one")],
        )
    )
    for expected in (
        "Step 'Cluster': steps of type 'EMR' are not implemented by the local service",
        "Step 'Wait': steps of type 'QualityCheck'",
        "Duplicate step name 'Same'",
        "'no spaces'",
        "Parameter 'P': Type must be one of String, Integer, Float, Boolean, not 'Decimal'",
        "Parameter 'Q': Value 'one' is not of type Integer",
    ):
        assert expected in message


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Parameters.Missing", "the pipeline has no parameter 'Missing'"),
        ("Execution.Region", "the execution variables are"),
        ("Steps.Missing.ProcessingJobName", "the pipeline has no step 'Missing'"),
        ("Steps.Make.ProcessingJobNome", "the response of DescribeProcessingJob has no member ProcessingJobNome"),
        ("Steps.Make.ProcessingOutputConfig.Outputs['a'].S3Output.Uri", "response of DescribeProcessingJob has no"),
        ("Steps.Make.PropertyFiles.Missing", "step 'Make' has no property file 'Missing'"),
        ("Steps.Call.OutputParameters['b']", "Lambda step 'Call' has the OutputParameters: a"),
        ("Steps.Gate.Result", "the only property of a Condition step is Outcome"),
        ("Steps.Make", "Steps.<step>.<property> is expected"),
        ("Steps.Make.a..b", "is not a path to one value"),
        ("Environment.HOME", "is expected"),
        ("PipelineExperimentConfig.TrialName", "PipelineExperimentConfig has no such member"),
        (7, "Get takes a text"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(reference, expected) -> None:
    message = faults(
        definition(
            processing("Make", outputs={"a": "s3://bucket/a"}),
            function("Call", ARN, outputs={"a": "String"}),
            condition("Gate", TRUE),
            fail("Last", {"Get": reference}),
        )
    )
    assert "Step 'Last'" in message
    assert expected in message


@pytest.mark.parametrize(
    "path",
    [
        "ProcessingOutputConfig.Outputs['a'].S3Output.S3Uri",
        "ProcessingOutputConfig.Outputs[0].S3Output.S3Uri",
        "ProcessingInputs['code'].S3Input.S3Uri",
        "Environment['NAME']",
        "FailureReason",
    ],
)
def test_properties_are_those_of_the_describe_operation(path) -> None:
    parse(definition(processing("Make", outputs={"a": "s3://bucket/a"}), fail("Last", get(f"Steps.Make.{path}"))))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Std:Join": {"On": "/", "Values": "ab"}}, "Values a list"),
        ({"Std:Join": ["a", "b"]}, "Std:Join takes On and Values"),
        ({"Std:JsonGet": {"Path": "a"}}, "Std:JsonGet takes Path with PropertyFile or S3Uri"),
        ({"Std:JsonGet": {"Path": "$..a", "S3Uri": "s3://b/k"}}, "is not a path to one value"),
        ({"Std:JsonGet": {"Path": "a[*]", "S3Uri": "s3://b/k"}}, "is not a path to one value"),
        ({"Std:JsonGet": {"Path": "a", "PropertyFile": "File"}}, "PropertyFile has to be"),
    ],
)
def test_a_malformed_expression_is_refused(expression, expected) -> None:
    assert expected in faults(definition(fail("Last", join("", "deep", expression))))


def test_a_property_file_needs_an_output_of_its_step() -> None:
    files = [{"PropertyFileName": "Scores", "OutputName": "scores", "FilePath": "scores.json"}]
    message = faults(definition(processing("Make", outputs={"a": "s3://bucket/a"}, PropertyFiles=files)))
    assert "PropertyFile 'Scores': the step has no output 'scores'" in message


def test_cycles_are_refused_with_their_steps() -> None:
    message = faults(
        definition(fail("A", get("Steps.C.ErrorMessage")), fail("B", DependsOn=["A"]), fail("C", DependsOn=["B"]))
    )
    assert "Cycle detected in the steps: " in message
    assert all(name in message.partition("Cycle")[2] for name in "ABC")


def test_a_step_of_a_branch_cannot_be_what_its_condition_waits_for() -> None:
    test = compare("Equals", get("Steps.Inner.ErrorMessage"), "x")
    assert "Cycle" in faults(definition(condition("Gate", test, then=[fail("Inner")])))


def test_depends_on_a_step_that_is_not_there_is_refused() -> None:
    assert "DependsOn: the pipeline has no step 'Nobody'" in faults(definition(fail("A", DependsOn=["Nobody"])))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"Speed": 3}, "Unknown Argument member 'Speed'"),
        ({"AppSpecification": {}}, "AppSpecification: Missing Argument member 'ImageUri'"),
        ({"Environment": ["A"]}, "Environment: Expecting start of Json Object"),
        ({"ProcessingInputs": {}}, "ProcessingInputs: Expecting start of Json Array"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": "soon"}}, "'soon' is not of type integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "greater than or equal to 1"),
        (
            {
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceType": "ml.none", "InstanceCount": 1, "VolumeSizeInGB": 1}
                }
            },
            "satisfy enum value set",
        ),
    ],
)
def test_arguments_that_the_operation_does_not_take_are_refused(arguments, expected) -> None:
    message = faults(definition(processing("Make", arguments=arguments)))
    assert "Step 'Make': Model Validation failed: " in message
    assert expected in message


def test_arguments_may_leave_out_the_name_and_the_role() -> None:
    step = processing("Make", arguments={"StoppingCondition": {"MaxRuntimeInSeconds": 600}, "Environment": {"N": "1"}})
    del step["Arguments"]["RoleArn"]
    parse(definition(step))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"StoppingCondition": {"MaxRuntimeInSeconds": "600"}}, "Value '600' is not of type integer"),
        ({"Environment": {"N": 1}}, "Environment.N: Value 1 is not of type string"),
        ({"Environment": {"N": get("Parameters.Count")}}, '{"Get": "Parameters.Count"} to argument of type [string]'),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": join("", "6", "00")}}, "'600' is not of type integer"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": join("", get("Parameters.Count"))}},
            "to argument of type [integer]",
        ),
        ({"Environment": get("Parameters.Count")}, "to argument of type [map]"),
        (
            {"Environment": {"A": get("Steps.Other.ProcessingResources.ClusterConfig.InstanceCount")}},
            "of type [string]",
        ),
        ({"Environment": {"A": get("Steps.Call.OutputParameters['rows']")}}, "of type [string]"),
        ({"Environment": {"A": join("\n", "a", "b"), "x y": "a"}}, "Map keys must satisfy regular expression pattern"),
        ({"AppSpecification": {"ImageUri": join("\n", "a", "b")}}, "Value 'a\nb' at 'appSpecification.imageUri'"),
    ],
)
def test_arguments_whose_type_or_text_is_known_to_be_wrong_are_refused(arguments, expected) -> None:
    message = faults(
        definition(
            processing("Other"),
            function("Call", ARN, outputs={"rows": "Integer"}),
            processing("Make", arguments=arguments),
            parameters=[parameter("Count", "Integer", 1)],
        )
    )
    assert expected in message


def test_expressions_of_the_right_type_are_admitted_whatever_they_will_be() -> None:
    arguments = {
        "StoppingCondition": {"MaxRuntimeInSeconds": get("Parameters.Count")},
        "Environment": {
            "A": get("Parameters.Text"),
            "B": join(" ", get("Parameters.Count"), "rows"),
            "C": get("Execution.PipelineExecutionId"),
            "D": get("Steps.Other.ProcessingJobName"),
        },
        "AppSpecification": {"ImageUri": get("Parameters.Text")},
    }
    numbers = [parameter("Count", "Integer", 1), parameter("Text", "String", "not an image")]
    parse(definition(processing("Other"), processing("Make", arguments=arguments), parameters=numbers))


def test_a_package_name_in_a_register_step_is_refused_as_by_sagemaker() -> None:
    step = {"Name": "Register", "Type": "RegisterModel", "Arguments": {"ModelPackageName": "x"}}
    assert "Unknown Argument member 'ModelPackageName'" in faults(definition(step))


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"Type": "Between", "LeftValue": 1, "RightValue": 2}, "unknown condition type 'Between'"),
        ({"Type": "Equals", "LeftValue": 1}, "Equals takes LeftValue and RightValue"),
        ({"Type": "In", "QueryValue": 1, "Values": []}, "Values must be a list that is not empty"),
        ({"Type": "Not", "Condition": {"Type": "Nor"}}, "Conditions[0].Condition: unknown condition type 'Nor'"),
        (
            {"Type": "Or", "Conditions": [TRUE, {"Type": "And"}]},
            "Conditions[0].Conditions[1]: unknown condition type 'And'",
        ),
    ],
)
def test_a_malformed_condition_is_refused(test, expected) -> None:
    assert expected in faults(definition(condition("Gate", test)))


def test_steps_in_branches_are_read_at_any_depth() -> None:
    steps = parse(
        definition(condition("Outer", TRUE, otherwise=[condition("Inner", FALSE, then=[fail("Deep")])]))
    ).steps
    assert steps["Deep"].branch == Branch("Inner", True)
    assert steps["Inner"].branch == Branch("Outer", False)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"CacheConfig": {"Enabled": True}}, "ExpireAfter is missing"),
        ({"CacheConfig": {"Enabled": True, "ExpireAfter": "soon"}}, "is not an ISO 8601 duration"),
        ({"CacheConfig": {"Enabled": "yes"}}, "Enabled (true or false)"),
        ({"RetryPolicies": [{"ExceptionType": ["Step.BAD_LUCK"]}]}, "ExceptionType must be a list of"),
        (
            {"RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": -1}]},
            "MaxAttempts must be a number",
        ),
        ({"RetryPolicies": {}}, "RetryPolicies: Expecting start of Json Array"),
        ({"Colour": "red"}, "Unknown member 'Colour'"),
    ],
)
def test_a_malformed_policy_is_refused(members, expected) -> None:
    assert expected in faults(definition(processing("Make", **members)))


def test_caching_and_retries_are_refused_where_sagemaker_has_none() -> None:
    cache = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    assert "Unknown member 'CacheConfig'" in faults(definition(fail("A", **cache)))
    assert "Unknown member 'RetryPolicies'" in faults(definition(function("A", ARN, RetryPolicies=[])))


def test_a_default_outside_the_allowed_values_is_refused() -> None:
    message = faults(definition(fail("A"), parameters=[parameter("P", "String", "c", ["a", "b"])]))
    assert "DefaultValue 'c' is not in EnumValues" in message


def test_json_get_reads_property_files_of_earlier_steps_only() -> None:
    files = [{"PropertyFileName": "Scores", "OutputName": "a", "FilePath": "scores.json"}]
    steps = parse(
        definition(
            processing("Make", outputs={"a": "s3://bucket/a"}, PropertyFiles=files),
            fail("Last", json_get("Make", "Scores", "metrics['validation:mse'][0]")),
        )
    ).steps
    assert steps["Last"].dependencies == {"Make"}


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(["", "a", "Steps.x"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["Get", "Std:Join", "Name", "Type", "On", "Values", "a"]), inner, max_size=3),
    ),
    max_leaves=4,
)


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


@cache
def sdk_definition(name):
    text = (DEFINITIONS / name).read_text()
    return text, [place for place in places(json.loads(text)) if place]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_stands_anywhere_in_a_definition_is_read_or_refused(data) -> None:
    text, all_places = sdk_definition(data.draw(st.sampled_from(["sdk_v2.json", "sdk_v3.json"])))
    *path, last = data.draw(st.sampled_from(all_places))
    document = json.loads(text)
    parent = document
    for key in path:
        parent = parent[key]
    parent[last] = data.draw(JSON)
    with contextlib.suppress(ServiceError):
        parse(json.dumps(document))


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"Version": "2020-12-01", "Steps": ['])
def test_a_bottomless_definition_is_refused(opening) -> None:
    faults(opening * 100_000)


def test_expressions_nested_without_end_are_refused() -> None:
    deep = '{"Std:Join": {"Values": [' * 1000 + '"x"' + "]}}" * 1000
    assert "nested too deeply" in faults(definition(fail("A", "DEEP")).replace('"DEEP"', deep))
