"""TuneFold1 to TuneFoldk: a hyperparameter search on each fold."""

from __future__ import annotations

from typing import Any

from definition_language.hyperparameters import Tunable, text_of
from pipeline.algorithms.algorithm import Value
from pipeline.definition.folds import fold_uri, suggested
from pipeline.definition.sdk import (
    CategoricalParameter,
    Channel,
    Compute,
    ContinuousParameter,
    DataSource,
    HyperparameterTuner,
    IntegerParameter,
    ModelTrainer,
    Networking,
    OutputDataConfig,
    S3DataSource,
    StoppingCondition,
    TuningStep,
)
from pipeline.definition.step_factory import StepFactory
from pipeline.text import number_of


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
        objective_metric_name=tuning.objective,
        objective_type=factory.config.direction,
        strategy=tuning.strategy,
        hyperparameter_ranges=_ranges(factory),
        max_jobs=tuning.max_jobs,
        max_parallel_jobs=tuning.max_parallel_jobs,
        early_stopping_type=tuning.early_stopping,
        # With one seed, a random search tries the same points in all folds, so that they can be compared.
        random_seed=factory.config.folds.seed if tuning.strategy == "Random" else None,
        base_tuning_job_name=f"fold{fold}",
        tags=factory.tags,
    )
    jobs = number_of(tuning.max_jobs, "training job")
    return TuningStep(
        name=f"TuneFold{fold}",
        display_name=f"Tune fold {fold}",
        description=f"{tuning.strategy} search of {jobs}; validated on fold {fold}",
        step_args=tuner.tune(inputs=_channels(factory, folds_step, fold)),
        cache_config=factory.cache(),
        retry_policies=factory.job_retries(),
    )


def trainer(factory: StepFactory, output: str, hyperparameters: dict[str, Any]) -> Any:
    """Return the algorithm with the configuration's instances and limits.

    Args:
        factory: makes the parts of the steps.
        output: the folder of the execution for the models.
        hyperparameters: the hyperparameters that are not tuned.
    """
    tuning, vpc, key = factory.config.tuning, factory.config.aws.vpc, factory.config.aws.kms_key_arn
    return ModelTrainer(
        sagemaker_session=factory.session,
        role=factory.resources.job_role_arn,
        training_image=factory.algorithm_image(),
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

    Those that are to follow the number of rows, and that the configuration does not set, come from MakeFolds.
    """
    config, algorithm = factory.config, factory.config.algorithm
    features = config.dataset.features
    fixed = algorithm.fixed(config.task, None if features is None else len(features))
    given = {name: text_of(value) for name, value in config.tuning.static_hyperparameters.items()}
    chosen = {*given, *config.tuning.searched}
    follow_rows = {name: suggested(folds_step, name) for name in algorithm.follows_rows if name not in chosen}
    return {**fixed, **given, **follow_rows}


def _ranges(factory: StepFactory) -> dict[str, Any]:
    config, algorithm = factory.config, factory.config.algorithm
    searched = config.tuning.searched
    if config.tuning.strategy == "Grid":  # SageMaker requires categories for a grid
        return {name: CategoricalParameter([text_of(value) for value in values]) for name, values in searched.items()}
    tunable = algorithm.tunable(config.training.problem)
    return {
        name: _range(tunable[name], values, logarithmic=name in algorithm.logarithmic)
        for name, values in searched.items()
    }


def _range(tunable: Tunable, values: list[Value], *, logarithmic: bool) -> Any:
    """Return the range between two values. From zero, there is no logarithmic scale."""
    if tunable.kind == "Categorical":
        return CategoricalParameter([text_of(value) for value in values])
    lowest, highest = values
    kind = IntegerParameter if tunable.kind == "Integer" else ContinuousParameter
    scale = "Logarithmic" if logarithmic and lowest else "Linear"
    return kind(text_of(lowest), text_of(highest), scaling_type=scale)


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
