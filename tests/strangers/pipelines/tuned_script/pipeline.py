"""Tune a script of scikit-learn, and register the best and the second-best model."""

import os

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.parameter import CategoricalParameter
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TuningStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")

random = np.random.default_rng(11)
for part, count in (("train", 40), ("test", 200)):
    x = random.normal(0, 1, (count, 3))
    y = x @ [2, -1, 0.5] + 4 + random.normal(0, 0.3, count)
    body = "\n".join(",".join(f"{value:.6f}" for value in row) for row in np.column_stack([y, x]))
    boto3.client("s3").put_object(Bucket=bucket, Key=f"ridge/{part}/rows.csv", Body=body.encode())

instance_type = ParameterString(name="InstanceType", default_value="ml.c5.xlarge")
trainer = ModelTrainer(
    training_image=image,
    source_code=SourceCode(
        source_dir=os.path.join(os.path.dirname(os.path.abspath(__file__)), "source"),
        entry_script="train.py",
        requirements="requirements.txt",
    ),
    hyperparameters={"fit_intercept": "true"},
    compute=Compute(instance_type=instance_type, instance_count=1),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/ridge/models"),
    base_job_name="ridge",
    role=role,
    sagemaker_session=session,
)
tuner = HyperparameterTuner(
    model_trainer=trainer,
    objective_metric_name="test:mse",
    objective_type="Minimize",
    metric_definitions=[
        {"Name": "test:mse", "Regex": "test-mse: ([0-9.]+);"},
        {"Name": "train:rows", "Regex": "rows=([0-9]+)"},
    ],
    hyperparameter_ranges={"alpha": CategoricalParameter(["0.1", "10", "1000"])},
    strategy="Grid",
    max_parallel_jobs=2,
)
tune = TuningStep(
    name="Tune",
    step_args=tuner.tune(
        inputs=[
            InputData(channel_name=part, data_source=f"s3://{bucket}/ridge/{part}/", content_type="text/csv")
            for part in ("train", "test")
        ]
    ),
)


def register(place):
    builder = ModelBuilder(
        image_uri=image,
        s3_model_data_url=tune.get_top_model_s3_uri(top_k=place, s3_bucket=bucket, prefix="ridge/models"),
        role_arn=role,
        sagemaker_session=session,
    )
    return ModelStep(
        name=f"Register{place}",
        step_args=builder.register(
            model_package_group_name="Ridge",
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            description=f"place {place}",
        ),
    )


pipeline = Pipeline(
    name="TunedScript", parameters=[instance_type], steps=[tune, register(0), register(1)], sagemaker_session=session
)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    print(pipeline.start(parameters={"InstanceType": "ml.m5.large"}).arn)
