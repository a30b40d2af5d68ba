"""Preprocess, train XGBoost, evaluate; if the error is small, register the model, create it and predict a batch."""

import os

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

HERE = os.path.dirname(os.path.abspath(__file__))


def upload_data(bucket):
    """Write 400 rows of made-up shells: sex, three lengths, a weight and the rings."""
    random = np.random.default_rng(1)
    rows = []
    for _ in range(400):
        length = random.uniform(0.2, 0.8)
        diameter, height = length * 0.8, length * 0.25
        weight = 2 * length**3 + random.normal(0, 0.02)
        rings = 3 + 12 * length + random.normal(0, 0.5)
        shown = "" if random.random() < 0.05 else f"{height:.4f}"
        rows.append(f"{random.choice(['M', 'F', 'I'])},{length:.4f},{diameter:.4f},{shown},{weight:.4f},{rings:.2f}")
    key = "abalone/abalone-dataset.csv"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body="\n".join(rows).encode())
    return f"s3://{bucket}/{key}"


def get_pipeline(role, session):
    region, bucket = session.boto_region_name, session.default_bucket()

    processing_instance_count = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    instance_type = ParameterString(name="TrainingInstanceType", default_value="ml.m5.xlarge")
    approval = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
    input_data = ParameterString(name="InputDataUrl", default_value=upload_data(bucket))
    threshold = ParameterFloat(name="MseThreshold", default_value=6.0)
    cache_config = CacheConfig(enable_caching=True, expire_after="30d")

    sklearn_processor = ScriptProcessor(
        image_uri=image_uris.retrieve(
            "sklearn", region, version="1.2-1", py_version="py3", instance_type="ml.m5.xlarge"
        ),
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=processing_instance_count,
        base_job_name="abalone-preprocess",
        role=role,
        env={"AWS_DEFAULT_REGION": region},
        sagemaker_session=session,
    )
    outputs = [
        ProcessingOutput(
            output_name=name,
            s3_output=ProcessingS3Output(
                s3_uri=Join(on="/", values=["s3:/", bucket, "abalone", ExecutionVariables.PIPELINE_EXECUTION_ID, name]),
                local_path=f"/opt/ml/processing/{name}",
                s3_upload_mode="EndOfJob",
            ),
        )
        for name in ("train", "validation", "test", "batch")
    ]
    step_process = ProcessingStep(
        name="PreprocessAbaloneData",
        step_args=sklearn_processor.run(
            outputs=outputs,
            code=os.path.join(HERE, "preprocess.py"),
            arguments=["--input-data", input_data],
        ),
        cache_config=cache_config,
    )

    def produced(name):
        return step_process.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    xgboost_image = image_uris.retrieve("xgboost", region, version="3.2-0", instance_type="ml.m5.xlarge")
    trainer = ModelTrainer(
        training_image=xgboost_image,
        compute=Compute(instance_type=instance_type, instance_count=1),
        base_job_name="abalone-train",
        hyperparameters={
            "objective": "reg:squarederror",
            "num_round": 50,
            "max_depth": 5,
            "eta": 0.2,
            "gamma": 4,
            "min_child_weight": 6,
            "subsample": 0.7,
        },
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/abalone/models"),
        role=role,
        sagemaker_session=session,
    )
    step_train = TrainingStep(
        name="TrainAbaloneModel",
        step_args=trainer.train(
            input_data_config=[
                InputData(channel_name=name, data_source=produced(name), content_type="text/csv")
                for name in ("train", "validation")
            ]
        ),
        cache_config=cache_config,
    )

    evaluator = ScriptProcessor(
        image_uri=xgboost_image,
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=1,
        base_job_name="abalone-eval",
        role=role,
        sagemaker_session=session,
    )
    evaluation = PropertyFile(name="AbaloneEvaluationReport", output_name="evaluation", path="evaluation.json")
    step_eval = ProcessingStep(
        name="EvaluateAbaloneModel",
        step_args=evaluator.run(
            inputs=[
                ProcessingInput(
                    input_name=name,
                    s3_input=ProcessingS3Input(
                        s3_uri=uri,
                        local_path=f"/opt/ml/processing/{name}",
                        s3_data_type="S3Prefix",
                        s3_input_mode="File",
                    ),
                )
                for name, uri in (
                    ("model", step_train.properties.ModelArtifacts.S3ModelArtifacts),
                    ("test", produced("test")),
                )
            ],
            outputs=[
                ProcessingOutput(
                    output_name="evaluation",
                    s3_output=ProcessingS3Output(
                        s3_uri=Join(
                            on="/",
                            values=["s3:/", bucket, "abalone", ExecutionVariables.PIPELINE_EXECUTION_ID, "evaluation"],
                        ),
                        local_path="/opt/ml/processing/evaluation",
                        s3_upload_mode="EndOfJob",
                    ),
                )
            ],
            code=os.path.join(HERE, "evaluate.py"),
        ),
        property_files=[evaluation],
    )

    builder = ModelBuilder(
        image_uri=xgboost_image,
        s3_model_data_url=step_train.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=role,
        sagemaker_session=session,
    )
    metrics = ModelMetrics(
        model_statistics=MetricsSource(
            s3_uri=Join(
                on="/",
                values=[
                    step_eval.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri,
                    "evaluation.json",
                ],
            ),
            content_type="application/json",
        )
    )
    step_register = ModelStep(
        name="RegisterAbaloneModel",
        step_args=builder.register(
            model_package_group_name="AbaloneModels",
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", "ml.m5.large"],
            transform_instances=["ml.m5.large"],
            approval_status=approval,
            model_metrics=metrics,
        ),
    )
    step_create = ModelStep(name="AbaloneModel", step_args=builder.build())
    transformer = Transformer(
        model_name=step_create.properties.ModelName,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        assemble_with="Line",
        accept="text/csv",
        output_path=Join(
            on="/", values=["s3:/", bucket, "abalone", ExecutionVariables.PIPELINE_EXECUTION_ID, "scored"]
        ),
        sagemaker_session=session,
    )
    step_transform = TransformStep(
        name="AbaloneTransform",
        step_args=transformer.transform(data=produced("batch"), content_type="text/csv", split_type="Line"),
    )

    step_fail = FailStep(
        name="AbaloneMseFail",
        error_message=Join(on=" ", values=["Execution failed due to MSE >", threshold]),
    )
    step_cond = ConditionStep(
        name="CheckMseAbaloneEvaluation",
        conditions=[
            ConditionLessThanOrEqualTo(
                left=JsonGet(
                    step_name=step_eval.name,
                    property_file=evaluation,
                    json_path="regression_metrics.mse.value",
                ),
                right=threshold,
            )
        ],
        if_steps=[step_register, step_create, step_transform],
        else_steps=[step_fail],
    )
    return Pipeline(
        name="AbalonePipeline",
        parameters=[processing_instance_count, instance_type, approval, input_data, threshold],
        steps=[step_process, step_train, step_eval, step_cond],
        sagemaker_session=session,
    )


if __name__ == "__main__":
    role = os.environ["SAGEMAKER_ROLE"]
    pipeline = get_pipeline(role, PipelineSession())
    pipeline.upsert(role_arn=role)
    print(pipeline.start(parameters={"ModelApprovalStatus": "Approved"}).arn)
