"""A FrameworkProcessor with a folder of code and requirements, then the same again on its own output."""

import os

import boto3
from sagemaker.core import image_uris
from sagemaker.core.processing import FrameworkProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

HERE = os.path.dirname(os.path.abspath(__file__))
role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()
for folder in ("a", "a/b"):
    body = "".join(f"{number}\t{number * number}\n" for number in range(10 if folder == "a" else 5))
    boto3.client("s3").put_object(Bucket=bucket, Key=f"frames/raw/{folder}/rows.tsv", Body=body.encode())

processor = FrameworkProcessor(
    image_uri=image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1"),
    command=["python3"],
    instance_type="ml.m5.large",
    instance_count=1,
    base_job_name="summarise",
    code_location=f"s3://{bucket}/frames",
    env={"MODE": "quiet"},
    role=role,
    sagemaker_session=session,
)
report = PropertyFile(name="Summary", output_name="summary", path="summary.json")
summarise = ProcessingStep(
    name="Summarise",
    step_args=processor.run(
        code="summarise.py",
        source_dir=os.path.join(HERE, "source"),
        requirements="requirements.txt",
        inputs=[
            ProcessingInput(
                input_name="raw",
                s3_input=ProcessingS3Input(
                    s3_uri=f"s3://{bucket}/frames/raw/",
                    local_path="/opt/ml/processing/input/raw",
                    s3_data_type="S3Prefix",
                    s3_input_mode="File",
                ),
            )
        ],
        outputs=[
            ProcessingOutput(
                output_name="summary",
                s3_output=ProcessingS3Output(
                    s3_uri=f"s3://{bucket}/frames/summary",
                    local_path="/opt/ml/processing/output",
                    s3_upload_mode="EndOfJob",
                ),
            )
        ],
        arguments=["--column", "1"],
    ),
    property_files=[report],
)
# A step that always fails says in its message what the property file holds.
tell = FailStep(
    name="Tell",
    error_message=Join(
        on=" ",
        values=[
            "rows",
            JsonGet(step_name="Summarise", property_file=report, json_path="rows"),
            "median",
            JsonGet(step_name="Summarise", property_file=report, json_path="quartiles[1]"),
        ],
    ),
)
pipeline = Pipeline(name="Frames", steps=[summarise, tell], sagemaker_session=session)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    print(pipeline.start().arn)
