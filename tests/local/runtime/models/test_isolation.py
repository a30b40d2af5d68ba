"""Models with EnableNetworkIsolation, which programs here would not have."""

from __future__ import annotations

from tests.local.runtime.models.conftest import BUCKET, IN_MODEL, ROLE, SCIKIT_LEARN, SCRIPT, Serving, archive

REFUSED = "the model's EnableNetworkIsolation is not implemented by the local service for your own code"


def _model(serving: Serving) -> str:
    artifact = serving.put(archive({"code/inference.py": SCRIPT, "weight.txt": "2"}))
    container = {"Image": SCIKIT_LEARN, "ModelDataUrl": artifact, "Environment": IN_MODEL}
    serving.sagemaker.create_model(
        ModelName="isolated", ExecutionRoleArn=ROLE, PrimaryContainer=container, EnableNetworkIsolation=True
    )
    return "isolated"


def test_neither_endpoints_nor_batch_transform_serve_an_isolated_model(serving: Serving) -> None:
    model = _model(serving)
    serving.sagemaker.create_endpoint(EndpointName="isolated", EndpointConfigName=serving.config(model))
    serving.service.parts.objects.write(f"s3://{BUCKET}/isolated/rows.csv", b"1,2\n")
    serving.sagemaker.create_transform_job(
        TransformJobName="isolated",
        ModelName=model,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/isolated/"}},
            "ContentType": "text/csv",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out/isolated"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    endpoint = serving.settle("isolated")
    assert endpoint["EndpointStatus"] == "Failed"
    assert REFUSED in endpoint["FailureReason"]

    store = serving.service.parts.store
    assert store.wait_until(lambda: store.get("transform-job", "isolated")["TransformJobStatus"] == "Failed", 60)
    assert REFUSED in serving.sagemaker.describe_transform_job(TransformJobName="isolated")["FailureReason"]
