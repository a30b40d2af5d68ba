"""The rules of XGBoost's hyperparameters, and what the lint says of a step that breaks them."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from definition_language import xgboost
from definition_language.lint import check
from definition_language.xgboost import RULES, HyperparameterError, parse
from tests.local.interpreter.documents import definition, get, parameter

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
TRAINING: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
    "RoleArn": "arn:aws:iam::123456789012:role/jobs",
}


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.default])
def test_a_default_is_valid(name: str) -> None:
    assert RULES[name].parse(RULES[name].default) is not None


def test_tunable_ranges_are_valid_values() -> None:
    for name, tunable in xgboost.TUNABLE.items():
        for value in (tunable.minimum, tunable.maximum):
            assert RULES[name].parse(str(value)) == value


@pytest.mark.parametrize("metric", xgboost.METRICS)
def test_a_metric_is_found_in_the_line_of_a_round_that_has_several(metric: str) -> None:
    line = f"[12]#011train-{metric}:0.50000#011train-x:1.0#011validation-{metric}:-1.25e-05#011validation-x:2.0"
    found = {
        name: match[1] for name, regex in xgboost.METRIC_DEFINITIONS if (match := re.match(regex, line)) is not None
    }
    assert found == {f"train:{metric}": "0.50000", f"validation:{metric}": "-1.25e-05"}


def test_aliases_are_names_too() -> None:
    assert parse({"num_round": "1", "learning_rate": "0.2", "reg_alpha": "1e-3"}) == {
        "num_round": 1,
        "eta": 0.2,
        "alpha": 0.001,
    }


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "", "0x1"])
def test_a_number_is_written_as_one(text: str) -> None:
    for name in ("eta", "num_round"):
        with pytest.raises(HyperparameterError, match=f"Hyperparameter {name}: could not parse value"):
            parse({"num_round": "1"} | {name: text})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"updater": "shotgun"}, "Tree updater should be selected from these options"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin can be selected"),
        ({"updater": "prune", "booster": "gblinear"}, "Linear updater should be one of these options"),
        ({"updater": "sync", "process_type": "update"}, "process_type 'update' can only be used with"),
        ({"eval_metric": "rmse@0.5", "objective": "reg:linear"}, "Metric 'rmse@0.5' is not supported"),
        ({"eval_metric": "error@x", "objective": "reg:linear"}, "Threshold value 't' in 'error@t' expects float input"),
        (
            {"interaction_constraints": "[[0, 1]]", "tree_method": "hist"},
            "Hyperparameter interaction_constraints: value",
        ),
        ({"interaction_constraints": "[[1, 2]]"}, "interaction_constraints can be used only when"),
        ({"monotone_constraints": "(", "tree_method": "hist"}, "monotone_constraints: could not parse value"),
        (
            {"monotone_constraints": "(2,)", "tree_method": "hist"},
            "Hyperparameter monotone_constraints: value (2,) not in",
        ),
        ({"eval_metric": "aft-nloglik", "objective": "reg:linear"}, "can only be applied for 'survival:aft' objective"),
    ],
)
def test_dependencies_are_checked_in_the_containers_words(given: dict[str, str], reason: str) -> None:
    with pytest.raises(HyperparameterError, match=re.escape(reason)):
        parse({"num_round": "1"} | given)


def _training(hyperparameters: Any, image: str = IMAGE) -> dict[str, Any]:
    arguments = copy.deepcopy(TRAINING) | {"HyperParameters": hyperparameters}
    arguments["AlgorithmSpecification"]["TrainingImage"] = image
    return {"Name": "T", "Type": "Training", "Arguments": arguments}


def _tuning(static: dict[str, Any], ranges: dict[str, list[str]], metric: str = "validation:rmse") -> dict[str, Any]:
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": metric},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {
            "CategoricalParameterRanges": [{"Name": name, "Values": values} for name, values in ranges.items()]
        },
    }
    job = copy.deepcopy(TRAINING) | {"StaticHyperParameters": static}
    return {
        "Name": "T",
        "Type": "Tuning",
        "Arguments": {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": job},
    }


def _faults(step: dict[str, Any]) -> list[str]:
    return check(json.loads(definition(step, parameters=[parameter("P", "String")]))).faults


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (_training({"num_round": "5"}), []),
        (_training({"num_round": "5", "silent": "0"}, IMAGE.replace("3.2-0", "0.90-2")), []),
        (_training({"sagemaker_program": "train.py", "epochs": "3"}), []),
        (_training({"num_round": get("Parameters.P"), "eta": "0.5"}), []),
        (_training({"eta": "0.5"}), ["T: Arguments: HyperParameters: Missing required hyperparameter: num_round"]),
        (
            _training({"num_round": get("Parameters.P"), "eta": "5"}),
            ["T: Arguments: Hyperparameter eta: 5.0 is not in [0, 1]"],
        ),
        (
            _training({"num_round": get("Parameters.P"), "epochs": "5"}),
            ["T: Arguments: HyperParameters: Extraneous hyperparameter found: epochs"],
        ),
        (_tuning({}, {"num_round": ["1", "2"]}), []),
        (_tuning({"num_round": "2"}, {"seed": ["1", "2"]}), ["the hyperparameter seed of XGBoost cannot be tuned"]),
        (
            _tuning({"num_round": "2"}, {"eta": ["0.1", "3"]}),
            ["T: Arguments: Hyperparameter eta: 3.0 is not in [0, 1]"],
        ),
        (
            _tuning({"num_round": "2"}, {"eta": ["0.1"]}, "validation:objective_loss"),
            ["validation:objective_loss is not an objective metric of XGBoost"],
        ),
    ],
)
def test_the_lint_tells_what_the_container_would_refuse(step: dict[str, Any], expected: list[str]) -> None:
    found = [fault for fault in _faults(step) if "parameter P is declared" not in fault]
    assert len(found) == len(expected), found
    for fault, part in zip(found, expected, strict=True):
        assert part in fault
