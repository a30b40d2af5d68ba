"""Two ModelTrainers over one folder of code: an entry script with hyperparameters, and a command."""

import os

import boto3
from sagemaker.core import image_uris
from sagemaker.core.shapes import MetricDefinition, OutputDataConfig, StoppingCondition
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

HERE = os.path.dirname(os.path.abspath(__file__))
role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()
for number, labels in enumerate([(1, 2, 3), (4, 5)]):
    body = "".join(f"{label},0\n" for label in labels)
    boto3.client("s3").put_object(Bucket=bucket, Key=f"means/rows/part-{number}.csv", Body=body.encode())

power = ParameterInteger(name="Power", default_value=1)
output = Join(on="/", values=["s3:/", bucket, "means", ExecutionVariables.PIPELINE_EXECUTION_ID])


def train(name, depends_on=None, **changes):
    trainer = ModelTrainer(
        training_image=image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=900),
        output_data_config=OutputDataConfig(s3_output_path=output),
        # The code's place in S3 ends with the second: of two trainers of one name, the later one may replace the other's.
        base_job_name=f"means-{name}",
        environment={"STAGE": name},
        role=role,
        sagemaker_session=session,
        **changes,
    ).with_metric_definitions([MetricDefinition(name="mean", regex="mean=([0-9.]+);")])
    arguments = trainer.train(
        input_data_config=[InputData(channel_name="train", data_source=f"s3://{bucket}/means/rows/")]
    )
    return TrainingStep(name=name, step_args=arguments, depends_on=depends_on)


source = os.path.join(HERE, "source")
script = train(
    "EntryScript",
    source_code=SourceCode(source_dir=source, entry_script="main.py"),
    hyperparameters={"power": power.to_string(), "note": "two words"},
)
command = train(
    "Command",
    [script],
    source_code=SourceCode(source_dir=source, command="python main.py --power 3 --model-dir /opt/ml/model"),
)
pipeline = Pipeline(name="Means", parameters=[power], steps=[script, command], sagemaker_session=session)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    print(pipeline.start(parameters={"Power": 2}).arn)
