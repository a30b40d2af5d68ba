"""Tuning jobs over the user's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.core.errors import ServiceError
from local.runtime.jobs import log
from tests.local.runtime.jobs.conftest import Jobs, tuning_request
from tests.local.runtime.jobs.own_image import IMAGE, map_images, own_request, printed

LOSS = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
# A file in the way would be that of another child.
SCRIPT = """
    import json, os, time
    given = json.load(open("/opt/ml/input/config/hyperparameters.json"))
    open("/opt/ml/model/m", "x").close()
    for epoch in range(3):
        print(f"loss={float(given['alpha']) / (epoch + 1)};", flush=True)
    print(json.dumps({"given": given, "name": os.environ["TRAINING_JOB_NAME"]}))
    """


@pytest.fixture(autouse=True)
def own_image(jobs: Jobs) -> Iterator[None]:
    # A tuning job's AlgorithmSpecification has no ContainerEntrypoint.
    file = map_images(jobs, {"image": IMAGE, "entrypoint": ["python3", "/opt/ml/input/data/code/main.py"]})
    yield
    file.unlink()


def _request(jobs: Jobs, script: str = SCRIPT, **config: Any) -> dict[str, Any]:
    name = jobs.name("tune")
    specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": LOSS}
    training = own_request(name, script, jobs) | {"AlgorithmSpecification": specification}
    ranges = {"CategoricalParameterRanges": [{"Name": "alpha", "Values": ["0.9", "0.3", "0.6"]}]}
    return tuning_request(name, training, {"kind": '"ridge"'}, ranges, metric="loss", parallel=2, **config)


def test_each_child_runs_in_a_container_of_its_own(jobs: Jobs) -> None:
    request = _request(jobs)
    jobs.call("CreateHyperParameterTuningJob", **request)
    description = jobs.wait("hyper-parameter-tuning-job", request["HyperParameterTuningJobName"])
    assert description["TrainingJobStatusCounters"]["Completed"] == 3, description
    best = description["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"alpha": "0.3"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(0.1)
    name = best["TrainingJobName"]
    child = jobs.call("DescribeTrainingJob", TrainingJobName=name)
    assert {each["MetricName"] for each in child["FinalMetricDataList"]} == {"loss", "ObjectiveMetric"}
    given = {"alpha": "0.3", "kind": '"ridge"', "_tuning_objective_metric": "loss"}
    assert printed(jobs.log_lines(log.TRAINING, name)) == {"given": given, "name": name}


def test_early_stopping_stops_a_child_that_is_worse_than_the_median(jobs: Jobs) -> None:
    endless = SCRIPT + "\n    if float(given['alpha']) > 0.5: time.sleep(600)\n"
    request = _request(
        jobs,
        endless,
        ResourceLimits={"MaxParallelTrainingJobs": 1},
        TrainingJobEarlyStoppingType="Auto",
        ParameterRanges={"CategoricalParameterRanges": [{"Name": "alpha", "Values": ["0.3", "0.9"]}]},
    )
    jobs.call("CreateHyperParameterTuningJob", **request)
    description = jobs.wait("hyper-parameter-tuning-job", request["HyperParameterTuningJobName"])
    counters = description["TrainingJobStatusCounters"]
    assert (counters["Completed"], counters["Stopped"]) == (1, 1)


def test_an_objective_without_a_metric_definition_is_refused(jobs: Jobs) -> None:
    request = _request(jobs, HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "error"})
    with pytest.raises(ServiceError, match="Provide a metric in the metric definitions"):
        jobs.call("CreateHyperParameterTuningJob", **request)
