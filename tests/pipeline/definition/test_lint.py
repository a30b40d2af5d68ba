from __future__ import annotations

from typing import Any

import pytest

from pipeline.definition.lint import lint


def step(definition: dict[str, Any], name: str) -> dict[str, Any]:
    return next(step for step in definition["Steps"] if step["Name"] == name)


def test_the_projects_definition_has_no_fault(definition) -> None:
    assert lint(definition) == []


def _bad_strategy(definition) -> None:
    step(definition, "TuneFold1")["Arguments"]["HyperParameterTuningJobConfig"]["Strategy"] = "Foo"


def _continuous_grid(definition) -> None:
    ranges = step(definition, "TuneFold1")["Arguments"]["HyperParameterTuningJobConfig"]["ParameterRanges"]
    ranges["ContinuousParameterRanges"] = [{"Name": "wd", "MinValue": "0", "MaxValue": "1"}]


def _grid_without_limit(definition) -> None:
    limits = step(definition, "TuneFold1")["Arguments"]["HyperParameterTuningJobConfig"]["ResourceLimits"]
    del limits["MaxNumberOfTrainingJobs"]


def _default_outside_enum(definition) -> None:
    next(p for p in definition["Parameters"] if p["Name"] == "ModelApprovalStatus")["DefaultValue"] = "Maybe"


def _undeclared_parameter(definition) -> None:
    step(definition, "MakeFolds")["Arguments"]["Environment"] = {"A": {"Get": "Parameters.Nowhere"}}


def _unused_parameter(definition) -> None:
    definition["Parameters"].append({"Name": "Idle", "Type": "String", "DefaultValue": "x"})


def _illegal_name(definition) -> None:
    step(definition, "MakeFolds")["Name"] = "Make Folds"


def _number_in_environment(definition) -> None:
    step(definition, "MakeFolds")["Arguments"]["Environment"] = {"A": 1}


def _number_as_argument(definition) -> None:
    step(definition, "MakeFolds")["Arguments"]["AppSpecification"]["ContainerArguments"].append(5)


def _long_argument(definition) -> None:
    step(definition, "MakeFolds")["Arguments"]["AppSpecification"]["ContainerArguments"].append("x" * 257)


def _missing_property_file(definition) -> None:
    step(definition, "SelectBest")["PropertyFiles"] = []


def _property_file_of_no_output(definition) -> None:
    step(definition, "SelectBest")["PropertyFiles"][0]["OutputName"] = "worst"


def _reference_to_no_step(definition) -> None:
    arguments = step(definition, "MakeFolds")["Arguments"]["AppSpecification"]["ContainerArguments"]
    arguments.append({"Get": "Steps.Nobody.ProcessingJobName"})


def _execution_id_in_cache_key(definition) -> None:
    arguments = step(definition, "MakeFolds")["Arguments"]["AppSpecification"]["ContainerArguments"]
    arguments.append({"Get": "Execution.PipelineExecutionId"})


def _unknown_member(definition) -> None:
    step(definition, "MakeFolds")["Arguments"]["AppSpecification"]["Image"] = "x"


def _join_within_join(definition) -> None:
    (item,) = step(definition, "SelectBest")["Arguments"]["ProcessingInputs"][:1]
    item["S3Input"]["S3Uri"] = {"Std:Join": {"On": "/", "Values": [{"Std:Join": {"On": "", "Values": ["s3://a"]}}]}}


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_bad_strategy, "TuneFold1: Arguments.HyperParameterTuningJobConfig.Strategy: 'Foo' is not one of"),
        (_continuous_grid, "TuneFold1: a grid takes categorical ranges only"),
        (_grid_without_limit, "TuneFold1: MaxNumberOfTrainingJobs is None and the grid has 12 points"),
        (_default_outside_enum, "parameter ModelApprovalStatus: its default 'Maybe' is not one of"),
        (_undeclared_parameter, "parameter Nowhere is used and not declared"),
        (_unused_parameter, "parameter Idle is declared and not used"),
        (_illegal_name, "Make Folds: a step's name has letters, digits and hyphens"),
        (_number_in_environment, "MakeFolds: Arguments: Invalid type for parameter Environment.A"),
        (_number_as_argument, "MakeFolds: Arguments: Invalid type for parameter AppSpecification.ContainerArguments"),
        (_long_argument, "ContainerArguments[10]: 257 characters; SageMaker takes 256"),
        (_missing_property_file, "SelectBest has no such property file"),
        (_property_file_of_no_output, "SelectBest: the property file's output 'worst' is not one of its outputs"),
        (_reference_to_no_step, "'Steps.Nobody.ProcessingJobName' refers to a step that does not exist"),
        (_execution_id_in_cache_key, "no later execution would find the step in the cache"),
        (_join_within_join, "SelectBest: a Std:Join is nested in a Std:Join"),
        (_unknown_member, "MakeFolds: Arguments: Unknown parameter in AppSpecification"),
    ],
)
def test_what_the_sdk_lets_pass_is_found(definition, spoil, expected) -> None:
    spoil(definition)
    assert any(expected in fault for fault in lint(definition)), lint(definition)
