"""One processing step that tunes by itself, and a condition on what it found."""

import json
import os
import time

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.conditions import ConditionLessThan
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
region, bucket = session.boto_region_name, session.default_bucket()
base = f"s3://{bucket}/nested"
name = f"nested-{int(time.time())}"

random = np.random.default_rng(5)
for part in ("train", "validation"):
    x = random.uniform(-1, 1, (150, 2))
    y = x[:, 0] * x[:, 1] * 10 + random.normal(0, 0.1, 150)
    body = "\n".join(",".join(f"{value:.5f}" for value in row) for row in np.column_stack([y, x]))
    boto3.client("s3").put_object(Bucket=bucket, Key=f"nested/{part}/rows.csv", Body=body.encode())

processor = ScriptProcessor(
    image_uri=image_uris.retrieve("sklearn", region, version="1.2-1"),
    command=["python3"],
    instance_type="ml.t3.medium",
    instance_count=1,
    role=role,
    sagemaker_session=session,
)
report = PropertyFile(name="Best", output_name="best", path="best.json")
tune = ProcessingStep(
    name="TuneWithinAJob",
    step_args=processor.run(
        code="tune.py",
        arguments=[
            "--region",
            region,
            "--role",
            role,
            "--image",
            image_uris.retrieve("xgboost", region, version="3.2-0"),
            "--train",
            base,
            "--output",
            f"{base}/models",
            "--name",
            name,
        ],
        outputs=[
            ProcessingOutput(
                output_name="best",
                s3_output=ProcessingS3Output(
                    s3_uri=f"{base}/best", local_path="/opt/ml/processing/best", s3_upload_mode="EndOfJob"
                ),
            )
        ],
    ),
    property_files=[report],
)
rmse = JsonGet(step_name=tune.name, property_file=report, json_path="best.rmse")
worse = FailStep(name="TooBad", error_message=Join(on="", values=["RMSE ", rmse]))
check = ConditionStep(
    name="Check", conditions=[ConditionLessThan(left=rmse, right=3.0)], if_steps=[], else_steps=[worse]
)
pipeline = Pipeline(name="NestedTuning", steps=[tune, check], sagemaker_session=session)

if __name__ == "__main__":
    # The session without the pipeline's context, as notebooks use both.
    assert Session().default_bucket() == bucket
    definition = json.loads(pipeline.definition())
    assert [step["Name"] for step in definition["Steps"]] == ["TuneWithinAJob", "Check"]
    pipeline.upsert(role_arn=role)
    print(pipeline.start().arn)
