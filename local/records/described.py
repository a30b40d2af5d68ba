"""What Describe operations add to a resource: SageMaker fills in defaults that a request left out.

Clients read these members without asking whether they exist: the SDK's ``Estimator.attach`` takes
``OutputDataConfig.KmsKeyId``, which is empty without a key.

Sources: the defaults in https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html, API_DataProcessing,
API_OutputDataConfig, API_TransformInput, API_TransformOutput, API_ProcessingInput and API_ContainerDefinition;
responses in AWS's samples.
"""

from __future__ import annotations

from typing import Any

from local.storage.store import Document

_RESOURCES = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
_NETWORK = {"EnableNetworkIsolation": False, "EnableInterContainerTrafficEncryption": False}


def training_job(record: Document) -> Document:
    """Return a training job with its defaults."""
    return _training(record) | {"ProfilingStatus": "Disabled"}


def tuning_job(record: Document) -> Document:
    """Return a tuning job with the defaults of its configuration and of its training jobs."""
    config = {"TrainingJobEarlyStoppingType": "Off"} | record["HyperParameterTuningJobConfig"]
    if "ParameterRanges" in config:
        config["ParameterRanges"] = {
            name: [{"ScalingType": "Auto"} | item if name != "CategoricalParameterRanges" else item for item in items]
            if name != "AutoParameters"
            else items
            for name, items in config["ParameterRanges"].items()
        }
    definition = _training(record["TrainingJobDefinition"])
    resources = definition.get("HyperParameterTuningResourceConfig", {})
    if "InstanceType" in resources:
        # Version 2 of the SDK sends only this member, and its HyperparameterTuner.attach reads ResourceConfig.
        definition["ResourceConfig"] = {name: resources[name] for name in _RESOURCES if name in resources}
    return record | {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition}


def transform_job(record: Document) -> Document:
    """Return a batch transform job with its defaults."""
    return record | {
        "TransformInput": {"CompressionType": "None", "SplitType": "None"} | record["TransformInput"],
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": ""} | record["TransformOutput"],
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
        | record.get("DataProcessing", {}),
    }


def processing_job(record: Document) -> Document:
    """Return a processing job with the defaults of its inputs and outputs."""
    described = dict(record)
    if "ProcessingInputs" in record:
        described["ProcessingInputs"] = [_processing_input(given) for given in record["ProcessingInputs"]]
    if "ProcessingOutputConfig" in record:
        config = record["ProcessingOutputConfig"]
        outputs = [{"AppManaged": False} | given for given in config.get("Outputs", [])]
        described["ProcessingOutputConfig"] = config | {"Outputs": outputs}
    return described


def model(record: Document) -> Document:
    """Return a model whose containers name their mode and their data as a source."""
    described = dict(record)
    if "PrimaryContainer" in record:
        described["PrimaryContainer"] = _container(record["PrimaryContainer"])
    if "Containers" in record:
        described["Containers"] = [_container(given) for given in record["Containers"]]
    return described


def _training(record: Document) -> Document:
    described: Document = {"EnableManagedSpotTraining": False} | _NETWORK | record
    described["OutputDataConfig"] = {"KmsKeyId": "", "CompressionType": "GZIP"} | record["OutputDataConfig"]
    if "InputDataConfig" in record:
        described["InputDataConfig"] = [_channel(given) for given in record["InputDataConfig"]]
    return described


def _channel(given: dict[str, Any]) -> dict[str, Any]:
    described = {"CompressionType": "None", "RecordWrapperType": "None"} | given
    source = given["DataSource"].get("S3DataSource")
    if source is not None:
        distributed = {"S3DataDistributionType": "FullyReplicated"} | source
        described["DataSource"] = given["DataSource"] | {"S3DataSource": distributed}
    return described


def _processing_input(given: dict[str, Any]) -> dict[str, Any]:
    described = {"AppManaged": False} | given
    if "S3Input" in given:
        defaults = {"S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}
        described["S3Input"] = defaults | given["S3Input"]
    return described


def _container(given: dict[str, Any]) -> dict[str, Any]:
    if "ModelPackageName" in given:
        return given
    described = {"Mode": "SingleModel"} | given
    if "ModelDataUrl" in given:
        source = {"S3Uri": given["ModelDataUrl"], "S3DataType": "S3Object", "CompressionType": "Gzip"}
        described.setdefault("ModelDataSource", {"S3DataSource": source})
    return described
