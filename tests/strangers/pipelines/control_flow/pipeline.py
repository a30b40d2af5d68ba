"""Parameters of all types, conditions of all kinds, caching, retries, limits, failure, and selected steps alone."""

import os

from sagemaker.core import image_uris
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionIn,
    ConditionNot,
    ConditionOr,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import (
    ParameterBoolean,
    ParameterFloat,
    ParameterInteger,
    ParameterString,
)
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.parallelism_config import ParallelismConfiguration
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.selective_execution_config import SelectiveExecutionConfig
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep

HERE = os.path.dirname(os.path.abspath(__file__))
role = os.environ["SAGEMAKER_ROLE"]
session = PipelineSession()
bucket = session.default_bucket()
colour = ParameterString(name="Colour", default_value="red", enum_values=["red", "green", "blue"])
count = ParameterInteger(name="Count", default_value=2)
ratio = ParameterFloat(name="Ratio", default_value=0.25)
flag = ParameterBoolean(name="Flag", default_value=True)


def processor():
    return ScriptProcessor(
        image_uri=image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1"),
        command=["python3"],
        instance_type="ml.t3.medium",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    )


def work(name, value, expire_after="T12H", **changes):
    """A step with its property file, cached and retried."""
    uri = Join(on="/", values=["s3:/", bucket, "control", name, ExecutionVariables.PIPELINE_EXECUTION_ID])
    target = ProcessingS3Output(s3_uri=uri, local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob")
    report = PropertyFile(name=f"{name}Report", output_name="out", path="step.json")
    step = ProcessingStep(
        name=name,
        display_name=f"{name} with a value",
        step_args=processor().run(
            code=os.path.join(HERE, "work.py"),
            arguments=["--name", name, "--value", value],
            outputs=[ProcessingOutput(output_name="out", s3_output=target)],
        ),
        property_files=[report],
        cache_config=CacheConfig(enable_caching=True, expire_after=expire_after),
        retry_policies=[
            StepRetryPolicy(
                exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
                interval_seconds=1,
                max_attempts=2,
            ),
            SageMakerJobStepRetryPolicy(
                exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
                failure_reason_types=[SageMakerJobExceptionTypeEnum.INTERNAL_ERROR],
                interval_seconds=1,
                max_attempts=1,
            ),
        ],
        **changes,
    )
    return step, report


first, first_report = work("First", Join(on="-", values=[colour, count, ratio, flag]))
branches = [work(f"Branch{number}", colour, "p30d", depends_on=[first])[0] for number in range(3)]
last, last_report = work("Last", count.to_string(), "P7d", depends_on=branches)
fail = FailStep(
    name="WrongColour",
    error_message=Join(
        on="; ",
        values=[
            colour,
            ExecutionVariables.PIPELINE_NAME,
            JsonGet(step_name="Last", property_file=last_report, json_path="list[1]['deep key']"),
        ],
    ),
)
extra, _ = work("Extra", ratio.to_string())
check = ConditionStep(
    name="Check",
    conditions=[
        ConditionEquals(left=flag, right=True),
        ConditionOr(
            conditions=[
                ConditionGreaterThan(left=count, right=10),
                ConditionNot(expression=ConditionIn(value=colour, in_values=["green", "blue"])),
            ]
        ),
        ConditionEquals(
            left=JsonGet(step_name="First", property_file=first_report, json_path="record.name"), right="First"
        ),
    ],
    if_steps=[extra],
    else_steps=[fail],
    depends_on=[last],
)
pipeline = Pipeline(
    name="ControlFlow",
    parameters=[colour, count, ratio, flag],
    steps=[first, *branches, last, check],
    sagemaker_session=session,
)

if __name__ == "__main__":
    limits = ParallelismConfiguration(max_parallel_execution_steps=2)
    pipeline.upsert(role_arn=role, parallelism_config=limits)

    def run(**request):
        execution = pipeline.start(**request)
        print(execution.arn)
        try:
            execution.wait(delay=1, max_attempts=300)
        except Exception as error:  # a waiter raises when an execution fails
            print(type(error).__name__)
        return execution

    source = run()
    run(parameters={"Count": 2})
    run(parameters={"Colour": "green", "Ratio": 1e-7})
    selected = SelectiveExecutionConfig(
        source_pipeline_execution_arn=source.arn, selected_steps=["Last"], reference_latest_execution=False
    )
    run(selective_execution_config=selected, parameters={"Count": 12})
