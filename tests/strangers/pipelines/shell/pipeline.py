"""A shell script, then a script that lives by its working directory; the second is started a second time to fail."""

import io
import os
import tarfile

import boto3
from sagemaker.core import image_uris
from sagemaker.core.processing import Processor, ScriptProcessor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

HERE = os.path.dirname(os.path.abspath(__file__))
role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()
rows = "".join(f"row{number:02},{number * 7 % 31}\n" for number in range(20)).encode()
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as tar:
    member = tarfile.TarInfo("rows/all.csv")
    member.size = len(rows)
    tar.addfile(member, io.BytesIO(rows))
boto3.client("s3").put_object(Bucket=bucket, Key="shell/data/rows.tar.gz", Body=packed.getvalue())

mode = ParameterString(name="Mode", default_value="run", enum_values=["run", "fail"])
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1")


def read(name, uri):
    source = ProcessingS3Input(
        s3_uri=uri, local_path=f"/opt/ml/processing/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name.replace("/", "-"), s3_input=source)


def written(name):
    target = ProcessingS3Output(
        s3_uri=f"s3://{bucket}/shell/{name}", local_path=f"/opt/ml/processing/{name}", s3_upload_mode="EndOfJob"
    )
    return ProcessingOutput(output_name=name, s3_output=target)


def processor(command):
    return ScriptProcessor(
        image_uri=image,
        command=command,
        instance_type="ml.t3.medium",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    )


extract = ProcessingStep(
    name="Extract",
    step_args=processor(["/bin/bash"]).run(
        code=os.path.join(HERE, "extract.sh"),
        inputs=[read("input/data", f"s3://{bucket}/shell/data")],
        outputs=[written("output")],
        arguments=["--mode", mode],
    ),
)
listing = ProcessingStep(
    name="List",
    step_args=Processor(
        image_uri=image,
        entrypoint=["sh", "-c", "ls -A / > /opt/ml/processing/listing/root.txt; pwd; test ! -e /scratch.txt"],
        instance_type="ml.t3.medium",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    ).run(outputs=[written("listing")]),
)
summarise = ProcessingStep(
    name="Summarise",
    step_args=processor(["python3", "-u"]).run(
        code=os.path.join(HERE, "summarise.py"),
        inputs=[
            read("input/data", f"s3://{bucket}/shell/data/rows.tar.gz"),
            read("largest", extract.properties.ProcessingOutputConfig.Outputs["output"].S3Output.S3Uri),
        ],
        outputs=[written("summary")],
        arguments=[mode],
    ),
    depends_on=[listing],
)
pipeline = Pipeline(name="Shell", parameters=[mode], steps=[extract, listing, summarise], sagemaker_session=session)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    execution = pipeline.start()
    print(execution.arn)
    execution.wait(delay=1, max_attempts=300)
    print(pipeline.start(parameters={"Mode": "fail"}).arn)
