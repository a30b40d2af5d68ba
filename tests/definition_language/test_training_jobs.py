"""What SageMaker refuses about a training job, found in requests and in definitions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from definition_language.lint import check
from definition_language.training_jobs import training_job_faults
from tests.definition_language.refused_training import ACCEPTED, CLUSTER, REFUSED, REFUSED_PROFILER
from tests.local.interpreter.documents import definition

TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/SageMaker",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
    "ResourceConfig": CLUSTER,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
CONFIG = {"Strategy": "Bayesian", "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 1}}


@pytest.mark.parametrize(("changes", "message"), [*REFUSED, REFUSED_PROFILER])
def test_a_refused_job_has_one_fault(changes: dict[str, Any], message: str) -> None:
    (fault,) = training_job_faults(TRAINING | changes)
    assert message in fault


@pytest.mark.parametrize("changes", ACCEPTED)
def test_a_job_that_may_be_accepted_has_none(changes: dict[str, Any]) -> None:
    assert list(training_job_faults(TRAINING | changes)) == []


def test_instances_of_tuning_are_named_once() -> None:
    several = {"InstanceConfigs": [{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}]}
    tuned = {name: value for name, value in TRAINING.items() if name != "ResourceConfig"}
    assert list(training_job_faults(tuned | {"HyperParameterTuningResourceConfig": several})) == []
    (fault,) = training_job_faults(tuned | {"HyperParameterTuningResourceConfig": several | CLUSTER})
    assert fault == "InstanceType or InstanceCount cannot be specified with InstanceConfigs"


def test_a_definitions_steps_are_checked() -> None:
    changes, message = REFUSED[0]
    training = {"Name": "Train", "Type": "Training", "Arguments": TRAINING | changes}
    arguments = {"HyperParameterTuningJobConfig": CONFIG, "TrainingJobDefinition": TRAINING | changes}
    tuning = {"Name": "Tune", "Type": "Tuning", "Arguments": arguments}
    assert check(json.loads(definition(training, tuning))).faults == [
        f"Train: Arguments: {message}",
        f"Tune: Arguments: {message}",
    ]
