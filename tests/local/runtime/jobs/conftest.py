"""A service with a bucket, and the requests that jobs are made of."""

from __future__ import annotations

import itertools
import random
import textwrap
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.runtime.jobs import log
from tests.local.conftest import RunningService

ROLE = "arn:aws:iam::123456789012:role/jobs"
BUCKET = "jobs-bucket"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
SPARK = "173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1.3"
LINEAR_LEARNER = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
_numbers = itertools.count(1)


@dataclass
class Jobs:
    """Starts jobs and waits for them."""

    service: RunningService
    requests: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> Any:
        return self.service.parts

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.parts.sagemaker.call(operation, request)

    def name(self, prefix: str = "job") -> str:
        return f"{prefix}-{next(_numbers)}"

    def put(self, key: str, content: str) -> str:
        """Write an object of unindented text; return its URI."""
        uri = f"s3://{BUCKET}/{key}"
        self.parts.objects.write(uri, textwrap.dedent(content).encode())
        return uri

    def read(self, uri: str) -> str:
        return self.parts.objects.read(uri).decode()

    def keys(self, uri: str) -> list[str]:
        return self.parts.objects.keys(uri)

    def wait(self, kind: str, name: str, seconds: float = 60) -> dict[str, Any]:
        """Wait for a job's end; return its description."""
        member = {
            "processing-job": "ProcessingJob",
            "training-job": "TrainingJob",
            "hyper-parameter-tuning-job": "HyperParameterTuningJob",
            "transform-job": "TransformJob",
        }[kind]

        def ended() -> bool:
            return self.parts.store.get(kind, name)[f"{member}Status"] in ("Completed", "Failed", "Stopped")

        assert self.parts.store.wait_until(ended, seconds), f"{kind} {name} has not ended"
        return self.call(f"Describe{member}", **{f"{member}Name": name})

    def serve(self, model: str) -> str:
        """Create an endpoint for a model, and return its name when it is in service."""
        name = self.name("endpoint")
        variant = {"VariantName": "a", "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
        self.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
        waiter = self.service.client("sagemaker").get_waiter("endpoint_in_service")
        waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        return name

    def log_lines(self, group: str, job: str) -> list[str]:
        logs = self.parts.logs
        streams = [stream for stream in logs.streams(group) if stream.startswith(f"{job}/")]
        return [event.message for stream in streams for event in logs.events(group, [stream])]

    def start_script(self, script: str, **changes: Any) -> str:
        """Start a processing job that runs a Python script; return its name."""
        name = self.name()
        code = self.put(f"code/{name}/script.py", script)
        arguments = changes.pop("arguments", None)
        request = {
            "ProcessingJobName": name,
            "RoleArn": ROLE,
            "AppSpecification": {
                "ImageUri": SCIKIT_LEARN,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
                **({"ContainerArguments": arguments} if arguments else {}),
            },
            "ProcessingInputs": [
                processing_input("code", code, "/opt/ml/processing/input/code"),
                *changes.pop("inputs", []),
            ],
            "ProcessingOutputConfig": {"Outputs": changes.pop("outputs", [])},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        request |= changes
        self.call("CreateProcessingJob", **request)
        return str(request["ProcessingJobName"])

    def run_script(self, script: str, **changes: Any) -> dict[str, Any]:
        """Run a processing job to its end; return its description."""
        return self.wait("processing-job", self.start_script(script, **changes))

    def script_log(self, name: str) -> list[str]:
        return self.log_lines(log.PROCESSING, name)


def channel(name: str, uri: str, data_type: str = "S3Prefix", **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": data_type, "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}} | changes


def training_request(name: str, **changes: Any) -> dict[str, Any]:
    """CreateTrainingJob for the rows that the fixture ``rows`` has put in S3."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": LINEAR_LEARNER, "TrainingInputMode": "File"},
        "HyperParameters": {"predictor_type": "regressor", "mini_batch_size": "100", "num_models": "1"},
        "InputDataConfig": [
            channel("train", f"s3://{BUCKET}/rows/train"),
            channel("validation", f"s3://{BUCKET}/rows/validation"),
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    } | changes


def tuning_request(
    name: str,
    training: dict[str, Any],
    static: dict[str, str],
    ranges: dict[str, Any],
    *,
    metric: str = "validation:mse",
    parallel: int = 4,
    **config: Any,
) -> dict[str, Any]:
    """Return a request for a grid over training jobs such as one that CreateTrainingJob would start."""
    members = (
        *("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig"),
        *("StoppingCondition", "ResourceConfig"),
    )
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": metric},
            "ResourceLimits": {"MaxParallelTrainingJobs": parallel},
            "ParameterRanges": ranges,
        }
        | config,
        "TrainingJobDefinition": {member: training[member] for member in members} | {"StaticHyperParameters": static},
    }


def processing_input(name: str, uri: str, path: str, data_type: str = "S3Prefix") -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": data_type, "S3InputMode": "File"},
    }


def processing_output(name: str, uri: str, path: str, mode: str = "EndOfJob") -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}


@pytest.fixture(scope="module")
def rows(jobs: Jobs) -> None:
    """Rows of a noisy linear function, label first, in two parts to train on and one to validate with."""
    generator = random.Random(7)
    lines = []
    for _ in range(900):
        features = [generator.uniform(-1, 1) for _ in range(3)]
        label = 3 * features[0] - 2 * features[1] + 10 + generator.gauss(0, 0.1)
        lines.append(",".join(f"{value:.6f}" for value in [label, *features]))
    for key, part in {
        "train/part-0.csv": lines[:400],
        "train/part-1.csv": lines[400:700],
        "validation/part-0.csv": lines[700:],
    }.items():
        jobs.put(f"rows/{key}", "\n".join(part) + "\n")


@pytest.fixture(scope="module")
def jobs(service: RunningService) -> Jobs:
    service.client("s3").create_bucket(Bucket=BUCKET)
    return Jobs(service)
