"""TuneFold1 to TuneFoldk: a hyperparameter search with linear-learner on each fold."""

from __future__ import annotations

from typing import Any

from definition_language.hyperparameters import text_of
from pipeline.config.checks import TUNED
from pipeline.config.models import Config
from pipeline.definition.folds import fold_uri, suggested
from pipeline.definition.sdk import (
    CategoricalParameter,
    Channel,
    Compute,
    ContinuousParameter,
    DataSource,
    HyperparameterTuner,
    ModelTrainer,
    Networking,
    OutputDataConfig,
    S3DataSource,
    StoppingCondition,
    TuningStep,
    image_uris,
)
from pipeline.definition.step_factory import StepFactory

OBJECTIVE = "validation:mse"
_SUGGESTED = ("mini_batch_size", "epochs")


def linear_learner_image(config: Config) -> str:
    """Return the URI of the algorithm's image in the configuration's region."""
    image: str = image_uris.retrieve("linear-learner", config.aws.region)
    return image


def tune_fold(factory: StepFactory, folds_step: Any, fold: int) -> Any:
    """Return the step that tunes one fold.

    Args:
        factory: makes the parts of the steps.
        folds_step: MakeFolds.
        fold: the fold's number, 1 to k.
    """
    tuning = factory.config.tuning
    tuner = HyperparameterTuner(
        model_trainer=trainer(factory, "models", static_hyperparameters(factory, folds_step)),
        objective_metric_name=OBJECTIVE,
        objective_type="Minimize",
        strategy=tuning.strategy,
        hyperparameter_ranges={name: _range(factory.config, getattr(tuning, name)) for name in TUNED},
        max_jobs=tuning.max_jobs,
        max_parallel_jobs=tuning.max_parallel_jobs,
        early_stopping_type=tuning.early_stopping,
        # With one seed, a random search tries the same points in all folds, so that they can be compared.
        random_seed=factory.config.folds.seed if tuning.strategy == "Random" else None,
        base_tuning_job_name=f"fold{fold}",
        tags=factory.tags,
    )
    return TuningStep(
        name=f"TuneFold{fold}",
        display_name=f"Tune fold {fold}",
        description=f"{tuning.strategy} search of {tuning.max_jobs} training jobs; validated on fold {fold}",
        step_args=tuner.tune(inputs=_channels(factory, folds_step, fold)),
        cache_config=factory.cache(),
        retry_policies=factory.job_retries(),
    )


def trainer(factory: StepFactory, output: str, hyperparameters: dict[str, Any]) -> Any:
    """Return linear-learner with the configuration's instances and limits.

    Args:
        factory: makes the parts of the steps.
        output: the folder of the execution for the models.
        hyperparameters: the hyperparameters that are not tuned.
    """
    tuning, vpc, key = factory.config.tuning, factory.config.aws.vpc, factory.config.aws.kms_key_arn
    return ModelTrainer(
        sagemaker_session=factory.session,
        role=factory.resources.job_role_arn,
        training_image=linear_learner_image(factory.config),
        compute=Compute(
            instance_type=factory.parameters.training_instance_type,
            instance_count=1,
            volume_size_in_gb=tuning.volume_gigabytes,
            enable_managed_spot_training=tuning.spot or None,
        ),
        networking=vpc and Networking(security_group_ids=vpc.security_group_ids, subnets=vpc.subnets),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=tuning.max_runtime_minutes * 60,
            **({"max_wait_time_in_seconds": tuning.max_wait_minutes * 60} if tuning.spot else {}),
        ),
        output_data_config=OutputDataConfig(
            s3_output_path=factory.execution_uri(output), **({"kms_key_id": key} if key else {})
        ),
        hyperparameters=hyperparameters,
        training_input_mode="File",
    )


def static_hyperparameters(factory: StepFactory, folds_step: Any) -> dict[str, Any]:
    """Return the hyperparameters that are not tuned.

    Batch size and epochs that the configuration does not set follow the number of rows: with linear-learner's own
    defaults, a thousand rows a batch and 15 epochs, small datasets are hardly trained at all.
    """
    config = factory.config
    given = {name: text_of(value) for name, value in config.tuning.static_hyperparameters.items()}
    follow_rows = {name: suggested(folds_step, name) for name in _SUGGESTED if name not in given}
    features = config.dataset.features
    # If categories are found in the data, linear-learner counts the features itself: the default is auto.
    feature_dim = {} if features is None else {"feature_dim": str(len(features))}
    return {**feature_dim, "predictor_type": "regressor", **given, **follow_rows}


def _range(config: Config, values: list[float]) -> Any:
    """Return categories for a grid, which SageMaker requires; else a range that is searched on a logarithmic scale."""
    if config.tuning.strategy == "Grid":
        return CategoricalParameter([text_of(value) for value in values])
    low, high = values
    return ContinuousParameter(text_of(low), text_of(high), scaling_type="Logarithmic")


def _channels(factory: StepFactory, folds_step: Any, fold: int) -> list[Any]:
    if factory.config.folds.layout == "manifest":
        train = channel("train", fold_uri(folds_step, fold, "train.manifest"), "ManifestFile")
    else:
        train = channel("train", fold_uri(folds_step, fold, "train/"), "S3Prefix")
    return [train, channel("validation", fold_uri(folds_step, fold, "test/"), "S3Prefix")]


def channel(name: str, uri: Any, kind: str) -> Any:
    """Return a channel of CSV files.

    Args:
        name: the channel's name.
        uri: the prefix or the manifest.
        kind: ``S3Prefix`` or ``ManifestFile``.
    """
    return Channel(
        channel_name=name,
        content_type="text/csv",
        input_mode="File",
        compression_type="None",
        data_source=DataSource(
            s3_data_source=S3DataSource(s3_data_type=kind, s3_uri=uri, s3_data_distribution_type="FullyReplicated")
        ),
    )
