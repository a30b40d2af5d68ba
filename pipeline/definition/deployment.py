"""DeployEndpoint, VerifyEndpoint, ConfirmEndpoint: deploy a model package, verify it, roll back if that fails."""

from __future__ import annotations

from typing import Any

from pipeline.definition.folds import folds_uri
from pipeline.definition.refit import Refitted
from pipeline.definition.sdk import (
    JsonGet,
    Lambda,
    LambdaOutput,
    LambdaOutputTypeEnum,
    LambdaStep,
    ProcessingStep,
    PropertyFile,
)
from pipeline.definition.selection import Selection
from pipeline.definition.step_factory import PROCESSING, StepFactory

_OUTPUTS = ("endpoint_name", "endpoint_config_name", "model_name", "replaced_config_name", "status")


def deployment(  # noqa: PLR0913 - what is deployed, and with what it is compared
    factory: StepFactory,
    folds_step: Any,
    selection: Selection,
    package_arn: Any,
    *,
    model: Refitted | None = None,
    suffix: str = "",
) -> list[Any]:
    """Return the steps that deploy a model package, verify the endpoint, and roll it back if verification fails.

    Args:
        factory: makes the parts of the steps.
        folds_step: MakeFolds.
        selection: the best model, which the package contains.
        package_arn: the model package.
        model: the model in the package, if it is a refitted one.
        suffix: ends the steps' names. Both branches of a condition deploy, and step names must be unique.
    """
    deploy = _deploy_endpoint(factory, package_arn, suffix)
    verify, verification = _verify_endpoint(factory, folds_step, selection, deploy, model=model, suffix=suffix)
    return [deploy, verify, _confirm_endpoint(factory, deploy, verify, verification, suffix)]


def function_step(factory: StepFactory, **step: Any) -> Any:
    """Return a step that calls the published function and has string outputs.

    The step names the function by ARN. Given code, the SDK would update the function while it builds the step.
    """
    outputs = [LambdaOutput(name, LambdaOutputTypeEnum.String) for name in step.pop("outputs")]
    function = Lambda(function_arn=factory.resources.deploy_function_arn, session=factory.session)
    return LambdaStep(lambda_func=function, outputs=outputs, **step)


def _deploy_endpoint(factory: StepFactory, package_arn: Any, suffix: str) -> Any:
    """Return the step that starts the deployment. It does not wait: a Lambda step may take 10 minutes at most."""
    parameters = factory.parameters
    return function_step(
        factory,
        name=f"DeployEndpoint{suffix}",
        display_name="Deploy endpoint",
        description="Create the endpoint, or update it in place, with the model package once it is approved",
        inputs={
            "model_package_arn": package_arn,
            "endpoint_name": parameters.endpoint_name,
            "instance_type": parameters.endpoint_instance_type,
            "instance_count": parameters.endpoint_instance_count,
        },
        outputs=_OUTPUTS,
    )


def _verify_endpoint(  # noqa: PLR0913
    factory: StepFactory,
    folds_step: Any,
    selection: Selection,
    deploy_step: Any,
    *,
    model: Refitted | None,
    suffix: str,
) -> tuple[Any, Any]:
    """Return the step that compares the endpoint's predictions with the model's, and its property file.

    The step is never cached: an endpoint that served yesterday may not serve today.
    """
    deployed = deploy_step.properties.Outputs
    inputs = [factory.input("best", selection.output_uri("best"))]
    refit_arguments = []
    if model is not None:
        inputs.append(factory.input("model", model.artifact))
        refit_arguments = ["--model", f"{PROCESSING}/input/model", "--expected-value", model.training_value]
    verification = PropertyFile(name="Verification", output_name="verification", path="verification.json")
    step = ProcessingStep(
        name=f"VerifyEndpoint{suffix}",
        display_name="Verify endpoint",
        description="Send rows of the folds and compare the answers with the model's own",
        step_args=factory.script_processor("verify-endpoint").run(
            code=factory.code("verify_endpoint.pyz").uri,
            inputs=inputs,
            outputs=[factory.output("verification")],
            arguments=[
                *("--endpoint-name", deployed["endpoint_name"]),
                *("--endpoint-config-name", deployed["endpoint_config_name"]),
                *("--replaced-config-name", deployed["replaced_config_name"]),
                *("--deployment-status", deployed["status"]),
                *("--tolerance", str(factory.config.deploy.verification_tolerance)),
                *("--best", f"{PROCESSING}/input/best"),
                *("--folds-uri", folds_uri(folds_step)),
                *("--verification", f"{PROCESSING}/output/verification"),
                *refit_arguments,
            ],
        ),
        property_files=[verification],
        retry_policies=factory.job_retries(),
    )
    return step, verification


def _confirm_endpoint(factory: StepFactory, deploy_step: Any, verify_step: Any, verification: Any, suffix: str) -> Any:
    """Return the step that fails if the verification failed, after it has rolled the endpoint back.

    The function decides. A condition step would be within another one: see ``registration``.
    """
    deployed = deploy_step.properties.Outputs

    def verified(path: str) -> Any:
        return JsonGet(step_name=verify_step.name, property_file=verification, json_path=path)

    return function_step(
        factory,
        name=f"ConfirmEndpoint{suffix}",
        display_name="Confirm endpoint",
        description="If the verification failed: return the endpoint to what served before, and fail the execution",
        inputs={
            "confirm": deployed["endpoint_name"],
            "endpoint_config_name": deployed["endpoint_config_name"],
            "outcome": verified("outcome"),
            "message": verified("message"),
        },
        outputs=("status",),
    )
