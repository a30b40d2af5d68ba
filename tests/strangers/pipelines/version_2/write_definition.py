"""Write definition.json with version 2 of the SDK, which the project does not install.

uv run --no-project --with 'sagemaker>=2.250,<3' python write_definition.py, at a running local service

Version 2 leaves its _repack_model.py and _repack_script_launcher.sh in source/: delete them.
"""

import json
import os

from sagemaker.inputs import TrainingInput
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.model import SKLearnModel
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.transformer import Transformer
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.functions import JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.step_collections import RegisterModel
from sagemaker.workflow.steps import ProcessingStep, TrainingStep, TransformStep

ROLE = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()

input_data = ParameterString(name="InputData", default_value=f"s3://{bucket}/titanic/input")
instance_type = ParameterString(name="InstanceType", default_value="ml.m5.large")
instance_count = ParameterInteger(name="InstanceCount", default_value=1)
minimum = ParameterFloat(name="MinAccuracy", default_value=0.7)

processor = SKLearnProcessor(
    framework_version="1.2-1",
    instance_type=instance_type,
    instance_count=instance_count,
    base_job_name="titanic-process",
    role=ROLE,
    sagemaker_session=session,
)
process = ProcessingStep(
    name="Process",
    step_args=processor.run(
        code="preprocess.py",
        inputs=[ProcessingInput(source=input_data, destination="/opt/ml/processing/input")],
        outputs=[
            ProcessingOutput(output_name=name, source=f"/opt/ml/processing/{name}")
            for name in ("train", "test", "batch")
        ],
        arguments=["--test-size", "0.25"],
    ),
)
outputs = process.properties.ProcessingOutputConfig.Outputs

estimator = SKLearn(
    entry_point="train.py",
    source_dir="source",
    framework_version="1.2-1",
    instance_type=instance_type,
    instance_count=1,
    hyperparameters={"n-estimators": 25, "max_depth": 4},
    metric_definitions=[{"Name": "train:accuracy", "Regex": "train_accuracy: ([0-9.]+);"}],
    output_path=f"s3://{bucket}/titanic/models",
    role=ROLE,
    sagemaker_session=session,
)
train = TrainingStep(
    name="Train",
    step_args=estimator.fit({"train": TrainingInput(outputs["train"].S3Output.S3Uri, content_type="text/csv")}),
)

evaluation = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
evaluate = ProcessingStep(
    name="Evaluate",
    step_args=processor.run(
        code="evaluate.py",
        inputs=[
            ProcessingInput(
                source=train.properties.ModelArtifacts.S3ModelArtifacts, destination="/opt/ml/processing/model"
            ),
            ProcessingInput(source=outputs["test"].S3Output.S3Uri, destination="/opt/ml/processing/test"),
        ],
        outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
    ),
    property_files=[evaluation],
)

model = SKLearnModel(
    model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
    entry_point="inference.py",
    source_dir="source",
    framework_version="1.2-1",
    role=ROLE,
    sagemaker_session=session,
)
report = evaluate.arguments["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
register = RegisterModel(
    name="Register",
    estimator=estimator,
    model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
    entry_point="inference.py",
    source_dir="source",
    content_types=["text/csv"],
    response_types=["text/csv"],
    inference_instances=["ml.m5.large"],
    transform_instances=["ml.m5.large"],
    model_package_group_name="Titanic",
    approval_status="Approved",
    model_metrics=ModelMetrics(
        model_statistics=MetricsSource(s3_uri=f"{report}/evaluation.json", content_type="application/json")
    ),
)
create = ModelStep(name="Create", step_args=model.create(instance_type="ml.m5.large"))
transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_type="ml.m5.large",
    instance_count=1,
    accept="text/csv",
    assemble_with="Line",
    output_path=f"s3://{bucket}/titanic/scored",
    sagemaker_session=session,
)
transform = TransformStep(
    name="Predict",
    step_args=transformer.transform(data=outputs["batch"].S3Output.S3Uri, content_type="text/csv", split_type="Line"),
)
check = ConditionStep(
    name="Check",
    conditions=[
        ConditionGreaterThanOrEqualTo(
            left=JsonGet(
                step_name=evaluate.name,
                property_file=evaluation,
                json_path="binary_classification_metrics.accuracy.value",
            ),
            right=minimum,
        )
    ],
    if_steps=[register, create, transform],
    else_steps=[],
)
pipeline = Pipeline(
    name="titanic",
    parameters=[input_data, instance_type, instance_count, minimum],
    steps=[process, train, evaluate, check],
    sagemaker_session=session,
)
with open("definition.json", "w") as file:
    json.dump(json.loads(pipeline.definition()), file, indent=1)
    file.write("\n")
