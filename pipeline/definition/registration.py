"""FindModel, CheckRegistered and RegisterModel: register the best model if it is new."""

from __future__ import annotations

from typing import Any

from pipeline.definition.deployment import function_step
from pipeline.definition.sdk import (
    ConditionEquals,
    ConditionStep,
    ExecutionVariables,
    MetricsSource,
    ModelBuilder,
    ModelMetrics,
    ModelStep,
)
from pipeline.definition.selection import Selection
from pipeline.definition.step_factory import StepFactory
from pipeline.definition.tuning import linear_learner_image

_CONTENT_TYPES = ["text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf"]
_RESPONSE_TYPES = ["application/json", "application/jsonlines", "application/x-recordio-protobuf"]


def find_model(factory: StepFactory, selection: Selection) -> Any:
    """Return the step that checks whether the best model is already the newest version of the group.

    It is a Lambda step, which is never cached: the registry may change while SelectBest's result stays the same.
    """
    parameters = factory.parameters
    return function_step(
        factory,
        name="FindModel",
        display_name="Find model",
        description="Is the best model registered already?",
        inputs={
            "find_in_group": factory.config.registry.group,
            "artifact_sha256": selection.best("metadata.artifact_sha256"),
            "image": linear_learner_image(factory.config),
            "approval_status": parameters.model_approval_status,
            "endpoint_name": parameters.endpoint_name,
            "instance_type": parameters.endpoint_instance_type,
            "instance_count": parameters.endpoint_instance_count,
        },
        outputs=("status", "model_package_arn"),
    )


def check_registered(find_step: Any, steps_if_new: list[Any], steps_if_registered: list[Any]) -> Any:
    """Return the condition that lets only a new model be registered."""
    return ConditionStep(
        name="CheckRegistered",
        display_name="Check registered",
        description="Is the best model new to the registry?",
        conditions=[ConditionEquals(left=find_step.properties.Outputs["status"], right="New")],
        if_steps=steps_if_new,
        else_steps=steps_if_registered,
    )


def register_model(factory: StepFactory, selection: Selection) -> Any:
    """Return the step that creates the model package, with its metrics and metadata."""
    registry = factory.config.registry
    builder = ModelBuilder(
        image_uri=linear_learner_image(factory.config),
        # SelectBest's own output: unlike a URI in best.json, it stays right when the step is cached.
        s3_model_data_url=selection.output_uri("best", "model.tar.gz"),
        role_arn=factory.resources.job_role_arn,
        instance_type=factory.config.deploy.instance_type,
        sagemaker_session=factory.session,
        # The defaults of these two call S3 and add empty variables to the container's environment.
        dependencies=None,
        log_level=None,
    )
    quality = MetricsSource(
        content_type="application/json", s3_uri=selection.output_uri("evaluation", "model_quality.json")
    )
    return ModelStep(
        name="RegisterModel",
        display_name="Register model",
        description=f"A new version in the model package group {registry.group}",
        step_args=builder.register(
            model_package_group_name=registry.group,
            content_types=_CONTENT_TYPES,
            response_types=_RESPONSE_TYPES,
            inference_instances=registry.inference_instances,
            transform_instances=registry.transform_instances,
            approval_status=factory.parameters.model_approval_status,
            description="Best of the cross-validated linear-learner tunings",
            model_metrics=ModelMetrics(model_statistics=quality),
            customer_metadata_properties=_metadata(factory, selection),
            skip_model_validation="None",
        ),
        retry_policies=factory.request_retries(),
    )


def _metadata(factory: StepFactory, selection: Selection) -> dict[str, Any]:
    """Return the version's metadata: its origin, and the settings for deploying it after its approval."""
    described = (
        "training_job",
        "tuning_job",
        "fold",
        "mse",
        "hyperparameters",
        "rows",
        "rejected_rows",
        "data_version",
        "artifact_sha256",
    )
    parameters = factory.parameters
    return {
        **{name: selection.best(f"metadata.{name}") for name in described},
        "pipeline_execution_arn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
        "endpoint_name": parameters.endpoint_name,
        "endpoint_instance_type": parameters.endpoint_instance_type,
        "endpoint_instance_count": parameters.endpoint_instance_count.to_string(),
    }
