"""The pipeline.

MakeFolds -> TuneFold1..k -> SelectBest -> CheckQuality -> RejectModel
                                        -> FindModel -> CheckNewModel   -> RegisterModel -> DeployEndpoint
                                                     -> CheckKnownModel -> DeployEndpointAgain

After each deployment: -> VerifyEndpoint -> ConfirmEndpoint, which rolls the endpoint back if the verification failed.
A good model goes through CheckNewModel if the registry does not have it, else through CheckKnownModel; both contain
the deployment steps, because a step cannot refer to a step in a branch that was not taken.
If the selection's rule trains a model on all rows, RefitModel comes before RegisterModel.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.config.models import Config
from pipeline.definition.dataset import dataset_uri
from pipeline.definition.deployment import deployment
from pipeline.definition.folds import make_folds
from pipeline.definition.parameters import pipeline_parameters
from pipeline.definition.quality import check_quality, quality_conditions
from pipeline.definition.refit import refit_model, refitted, refitted_before
from pipeline.definition.registration import check_known_model, check_new_model, find_model, register_model
from pipeline.definition.resources import Resources
from pipeline.definition.sdk import Pipeline, offline_environment, offline_session
from pipeline.definition.selection import select_best
from pipeline.definition.step_factory import StepFactory
from pipeline.definition.tuning import tune_fold


@offline_environment()
def get_pipeline(config: Config, resources: Resources) -> Pipeline:
    """Return the SDK's pipeline for a configuration, without any AWS call.

    Args:
        config: the configuration.
        resources: bucket, roles and function that its steps name.
    """
    session = offline_session(resources.region, resources.bucket)
    parameters = pipeline_parameters(config, dataset_uri(config, resources))
    factory = StepFactory(config, resources, parameters, session)

    folds = make_folds(factory)
    tunings = [tune_fold(factory, folds, number) for number in range(1, config.folds.count + 1)]
    selection = select_best(factory, folds, tunings)
    find = find_model(factory, selection)
    refit = refit_model(factory, folds, selection) if config.selection.refits else None
    register = register_model(factory, selection, refit)
    new, before = (refitted(factory, refit), refitted_before(find)) if refit else (None, None)
    quality = quality_conditions(factory, selection)
    new_steps = [
        *([refit] if refit else []),
        register,
        *deployment(factory, folds, selection, register.properties.ModelPackageArn, model=new),
    ]
    known_arn = find.properties.Outputs["model_package_arn"]
    known_steps = deployment(factory, folds, selection, known_arn, model=before, suffix="Again")

    return Pipeline(
        name=config.pipeline.name,
        parameters=parameters.all(),
        steps=[
            folds,
            *tunings,
            selection.step,
            check_quality(factory, selection),
            find,
            check_new_model(find, quality, new_steps),
            check_known_model(find, quality, known_steps),
        ],
        pipeline_experiment_config=None,
        sagemaker_session=session,
    )


@offline_environment()
def build_definition(config: Config, resources: Resources) -> dict[str, Any]:
    """Return the definition as SageMaker takes it. The same configuration and code give the same definition."""
    definition: dict[str, Any] = json.loads(get_pipeline(config, resources).definition())
    return _with_encrypted_training_volumes(definition, config)


def definition_text(definition: dict[str, Any]) -> str:
    """Return a definition as text. Equal definitions give equal text."""
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def _with_encrypted_training_volumes(definition: dict[str, Any], config: Config) -> dict[str, Any]:
    """Add the KMS key of the training volumes, which the SDK drops from tuning jobs (sagemaker 3.27)."""
    if config.aws.kms_key_arn:
        for step in definition["Steps"]:
            if step["Type"] == "Tuning":
                resources = step["Arguments"]["TrainingJobDefinition"]["ResourceConfig"]
                resources["VolumeKmsKeyId"] = config.aws.kms_key_arn
    return definition
