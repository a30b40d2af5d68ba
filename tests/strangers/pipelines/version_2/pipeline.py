"""Publish definition.json, which version 2 of the SDK wrote (write_definition.py), and the archives that it names."""

import io
import os
import re
import tarfile
from pathlib import Path

import boto3
import numpy as np
from sagemaker.mlops.workflow import _utils

HERE = Path(__file__).parent
role = os.environ["SAGEMAKER_ROLE"]
s3, sm = boto3.client("s3"), boto3.client("sagemaker")
definition = (HERE / "definition.json").read_text()
bucket = f"sagemaker-us-east-1-{boto3.client('sts').get_caller_identity()['Account']}"
s3.create_bucket(Bucket=bucket)


def archive(files):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return content.getvalue()


SOURCE = {path.name: path.read_bytes() for path in (HERE / "source").glob("*.py")}
# What version 2 adds in a RepackModel step. Version 3 brings the same script and launcher.
REPACK = {
    "_repack_model.py": Path(_utils.__file__).with_name("_repack_model.py").read_bytes(),
    "_repack_script_launcher.sh": _utils.LAUNCH_REPACK_SCRIPT_CMD.encode(),
}


for uri in sorted(set(re.findall(r's3://[^"\\]+/[\w.]+\.(?:py|tar\.gz)', definition))):
    key = uri.removeprefix(f"s3://{bucket}/")
    if key.endswith("/source/sourcedir.tar.gz"):
        body = archive(SOURCE | REPACK)
    elif key.endswith("/sourcedir.tar.gz"):
        body = archive(SOURCE)
    else:
        body = (HERE / Path(key).name).read_bytes()
    s3.put_object(Bucket=bucket, Key=key, Body=body)

random = np.random.default_rng(2)
for number in range(3):
    lines = ["sex,age,fare,survived"]
    for _ in range(100):
        sex, age, fare = random.choice(["female", "male"]), random.uniform(1, 80), random.uniform(5, 200)
        survives = (sex == "female" or age < 12) != (random.random() < 0.1)
        lines.append(f"{sex},{'' if random.random() < 0.1 else round(age, 1)},{fare:.2f},{int(survives)}")
    s3.put_object(Bucket=bucket, Key=f"titanic/input/part-{number}.csv", Body="\n".join(lines).encode())

sm.create_model_package_group(ModelPackageGroupName="Titanic")
sm.create_pipeline(PipelineName="titanic", PipelineDefinition=definition, RoleArn=role)
print(sm.start_pipeline_execution(PipelineName="titanic")["PipelineExecutionArn"])
