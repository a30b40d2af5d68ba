"""What AWS fills into descriptions, and what the SDK reads of them."""

from __future__ import annotations

from local.records import described

CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train"}},
}
TRAINING = {"OutputDataConfig": {"S3OutputPath": "s3://b/out"}, "InputDataConfig": [CHANNEL]}


def test_a_training_job_has_the_members_that_attach_reads() -> None:
    job = described.training_job({**TRAINING, "EnableManagedSpotTraining": True})
    assert job["OutputDataConfig"] == {"S3OutputPath": "s3://b/out", "KmsKeyId": "", "CompressionType": "GZIP"}
    (channel,) = job["InputDataConfig"]
    assert (channel["CompressionType"], channel["RecordWrapperType"]) == ("None", "None")
    assert channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"
    assert job["EnableManagedSpotTraining"] is True
    assert job["EnableNetworkIsolation"] is job["EnableInterContainerTrafficEncryption"] is False
    assert job["ProfilingStatus"] == "Disabled"
    # The description is a copy: what is stored stays as it was given.
    assert "CompressionType" not in CHANNEL


def test_what_a_request_gave_is_not_replaced() -> None:
    channel = CHANNEL | {"RecordWrapperType": "RecordIO"}
    output = {"S3OutputPath": "s3://b/out", "KmsKeyId": "key"}
    job = described.training_job({"OutputDataConfig": output, "InputDataConfig": [channel]})
    assert job["InputDataConfig"][0]["RecordWrapperType"] == "RecordIO"
    assert job["OutputDataConfig"]["KmsKeyId"] == "key"


def test_a_tuning_job_describes_its_training_jobs_and_the_scales_of_its_ranges() -> None:
    ranges = {
        "ContinuousParameterRanges": [{"Name": "l1", "MinValue": "0", "MaxValue": "1"}],
        "CategoricalParameterRanges": [{"Name": "loss", "Values": ["auto"]}],
    }
    record = {"HyperParameterTuningJobConfig": {"ParameterRanges": ranges}, "TrainingJobDefinition": TRAINING}
    job = described.tuning_job(record)
    config = job["HyperParameterTuningJobConfig"]
    assert config["TrainingJobEarlyStoppingType"] == "Off"
    assert config["ParameterRanges"]["ContinuousParameterRanges"][0]["ScalingType"] == "Auto"
    assert config["ParameterRanges"]["CategoricalParameterRanges"] == ranges["CategoricalParameterRanges"]
    assert job["TrainingJobDefinition"]["OutputDataConfig"]["KmsKeyId"] == ""
    assert "ProfilingStatus" not in job["TrainingJobDefinition"]


def test_a_tuning_job_says_the_resources_of_its_training_jobs_as_the_sdks_attach_reads_them() -> None:
    one = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    config: dict[str, object] = {"HyperParameterTuningJobConfig": {}}
    for resources, described_as in ((one, one), ({"InstanceConfigs": [one]}, None)):
        definition = TRAINING | {"HyperParameterTuningResourceConfig": resources}
        job = described.tuning_job(config | {"TrainingJobDefinition": definition})
        assert job["TrainingJobDefinition"].get("ResourceConfig") == described_as
        assert job["TrainingJobDefinition"]["HyperParameterTuningResourceConfig"] == resources


def test_a_transform_job_has_its_filters_and_separators() -> None:
    given = {
        "DataProcessing": {"InputFilter": "$[1:]"},
        "TransformInput": {},
        "TransformOutput": {"Accept": "text/csv"},
    }
    job = described.transform_job(given)
    assert job["DataProcessing"] == {"InputFilter": "$[1:]", "OutputFilter": "$", "JoinSource": "None"}
    assert job["TransformInput"] == {"CompressionType": "None", "SplitType": "None"}
    assert job["TransformOutput"] == {"Accept": "text/csv", "AssembleWith": "None", "KmsKeyId": ""}


def test_a_processing_job_has_inputs_and_outputs_that_are_not_managed() -> None:
    job = described.processing_job(
        {
            "ProcessingInputs": [{"InputName": "a", "S3Input": {"S3Uri": "s3://b/a"}}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "o"}]},
        }
    )
    (given,) = job["ProcessingInputs"]
    assert given["AppManaged"] is False
    assert (given["S3Input"]["S3DataDistributionType"], given["S3Input"]["S3CompressionType"]) == (
        "FullyReplicated",
        "None",
    )
    assert job["ProcessingOutputConfig"]["Outputs"] == [{"OutputName": "o", "AppManaged": False}]


def test_a_model_names_its_mode_and_source() -> None:
    container = {"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}
    model = described.model({"PrimaryContainer": container})
    assert model["PrimaryContainer"]["Mode"] == "SingleModel"
    assert model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["CompressionType"] == "Gzip"
    packages = {"Containers": [{"ModelPackageName": "p"}]}
    assert described.model(packages) == packages
