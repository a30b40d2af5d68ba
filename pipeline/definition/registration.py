"""FindModel, CheckNewModel, CheckKnownModel and RegisterModel: register the best model if it is good and new."""

from __future__ import annotations

from typing import Any

from pipeline.definition.deployment import function_step
from pipeline.definition.refit import refitted
from pipeline.definition.sdk import (
    ConditionEquals,
    ConditionStep,
    DriftCheckBaselines,
    ExecutionVariables,
    MetricsSource,
    ModelBuilder,
    ModelMetrics,
    ModelPackageModelCard,
    ModelStep,
)
from pipeline.definition.selection import Selection
from pipeline.definition.step_factory import StepFactory

_STATUS = {"New": "New", "Known": "Registered"}
_REFITTED = ("model_data", "training_value")
_TASKS = {"regression": "REGRESSION", "binary": "CLASSIFICATION", "multiclass": "CLASSIFICATION"}


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
            "image": factory.algorithm_image(),
            "approval_status": parameters.model_approval_status,
            "endpoint_name": parameters.endpoint_name,
            "instance_type": parameters.endpoint_instance_type,
            "instance_count": parameters.endpoint_instance_count,
        },
        outputs=("status", "model_package_arn", *(_REFITTED if factory.config.selection.refits else ())),
    )


def check_new_model(find_step: Any, quality: list[Any], steps: list[Any]) -> Any:
    """Return the condition that runs steps for a good model which the registry does not have.

    Args:
        find_step: FindModel.
        quality: the conditions that a good model meets.
        steps: the steps.
    """
    return _check_model(find_step, quality, steps, "New", "new to the registry")


def check_known_model(find_step: Any, quality: list[Any], steps: list[Any]) -> Any:
    """Return the condition that runs steps for a good model which is the newest version in the registry."""
    return _check_model(find_step, quality, steps, "Known", "the newest version in the registry")


def _check_model(find_step: Any, quality: list[Any], steps: list[Any], kind: str, words: str) -> Any:
    """Return a condition that repeats CheckQuality's conditions.

    It cannot be a step within CheckQuality: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html
    says under "Condition step" that nested condition steps are not supported.
    """
    status = find_step.properties.Outputs["status"]
    return ConditionStep(
        name=f"Check{kind}Model",
        display_name=f"Check {kind.lower()} model",
        description=f"Is the best model good, and {words}?",
        conditions=[*quality, ConditionEquals(left=status, right=_STATUS[kind])],
        if_steps=steps,
        else_steps=[],
    )


def register_model(factory: StepFactory, selection: Selection, refit_step: Any | None = None) -> Any:
    """Return the step that creates the model package, with its metrics, metadata and model card.

    Args:
        factory: makes the parts of the steps.
        selection: the chosen model.
        refit_step: RefitModel, whose model is registered in the place of a fold's; or None.
    """
    registry, algorithm = factory.config.registry, factory.config.algorithm
    read_by_monitors = _metrics_sources(selection)
    return ModelStep(
        name="RegisterModel",
        display_name="Register model",
        description=f"A new version in the model package group {registry.group}",
        step_args=_builder(factory, selection, refit_step).register(
            model_package_group_name=registry.group,
            content_types=list(algorithm.content_types),
            response_types=list(algorithm.response_types),
            inference_instances=registry.inference_instances,
            transform_instances=registry.transform_instances,
            approval_status=factory.parameters.model_approval_status,
            description=f"Best of the cross-validated {algorithm.title} tunings",
            model_metrics=ModelMetrics(**read_by_monitors),
            drift_check_baselines=DriftCheckBaselines(**read_by_monitors),
            domain="MACHINE_LEARNING",
            task=_TASKS[factory.config.training.problem],
            sample_payload_url=selection.output_uri("best", "sample_payload.tar.gz"),
            model_card=ModelPackageModelCard(
                model_card_content=selection.best("model_card"), model_card_status="Draft"
            ),
            customer_metadata_properties=_metadata(factory, selection, refit_step),
            skip_model_validation="None",
        ),
        retry_policies=factory.request_retries(),
    )


def _builder(factory: StepFactory, selection: Selection, refit_step: Any | None) -> ModelBuilder:
    """Return what describes the model and the container that serves it."""
    return ModelBuilder(
        image_uri=factory.algorithm_image(),
        # SelectBest's own output: unlike a URI in best.json, it stays right when the step is cached.
        s3_model_data_url=(
            selection.output_uri("best", "model.tar.gz")
            if refit_step is None
            else refitted(factory, refit_step).artifact
        ),
        role_arn=factory.resources.job_role_arn,
        instance_type=factory.config.deploy.instance_type,
        sagemaker_session=factory.session,
        # The defaults of these two call S3 and add empty variables to the container's environment.
        dependencies=None,
        log_level=None,
    )


def _metrics_sources(selection: Selection) -> dict[str, MetricsSource]:
    """Return SelectBest's files that SageMaker Model Monitor reads, by their names in the registry."""
    files = {
        "model_statistics": "model_quality.json",
        "model_data_statistics": "statistics.json",
        "model_data_constraints": "constraints.json",
    }
    return {
        name: MetricsSource(content_type="application/json", s3_uri=selection.output_uri("evaluation", file))
        for name, file in files.items()
    }


def _metadata(factory: StepFactory, selection: Selection, refit_step: Any | None) -> dict[str, Any]:
    """Return the version's metadata: its origin, and the settings for deploying it after its approval."""
    # The names of an MSE are older than other objectives.
    value = "mse" if factory.config.task.metric == "mse" else "value"
    described = [
        *(["metric"] if value == "value" else []),
        *("selection_rule", f"estimate_{value}", "estimate_low", "estimate_high", "hyperparameters"),
        *("training_job", "tuning_job", "fold", f"validation_{value}", "label_transform"),
        *("rows", "rejected_rows", "data_version", "artifact_sha256"),
    ]
    parameters = factory.parameters
    metadata = {
        **{name: selection.best(f"metadata.{name}") for name in described},
        # The columns and their encoding travel with the version: a later configuration may have others.
        "folds_json": selection.output_uri("best", "folds.json"),
        "pipeline_execution_arn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
        "endpoint_name": parameters.endpoint_name,
        "endpoint_instance_type": parameters.endpoint_instance_type,
        "endpoint_instance_count": parameters.endpoint_instance_count.to_string(),
    }
    if refit_step is not None:
        metadata["training_job"] = refit_step.properties.TrainingJobName
        metadata[f"training_{value}"] = refitted(factory, refit_step).training_value
        for name in ("tuning_job", "fold", f"validation_{value}"):
            del metadata[name]
    return metadata
