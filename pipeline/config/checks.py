"""Checks between values of a configuration: each value is valid, but they do not fit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from definition_language import linear_learner
from definition_language.hyperparameters import text_of
from pipeline.config.column_checks import Fault, check_columns

if TYPE_CHECKING:
    from pipeline.config.models import Config

TUNED = ("learning_rate", "l1")
"""The hyperparameters that the tuning jobs search."""

_COMPUTED = ("feature_dim", "predictor_type", "num_models")


def check_config(config: Config) -> Iterator[Fault]:
    """Yield the faults between the values of a configuration that pydantic has validated."""
    yield from check_columns(config.dataset)
    yield from _check_tuned_ranges(config)
    yield from _check_job_counts(config)
    yield from _check_static_hyperparameters(config)
    yield from _check_selection(config)
    yield from _check_early_stopping(config)
    yield from _check_quality(config)
    yield from _check_spot_wait(config)
    yield from _check_bad_rows(config)
    yield from _check_splitting(config)
    yield from _check_endpoint(config)
    yield from _check_triggers(config)


def _check_tuned_ranges(config: Config) -> Iterator[Fault]:
    tuning = config.tuning
    for name in TUNED:
        values = getattr(tuning, name)
        yield from _check_tuned_values(name, values)
        if tuning.strategy == "Grid" and len(set(values)) < len(values):
            yield f"tuning.{name}", "a value is listed twice"
        if tuning.strategy != "Grid" and (len(values) != 2 or not 0 < values[0] < values[1]):
            yield (
                f"tuning.{name}",
                f"the strategy {tuning.strategy} needs [lowest, highest], both above 0, not {values}",
            )


def _check_tuned_values(name: str, values: list[float]) -> Iterator[Fault]:
    tunable = linear_learner.TUNABLE[name]
    assert tunable.minimum is not None
    assert tunable.maximum is not None
    for index, value in enumerate(values):
        if not tunable.minimum <= value <= tunable.maximum:
            bounds = f"{tunable.minimum:g} to {tunable.maximum:g}"
            yield f"tuning.{name}[{index}]", f"{value:g} is outside the range that SageMaker tunes, {bounds}"


def _check_job_counts(config: Config) -> Iterator[Fault]:
    tuning = config.tuning
    points = len(tuning.learning_rate) * len(tuning.l1)
    if tuning.strategy == "Grid" and tuning.max_jobs != points:
        relation = "fewer" if tuning.max_jobs < points else "more"
        rule = "SageMaker requires one job for each point"
        yield "tuning.max_jobs", f"{tuning.max_jobs} is {relation} than the grid's {points} points: {rule}"
    if tuning.max_parallel_jobs > tuning.max_jobs:
        yield "tuning.max_parallel_jobs", f"{tuning.max_parallel_jobs} is more than max_jobs, {tuning.max_jobs}"


def _check_static_hyperparameters(config: Config) -> Iterator[Fault]:
    static = config.tuning.static_hyperparameters
    values = {name: rule.parse(rule.default) for name, rule in linear_learner.RULES.items()}
    for name, value in static.items():
        if sentence := _name_fault(name) or _value_fault(name, value):
            yield f"tuning.static_hyperparameters.{name}", sentence
        elif name in linear_learner.RULES:
            values[name] = linear_learner.RULES[name].parse(text_of(value))
    for name in linear_learner.unbiased_without_bias(values):
        yield f"tuning.static_hyperparameters.{name}", "true needs use_bias: true"


def _name_fault(name: str) -> str | None:
    if name in TUNED:
        return "is tuned: SageMaker would refuse a static value"
    if name in _COMPUTED:
        return "is set by the pipeline: remove it"
    if name in linear_learner.CLASSIFICATION_ONLY:
        return "is for classification, and predictor_type is regressor"
    # SageMaker has hyperparameters of its own, whose names begin with an underscore.
    if name in linear_learner.RULES or name.startswith("_"):
        return None
    close = linear_learner.closest_name(name)
    return "is not a hyperparameter of linear-learner" + (f"; did you mean {close!r}?" if close else "")


def _value_fault(name: str, value: bool | float | str) -> str | None:
    rule = linear_learner.RULES.get(name)
    if rule is None:
        return None
    try:
        rule.parse(text_of(value))
    except ValueError:
        classifies = name == "loss" and value in linear_learner.CLASSIFICATION_LOSSES
        hint = "; it is a loss for classification" if classifies else ""
        return f"{value!r} is not {rule.expected.rstrip()}{hint}"
    return None


def _check_early_stopping(config: Config) -> Iterator[Fault]:
    """Refuse early stopping, which has no effect with the objective of the pipeline's tuning jobs.

    Source: SageMaker's developer guide, "Stop Training Jobs Early", the list of supported algorithms.
    """
    if config.tuning.early_stopping == "Auto":
        yield (
            "tuning.early_stopping",
            "Auto has no effect: SageMaker stops training jobs of linear-learner early only if the objective is "
            "objective_loss, and the pipeline's objective is validation:mse. Use Off",
        )


def _check_selection(config: Config) -> Iterator[Fault]:
    if config.tuning.strategy != "Bayesian":
        return
    if config.selection.refits:
        yield (
            "selection.rule",
            (
                f"{config.selection.rule} compares the same points on all folds, and a Bayesian search chooses its own "
                "in each: set tuning.strategy to Grid or Random, or the rule to lowest_mse"
            ),
        )
    if config.dataset.label_transform is not None:
        yield (
            "dataset.label_transform",
            "the error in the label's unit needs models of the same point on all folds, which a Bayesian search has "
            "not: set tuning.strategy to Grid or Random",
        )
    if config.quality.applies_to == "UpperEnd":
        yield "quality.applies_to", "UpperEnd needs an interval, and after a Bayesian search there is none: set Mean"


def _check_quality(config: Config) -> Iterator[Fault]:
    quality = config.quality
    if quality.applies_to == "UpperEnd" and quality.max_mse is None:
        yield "quality.applies_to", "UpperEnd has no effect without quality.max_mse"


def _check_spot_wait(config: Config) -> Iterator[Fault]:
    tuning = config.tuning
    if tuning.spot and tuning.max_wait_minutes < tuning.max_runtime_minutes:
        yield "tuning.max_wait_minutes", "is shorter than tuning.max_runtime_minutes"


def _check_bad_rows(config: Config) -> Iterator[Fault]:
    if config.folds.on_bad_rows == "fail" and config.folds.max_bad_share > 0:
        yield "folds.max_bad_share", "has no effect unless you also set folds.on_bad_rows to quarantine"


def _check_splitting(config: Config) -> Iterator[Fault]:
    grouped, stratified = config.dataset.groups is not None, config.folds.stratify is not None
    if grouped and stratified:
        yield "folds.stratify", "cannot be combined with dataset.groups"
    if not config.folds.shuffle and (grouped or stratified):
        yield "folds.shuffle", "must be true with dataset.groups or folds.stratify, which change the order of the rows"


def _check_endpoint(config: Config) -> Iterator[Fault]:
    deploy = config.deploy
    if deploy.serverless and (deploy.autoscaling or deploy.data_capture_percentage):
        yield "deploy.serverless", "cannot be combined with autoscaling or data_capture_percentage"
    if deploy.serverless and config.aws.vpc:
        yield "deploy.serverless", "cannot be combined with aws.vpc: serverless endpoints do not run in a VPC of yours"
    if deploy.autoscaling and deploy.autoscaling.min_instances > deploy.autoscaling.max_instances:
        yield "deploy.autoscaling.min_instances", "is more than deploy.autoscaling.max_instances"


def _check_triggers(config: Config) -> Iterator[Fault]:
    if config.triggers.on_new_input and not config.dataset.input.startswith("s3://"):
        yield "triggers.on_new_input", "needs dataset.input to be an s3:// prefix to watch"
