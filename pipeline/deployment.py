"""DeployEndpoint and VerifyEndpoint: the registered model goes into service, and is seen to serve."""

from __future__ import annotations

from typing import Any

from pipeline.build import PROCESSING, Build
from pipeline.folds import folds_uri
from pipeline.sdk import Lambda, LambdaOutput, LambdaOutputTypeEnum, LambdaStep, ProcessingStep
from pipeline.selection import Selection

_OUTPUTS = ("endpoint_name", "endpoint_config_name", "model_name", "status")


def deploy_endpoint(build: Build, register_step: Any) -> Any:
    """The step that creates or updates the endpoint and returns at once: a Lambda step may take ten minutes."""
    parameters = build.parameters
    return LambdaStep(
        name="DeployEndpoint",
        display_name="Deploy endpoint",
        description="Create the endpoint, or update it in place, with the registered model once it is approved",
        # By ARN, and published beforehand: given code, the SDK would change the function while it builds the step.
        lambda_func=Lambda(function_arn=build.resources.deploy_function_arn, session=build.session),
        inputs={
            "model_package_arn": register_step.properties.ModelPackageArn,
            "endpoint_name": parameters.endpoint_name,
            "instance_type": parameters.endpoint_instance_type,
            "instance_count": parameters.endpoint_instance_count,
        },
        outputs=[LambdaOutput(name, LambdaOutputTypeEnum.String) for name in _OUTPUTS],
    )


def verify_endpoint(build: Build, folds_step: Any, selection: Selection, deploy_step: Any) -> Any:
    """The step that waits for the endpoint and compares its answers with the model's own error.

    It is never cached: an endpoint that served yesterday may not serve today.
    """
    deployed = deploy_step.properties.Outputs
    return ProcessingStep(
        name="VerifyEndpoint",
        display_name="Verify endpoint",
        description="Send the winning fold's held-out rows and compare the error with the training job's",
        step_args=build.script_processor("verify-endpoint").run(
            code=build.code("verify_endpoint.py").uri,
            inputs=[build.input("best", selection.output_uri("best", "best.json"))],
            outputs=[build.output("verification")],
            arguments=[
                *("--endpoint-name", deployed["endpoint_name"]),
                *("--endpoint-config-name", deployed["endpoint_config_name"]),
                *("--deployment-status", deployed["status"]),
                *("--best", f"{PROCESSING}/input/best/best.json"),
                *("--folds-uri", folds_uri(folds_step)),
                *("--verification", f"{PROCESSING}/output/verification"),
            ],
        ),
        retry_policies=build.job_retries(),
    )
