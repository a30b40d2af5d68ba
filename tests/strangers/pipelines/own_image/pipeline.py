"""Train with an image of one's own, create and register its model, predict a batch, and tune it."""

import os

import boto3
from sagemaker.core.shapes import MetricDefinition, OutputDataConfig
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()
account = boto3.client("sts").get_caller_identity()["Account"]
image = f"{account}.dkr.ecr.{session.boto_region_name}.amazonaws.com/line-fit:latest"
s3 = boto3.client("s3")
points = "".join(f"{3 * x * x - 2 + (-1) ** x * 0.5},{x}\n" for x in range(1, 21))
s3.put_object(Bucket=bucket, Key="line/training/points.csv", Body=points.encode())
s3.put_object(Bucket=bucket, Key="line/batch/xs.csv", Body=b"1\n2\n30\n")

degree = ParameterString(name="Degree", default_value="1")
trainer = ModelTrainer(
    training_image=image,
    hyperparameters={"degree": degree},
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/line/models"),
    base_job_name="line-fit",
    role=role,
    sagemaker_session=session,
).with_metric_definitions([MetricDefinition(name="slope", regex="slope=([0-9.]+);")])
train = TrainingStep(
    name="FitLine",
    step_args=trainer.train(
        input_data_config=[InputData(channel_name="training", data_source=f"s3://{bucket}/line/training/")]
    ),
)
builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
    env_vars={"STAGE": "test"},
    role_arn=role,
    sagemaker_session=session,
)
create = ModelStep(name="Line", step_args=builder.build())
register = ModelStep(
    name="RegisterLine",
    step_args=builder.register(
        model_package_group_name="Lines",
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        approval_status="Approved",
    ),
)
transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_type="ml.m5.large",
    instance_count=1,
    output_path=f"s3://{bucket}/line/scored",
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=session,
)
transform = TransformStep(
    name="Score",
    step_args=transformer.transform(
        data=f"s3://{bucket}/line/batch/",
        content_type="text/csv",
        split_type="Line",
        join_source="Input",
    ),
)
pipeline = Pipeline(
    name="OwnImage", parameters=[degree], steps=[train, create, register, transform], sagemaker_session=session
)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    print(pipeline.start(parameters={"Degree": "2"}).arn)
    print(pipeline.start(parameters={"Degree": "two"}).arn)
