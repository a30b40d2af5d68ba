"""A Spark step that writes to S3 itself and leaves a summary, and a step that reads both."""

import json
import os

import boto3
from sagemaker.core import image_uris
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.spark.processing import PySparkProcessor
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

TEXTS = ["the cat sat on the mat", "the dog saw the cat", "a mat is a mat"]
SCORES = [("cat", 1.5), ("cat", 2.5), ("mat", 4), ("dog", None), ("cow", 9)]
HERE = os.path.dirname(os.path.abspath(__file__))

role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()
s3 = boto3.client("s3")
for number, text in enumerate(TEXTS):
    s3.put_object(Bucket=bucket, Key=f"words/texts/{number}.txt", Body=text.encode())
scores = "\n".join(["word,score", *(f"{word},{'' if score is None else score}" for word, score in SCORES)])
s3.put_object(Bucket=bucket, Key="words/scores.csv", Body=scores.encode())
s3.put_object(Bucket=bucket, Key="words/config/limits.json", Body=json.dumps({"limit": 1}).encode())


def read(name, uri, path):
    source = ProcessingS3Input(s3_uri=uri, local_path=path, s3_data_type="S3Prefix", s3_input_mode="File")
    return ProcessingInput(input_name=name, s3_input=source)


def written(name, path):
    target = ProcessingS3Output(s3_uri=f"s3://{bucket}/words/{name}", local_path=path, s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=target)


key = ParameterString(name="InputPrefix", default_value="words")
spark = PySparkProcessor(
    base_job_name="count-words",
    image_uri="173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1.3",
    role=role,
    instance_count=2,
    instance_type="ml.m5.xlarge",
    max_runtime_in_seconds=1200,
    sagemaker_session=session,
)
count = ProcessingStep(
    name="CountWords",
    step_args=spark.run(
        submit_app=os.path.join(HERE, "count_words.py"),
        inputs=[read("config", f"s3://{bucket}/words/config", "/opt/ml/processing/input/config")],
        outputs=[written("summary", "/opt/ml/processing/summary")],
        arguments=[
            "--s3_input_bucket",
            bucket,
            "--s3_input_key_prefix",
            key,
            "--s3_output_bucket",
            bucket,
            "--s3_output_key_prefix",
            "words-out",
        ],
        configuration=[{"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "1g"}}],
    ),
)
collect = ProcessingStep(
    name="Collect",
    step_args=ScriptProcessor(
        image_uri=image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1"),
        command=["python3"],
        role=role,
        instance_count=1,
        instance_type="ml.t3.medium",
        sagemaker_session=session,
    ).run(
        code=os.path.join(HERE, "collect.py"),
        inputs=[
            read(
                "summary",
                count.properties.ProcessingOutputConfig.Outputs["summary"].S3Output.S3Uri,
                "/opt/ml/processing/summary",
            ),
            read("counts", f"s3://{bucket}/words-out/counts/", "/opt/ml/processing/counts"),
        ],
        outputs=[written("collected", "/opt/ml/processing/collected")],
    ),
    depends_on=[count],
)
pipeline = Pipeline(name="Words", parameters=[key], steps=[count, collect], sagemaker_session=session)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    print(pipeline.start().arn)
