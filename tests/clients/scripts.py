"""Models with inference code, deployed by the SageMaker Python SDK, version 2: SKLearnModel, XGBoostModel, transformer.

Nothing in it is written for the local service, as in notebook.py.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from pathlib import Path

import boto3
import numpy as np
import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.serializers import JSONSerializer
from sagemaker.sklearn import SKLearnModel
from sagemaker.xgboost import XGBoostModel

BUCKET = "script-models"
ROLE = "arn:aws:iam::123456789012:role/scripts"
SCIKIT_LEARN = """
import os

import numpy as np
import sklearn
from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker

def model_fn(model_dir):
    with open(os.path.join(model_dir, "weight.txt")) as file:
        return float(file.read())

def predict_fn(data, model):
    return (np.atleast_2d(data) * model).sum(axis=1)

def output_fn(prediction, accept):
    return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
"""
XGBOOST = """
import numpy as np
import xgboost as xgb

def model_fn(model_dir):
    rows = np.array([[0.0, 1.0], [1.0, 0.0]])
    return xgb.train({"max_depth": 1}, xgb.DMatrix(rows, label=rows[:, 0]), 20)

def input_fn(body, content_type):
    import json
    return xgb.DMatrix(np.array(json.loads(body)))
"""


def upload_artifact() -> str:
    """Put an artifact without code in S3, and return its URI."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("weight.txt")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"2"))
    s3.put_object(Bucket=BUCKET, Key="artifact/model.tar.gz", Body=packed.getvalue())
    s3.put_object(Bucket=BUCKET, Key="rows/rows.json", Body=b"[[1, 2], [3, 4]]")
    return f"s3://{BUCKET}/artifact/model.tar.gz"


def main() -> None:
    """Deploy both models, and transform with the first."""
    session = sagemaker.Session(default_bucket=BUCKET)
    artifact = upload_artifact()
    common = {"model_data": artifact, "role": ROLE, "sagemaker_session": session}
    coders = {"serializer": JSONSerializer(), "deserializer": JSONDeserializer()}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("sklearn_script.py", SCIKIT_LEARN), ("xgboost_script.py", XGBOOST)):
            Path(folder, name).write_text(text)
        first = SKLearnModel(entry_point=f"{folder}/sklearn_script.py", framework_version="1.2-1", **common)
        second = XGBoostModel(
            entry_point="xgboost_script.py",
            source_dir=folder,
            framework_version="1.7-1",
            image_uri=sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1").replace(
                "1.7-1", "3.2-0"
            ),
            **common,
        )
        predictor = first.deploy(initial_instance_count=1, instance_type="ml.m5.large", **coders)
        assert predictor.predict([[1, 2], [3, 4]]) == [6.0, 14.0]
        predictor.delete_endpoint()
        predictor = second.deploy(initial_instance_count=1, instance_type="ml.m5.large", **coders)
        assert np.allclose(predictor.predict([[1, 0], [0, 1]]), [1, 0], atol=0.05)
        predictor.delete_endpoint()
        transformer = first.transformer(
            instance_count=1, instance_type="ml.m5.large", output_path=f"s3://{BUCKET}/out", accept="application/json"
        )
        transformer.transform(f"s3://{BUCKET}/rows/", content_type="application/json", wait=True, logs=False)
        answer = boto3.client("s3").get_object(Bucket=BUCKET, Key="out/rows.json.out")["Body"].read()
        assert json.loads(answer) == [6.0, 14.0]
    print("SKLearnModel, XGBoostModel and transformer of version 2 serve scripts")


if __name__ == "__main__":
    main()
