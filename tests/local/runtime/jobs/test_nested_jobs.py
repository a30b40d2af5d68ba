"""Jobs that start jobs of their own and wait for them, as many at once as may run."""

from __future__ import annotations

import json

import pytest

from local.interpreter.schedule import StepSlots
from tests.local.interpreter.conftest import Pipelines
from tests.local.interpreter.documents import processing
from tests.local.runtime.jobs.conftest import Jobs, processing_input, training_request

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("rows")]

TUNE = """
import boto3, json, os, sys, time
client = boto3.Session(region_name=os.environ["AWS_REGION"]).client("sagemaker")
name = sys.argv[1]
request = json.load(open("/opt/ml/processing/input/code/request.json"))
client.create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **request)
while True:
    found = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    if found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
        break
    time.sleep(0.1)
sys.exit(0 if found["TrainingJobStatusCounters"]["Completed"] == 2 else 3)
"""


def tuning() -> str:
    training = training_request("unused")
    members = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "StoppingCondition")
    request = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:mse"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "l1", "Values": ["0.001", "0.1"]}]},
            # Each training job has a program of its own, in a pool of threads.
            "TrainingJobEarlyStoppingType": "Auto",
        },
        "TrainingJobDefinition": {member: training[member] for member in (*members, "ResourceConfig")}
        | {"StaticHyperParameters": {"predictor_type": "regressor", "mini_batch_size": "100", "epochs": "2"}},
    }
    return json.dumps(request)


def test_as_many_outer_jobs_as_slots_wait_for_tuning_jobs_of_their_own(jobs: Jobs) -> None:
    pipelines = Pipelines(jobs.service)
    runner = pipelines.parts.executions
    # Two of the four outer jobs run at once: all that may run wait for inner ones.
    runner._slots = StepSlots(1)
    jobs.put("nested/tune.py", TUNE)
    folder = "/opt/ml/processing/input/code"
    inputs = [processing_input("code", jobs.put("nested/request.json", tuning()).rpartition("/")[0], folder)]
    command = ("python3", f"{folder}/tune.py")
    steps = [processing(f"Outer{n}", *command, f"inner-{n}", arguments={"ProcessingInputs": inputs}) for n in range(4)]
    outcome = pipelines.run(*steps)
    assert set(outcome.statuses().values()) == {"Succeeded"}, outcome.steps
    listed = jobs.call("ListTrainingJobs", NameContains="inner-")["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in listed] == ["Completed"] * 8
