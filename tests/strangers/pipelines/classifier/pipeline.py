"""Classify with XGBoost from libsvm files with early stopping, and with linear-learner from CSV; take the better."""

import os

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

HERE = os.path.dirname(os.path.abspath(__file__))
role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
region, bucket = session.boto_region_name, session.default_bucket()

random = np.random.default_rng(21)
for part, count in (("train", 300), ("validation", 120)):
    x = random.normal(0, 1, (count, 4)).round(4)
    x[random.random(x.shape) < 0.2] = 0
    y = (x[:, 0] - x[:, 1] + 0.3 * x[:, 2] + random.normal(0, 0.4, count) > 0).astype(int)
    svm = ["".join([str(label), *(f" {i}:{v}" for i, v in enumerate(row) if v)]) for label, row in zip(y, x)]
    csv = [",".join(map(str, [label, *row])) for label, row in zip(y, x)]
    for kind, lines in (("libsvm", svm), ("csv", csv)):
        body = "\n".join(lines) + "\n"
        boto3.client("s3").put_object(Bucket=bucket, Key=f"classes/{kind}/{part}/part-0", Body=body.encode())
    if part == "validation":
        rows = "".join(",".join(map(str, row)) + "\n" for row in x)
        boto3.client("s3").put_object(Bucket=bucket, Key="classes/rows/rows.csv", Body=rows.encode())


def train(name, image, kind, content_type, hyperparameters):
    trainer = ModelTrainer(
        training_image=image,
        hyperparameters=hyperparameters,
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/classes/models"),
        base_job_name=name.lower(),
        role=role,
        sagemaker_session=session,
    )
    channels = [
        InputData(channel_name=part, data_source=f"s3://{bucket}/classes/{kind}/{part}", content_type=content_type)
        for part in ("train", "validation")
    ]
    return TrainingStep(name=name, step_args=trainer.train(input_data_config=channels))


xgboost_image = image_uris.retrieve("xgboost", region, version="3.2-0")
linear_image = image_uris.retrieve("linear-learner", region)
boosted = train(
    "Boosted",
    xgboost_image,
    "libsvm",
    "text/libsvm",
    {
        "objective": "binary:logistic",
        "eval_metric": "auc",
        "num_round": 200,
        "early_stopping_rounds": 5,
        "max_depth": 3,
        "eta": 0.3,
    },
)
linear = train(
    "Linear",
    linear_image,
    "csv",
    "text/csv",
    {"predictor_type": "binary_classifier", "mini_batch_size": 50, "epochs": 10, "num_models": 2, "loss": "logistic"},
)


def score(name, model):
    transformer = Transformer(
        model_name=model.properties.ModelName,
        instance_type="ml.m5.large",
        instance_count=1,
        output_path=f"s3://{bucket}/classes/scored/{name}",
        assemble_with="Line",
        sagemaker_session=session,
    )
    return TransformStep(
        name=f"Score{name}",
        step_args=transformer.transform(data=f"s3://{bucket}/classes/rows", content_type="text/csv", split_type="Line"),
    )


steps, scored = [], []
for name, step, image in (("Boosted", boosted, xgboost_image), ("Linear", linear, linear_image)):
    builder = ModelBuilder(
        image_uri=image,
        s3_model_data_url=step.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=role,
        sagemaker_session=session,
    )
    model = ModelStep(name=f"Make{name}", step_args=builder.build())
    transform = score(name, model)
    steps += [step, model, transform]
    scored.append(transform)

report = PropertyFile(name="Comparison", output_name="comparison", path="comparison.json")


def read(name, uri):
    source = ProcessingS3Input(
        s3_uri=uri, local_path=f"/opt/ml/processing/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name, s3_input=source)


compare = ProcessingStep(
    name="Compare",
    step_args=ScriptProcessor(
        image_uri=image_uris.retrieve("sklearn", region, version="1.2-1"),
        command=["python3"],
        instance_type="ml.t3.medium",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    ).run(
        code=os.path.join(HERE, "compare.py"),
        inputs=[
            read("labels", f"s3://{bucket}/classes/csv/validation"),
            read("boosted", scored[0].properties.TransformOutput.S3OutputPath),
            read("linear", scored[1].properties.TransformOutput.S3OutputPath),
        ],
        outputs=[
            ProcessingOutput(
                output_name="comparison",
                s3_output=ProcessingS3Output(
                    s3_uri=f"s3://{bucket}/classes/comparison",
                    local_path="/opt/ml/processing/comparison",
                    s3_upload_mode="EndOfJob",
                ),
            )
        ],
    ),
    property_files=[report],
)


def register(name, step, image):
    builder = ModelBuilder(
        image_uri=image,
        s3_model_data_url=step.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=role,
        sagemaker_session=session,
    )
    return ModelStep(
        name=f"Register{name}",
        step_args=builder.register(
            model_package_group_name="Classes",
            content_types=["text/csv"],
            response_types=["application/json"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            approval_status="Approved",
            customer_metadata_properties={"kind": name},
        ),
    )


choose = ConditionStep(
    name="Choose",
    conditions=[
        ConditionGreaterThanOrEqualTo(
            left=JsonGet(step_name="Compare", property_file=report, json_path="boosted.accuracy"),
            right=JsonGet(step_name="Compare", property_file=report, json_path="linear.accuracy"),
        )
    ],
    if_steps=[register("Boosted", boosted, xgboost_image)],
    else_steps=[register("Linear", linear, linear_image)],
)
pipeline = Pipeline(name="Classes", steps=[*steps, compare, choose], sagemaker_session=session)

if __name__ == "__main__":
    pipeline.upsert(role_arn=role)
    print(pipeline.start().arn)
