"""Values of an execution's parameters, before it starts. SageMaker accepts most of them, and the last steps do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.loading import load_config
from pipeline.definition.parameter_descriptions import descriptions
from pipeline.errors import UserError
from pipeline.operate.parameter_values import check_values, with_parameters

ROOT = Path(__file__).resolve().parents[3]


def given(**values: str):
    return [{"Name": name, "Value": value} for name, value in values.items()]


@pytest.fixture(scope="module")
def classes():
    """A configuration whose objective is the AUC, so that the limit has its other name and direction."""
    return load_config(ROOT / "examples/loans-xgboost.yaml")


@pytest.mark.parametrize("value", ["?", ""])
def test_no_parameter_takes_any_text(config, value) -> None:
    for name in descriptions(config):
        with pytest.raises(UserError, match=rf"^Parameter {name}: .*\.$"):
            check_values(config, given(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ProcessingInstanceCount", "0", "a number of at least 1 is expected, not '0'"),
        ("EndpointInstanceCount", "0", "a number of at least 1 is expected, not '0'"),
        ("EndpointInstanceCount", "-1", "a number of at least 1 is expected, not '-1'"),
        ("EndpointInstanceCount", "101", "a number of at most 100 is expected, not '101'"),
        ("EndpointInstanceCount", "1.5", "a whole number is expected, not '1.5'"),
        ("TrainingInstanceType", "ml.t2.medium", "'ml.t2.medium' is not an instance type that SageMaker offers here"),
        ("EndpointInstanceType", "m5.large", "'m5.large' is not an instance type that SageMaker offers here"),
        ("ModelApprovalStatus", "Maybe", "'Approved', 'PendingManualApproval' or 'Rejected' is expected, not 'Maybe'"),
        ("MaxMse", "much", "a number is expected, not 'much'"),
        ("MaxMse", "-4e7", "a number above 0 is expected, not '-4e7'"),
        ("MaxMse", "nan", "a finite number is expected, not 'nan'"),
        ("MaxMseAppliesTo", "UpperEnd", "UpperEnd has no effect without quality.limit"),
        ("InputDataUri", "data/rows.csv", "'data/rows.csv' is not an S3 URI, for example s3://bucket/prefix/"),
        ("EndpointName", "x" * 64, f"'{'x' * 64}' has 64 characters; AWS allows 63"),
    ],
)
def test_a_value_is_checked_as_the_key_for_which_it_stands(configure, name, value, reason) -> None:
    with pytest.raises(UserError) as error:
        check_values(configure(quality={"max_mse": None}), given(**{name: value}))
    assert str(error.value) == f"Parameter {name}: {reason}."


@pytest.mark.parametrize("name", ["foo", "Insurance-cross-validation", "my-insurance-cross-validation"])
def test_an_endpoints_name_begins_with_the_configured_one(config, name) -> None:
    begins = r"must begin with deploy\.endpoint_name, insurance-cross-validation:"
    with pytest.raises(UserError, match=rf"^Parameter EndpointName: '{name}' {begins}"):
        check_values(config, given(EndpointName=name))


def test_good_values_take_the_place_of_their_defaults(config) -> None:
    changed = with_parameters(
        config,
        given(
            InputDataUri="s3://lake/claims/two words.csv",
            DataVersion="2",
            EndpointName="insurance-cross-validation-trial",
            EndpointInstanceCount="3",
            TrainingInstanceType="ml.c5.xlarge",
            MaxMse="4e7",
            MaxMseAppliesTo="UpperEnd",
            ModelApprovalStatus="Rejected",
        ),
    )
    assert (changed.deploy.endpoint_name, changed.deploy.instance_count) == ("insurance-cross-validation-trial", 3)
    assert changed.tuning.instance_type == "ml.c5.xlarge"
    assert (changed.quality.given, changed.quality.applies_to) == (4e7, "UpperEnd")
    assert changed.registry.approval_status == "Rejected"
    assert changed.dataset == config.dataset


def test_a_limit_of_another_objective_is_one_of_its_values(classes) -> None:
    assert with_parameters(classes, given(QualityLimit="0.75")).quality.given == 0.75
    with pytest.raises(UserError, match=r"^Parameter QualityLimit: 1\.5 is no value of validation:auc"):
        check_values(classes, given(QualityLimit="1.5"))


@pytest.mark.parametrize("limit", ["MaxMse=1e300", "QualityLimit=-1e+300"])
def test_the_default_that_is_no_limit_may_be_given(config, classes, limit) -> None:
    name, _, value = limit.partition("=")
    chosen = config if name == "MaxMse" else classes
    assert with_parameters(chosen, given(**{name: value})) == chosen
