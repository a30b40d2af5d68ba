"""What training jobs run, and where their files go."""

from __future__ import annotations

from typing import Any

import pytest

from local.core.settings import Settings
from local.runtime.errors import JobFailedError
from local.runtime.jobs import training_kinds, training_outputs
from local.runtime.jobs.training_kinds import OwnCode
from tests.local.runtime.jobs.conftest import LINEAR_LEARNER, XGBOOST

SCRIPT = {"sagemaker_program": '"fit.py"'}
OLD_XGBOOST = XGBOOST.rpartition(":")[0] + ":1.7-1"
ENTRYPOINT = ["/bin/bash", "-c", "true"]


def _definition(image: str, hyperparameters: dict[str, str], **specification: Any) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {"TrainingImage": image} | specification,
        "HyperParameters": hyperparameters,
    }


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        (_definition(LINEAR_LEARNER, {}), "linear-learner"),
        (_definition(LINEAR_LEARNER, SCRIPT), "linear-learner"),
        (_definition(XGBOOST, {}), "XGBoost"),
        (_definition(XGBOOST, SCRIPT), None),
        (_definition(XGBOOST, {}) | {"Environment": {"SAGEMAKER_PROGRAM": "fit.py"}}, None),
        (_definition(XGBOOST, {}, ContainerEntrypoint=ENTRYPOINT), None),
        ({**_definition(XGBOOST, {}), "HyperParameters": {}, "StaticHyperParameters": SCRIPT}, None),
    ],
)
def test_xgboosts_image_is_an_algorithm_unless_it_has_a_script(
    settings: Settings, definition: dict[str, Any], name: str | None
) -> None:
    found = training_kinds.builtin(settings, definition)
    assert (found and found.name) == name


def test_an_old_version_of_an_algorithm_runs_scripts_only(settings: Settings) -> None:
    with pytest.raises(JobFailedError, match=r"only version 3\.2-0 is supported"):
        training_kinds.find(settings, _definition(OLD_XGBOOST, {}))
    found = training_kinds.find(settings, _definition(OLD_XGBOOST, SCRIPT))
    assert isinstance(found, OwnCode)
    assert found.command == ("train",)


def test_an_entrypoint_has_the_arguments_of_the_request_only(settings: Settings) -> None:
    definition = _definition(XGBOOST, {}, ContainerEntrypoint=ENTRYPOINT, ContainerArguments=["a"])
    found = training_kinds.find(settings, definition)
    assert isinstance(found, OwnCode)
    assert found.command == (*ENTRYPOINT, "a")


def test_tensorboards_files_go_where_the_sdk_looks_for_them() -> None:
    record = {"TrainingJobName": "job", "TensorBoardOutputConfig": {"S3OutputPath": "s3://bucket/board/"}}
    assert training_outputs.continuous(record) == {
        "s3://bucket/board/job/tensorboard-output": "/opt/ml/output/tensorboard"
    }
