"""Records of valid requests without optional members stay when the service starts again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from local.app.server import LocalService
from local.core.settings import Settings
from local.records import completeness
from local.records.kinds import ENDPOINT, EXECUTION, PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB
from local.storage.store import Store
from tests.local.app.test_damage import function_zip
from tests.local.conftest import IMAGE, ROLE, RunningService, make_artifact

URI = "s3://bucket/model.tar.gz"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
TRANSFORM = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
SPECIFICATION = {"Containers": [{"Image": IMAGE, "ModelDataUrl": URI}]}
DEFINITION = {
    "Version": "2020-12-01",
    "Steps": [
        {
            **{"Name": "Branch", "Type": "Condition"},
            "Arguments": {
                "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
                "IfSteps": [{"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": "as wanted"}}],
            },
        },
    ],
}
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
    "StoppingCondition": {},
    "ResourceConfig": RESOURCES,
}
TUNING = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:mse"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "l1", "MinValue": "0.1", "MaxValue": "1"}]},
    },
    "TrainingJobDefinition": TRAINING,
}
VARIANT = {"VariantName": "v", "ModelName": "plain", "InstanceType": "ml.m5.large"}
SERVERLESS = {
    "VariantName": "v",
    "ModelName": "plain",
    "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
}

SHORT_LIVED = {"moto-request", "event", "asynchronous-invocation"}
"""Records of requests and work, not of resources."""

MODEL_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model/plain"
WITH_A_STATUS = (ENDPOINT, TRAINING_JOB, TUNING_JOB, TRANSFORM_JOB, PROCESSING_JOB, EXECUTION)

# Each request has the members without which it is refused, and no others.
SAGEMAKER: list[tuple[str, dict[str, Any]]] = [
    ("CreateModelPackageGroup", {"ModelPackageGroupName": "g"}),
    ("CreateModelPackage", {"ModelPackageGroupName": "g"}),
    ("CreateModelPackage", {"ModelPackageName": "empty"}),
    ("CreateModelPackage", {"ModelPackageName": "plain", "InferenceSpecification": SPECIFICATION}),
    ("CreateModel", {"ModelName": "plain", "PrimaryContainer": {"Image": IMAGE}}),
    ("CreateModel", {"ModelName": "pipeline", "Containers": [{"Image": IMAGE}, {"Image": IMAGE}]}),
    ("CreateModel", {"ModelName": "package", "PrimaryContainer": {"ModelPackageName": "plain"}}),
    ("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]}),
    ("CreateEndpointConfig", {"EndpointConfigName": "serverless", "ProductionVariants": [SERVERLESS]}),
    ("CreateEndpoint", {"EndpointName": "fails", "EndpointConfigName": "c"}),
    ("CreateTrainingJob", {"TrainingJobName": "training", **TRAINING}),
    ("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "tuning", **TUNING}),
    (
        "CreateTransformJob",
        {
            **{"TransformJobName": "transform", "ModelName": "plain", "TransformResources": TRANSFORM},
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/none"}}},
            "TransformOutput": {"S3OutputPath": "s3://bucket/output"},
        },
    ),
    (
        "CreateProcessingJob",
        {
            **{"ProcessingJobName": "processing", "RoleArn": ROLE, "AppSpecification": {"ImageUri": SCIKIT_LEARN}},
            "ProcessingResources": {"ClusterConfig": RESOURCES},
        },
    ),
    (
        "CreatePipeline",
        {
            **{"PipelineName": "p", "ClientRequestToken": "x" * 32, "RoleArn": ROLE},
            "PipelineDefinition": json.dumps(DEFINITION),
        },
    ),
    ("StartPipelineExecution", {"PipelineName": "p", "ClientRequestToken": "x" * 32}),
    ("AddTags", {"ResourceArn": MODEL_ARN, "Tags": [{"Key": "k", "Value": ""}]}),
]


def populate(service: RunningService, folder: Path) -> None:
    service.parts.objects.write(URI, make_artifact(folder, [1.0]))
    for operation, request in SAGEMAKER:
        service.parts.sagemaker.call(operation, request)
    service.client("lambda").create_function(
        FunctionName="f", Runtime="python3.11", Role=ROLE, Handler="main.handler", Code={"ZipFile": function_zip()}
    )
    assert service.parts.store.wait_until(lambda: not _under_way(service.parts.store), 30)


def _under_way(store: Store) -> bool:
    return any(not kind.has_ended(record) for kind in WITH_A_STATUS for record in store.list(kind.name))


def records(root: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(root / "records.sqlite") as database:
        return set(database.execute("SELECT kind, key FROM records"))


def test_records_without_optional_members_are_not_set_aside(tmp_path) -> None:
    root = tmp_path / ".local"
    with LocalService(Settings(root, port=0)) as running:
        populate(RunningService(running), tmp_path)
    kept = records(root)
    assert {kind for kind, _ in kept} >= set(completeness.REQUIRED) - SHORT_LIVED
    with LocalService(Settings(root, port=0)) as running:
        assert running.damaged == []
        call = RunningService(running).parts.sagemaker.call
        assert call("DescribeModelPackage", {"ModelPackageName": "plain"})["ModelPackageStatus"] == "Completed"
    assert records(root) == kept
    assert not (root / "damaged").exists()
