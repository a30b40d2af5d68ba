"""Checks between values of a configuration: each value is valid, but they do not fit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from definition_language.objectives import bounds
from pipeline.config.column_checks import Fault, check_columns, check_texts
from pipeline.config.search_checks import check_search
from pipeline.text import number_of

if TYPE_CHECKING:
    from pipeline.config.models import Config

_NOT_IN_UNITS = ("mape", "rmsle")
"""Metrics that SelectBest takes from the training jobs only, on the scale on which these were trained."""

_EXAMPLES = {"binary": '["no", "yes"], of which the second is the positive one', "multiclass": "[low, middle, high]"}


def check_config(config: Config) -> Iterator[Fault]:
    """Yield the faults between the values of a configuration that pydantic has validated."""
    yield from check_columns(config.dataset)
    yield from _check_problem(config)
    yield from check_search(config)
    yield from _check_selection(config)
    yield from _check_quality(config)
    yield from _check_spot_wait(config)
    yield from _check_bad_rows(config)
    yield from _check_splitting(config)
    yield from _check_endpoint(config)
    yield from _check_triggers(config)


def _check_problem(config: Config) -> Iterator[Fault]:
    dataset, problem = config.dataset, config.training.problem
    classes = dataset.classes
    if problem == "regression":
        if classes is not None:
            yield "dataset.classes", "is for classification: set training.problem to binary or multiclass"
        if dataset.label_transform is not None and config.task.metric in _NOT_IN_UNITS:
            yield "dataset.label_transform", f"{config.tuning.objective} is not computed in the label's own unit"
        return
    if classes is None:
        yield "dataset.classes", f"is missing: list the label's values in the file, for example {_EXAMPLES[problem]}"
    elif len(set(classes)) < len(classes):
        yield "dataset.classes", "a class is listed twice"
    elif problem == "binary" and len(classes) != 2:
        yield (
            "dataset.classes",
            f"lists {number_of(len(classes), 'value')}, and binary needs two; the second is the positive one",
        )
    elif problem == "multiclass" and len(classes) <= 2:
        yield "dataset.classes", f"lists {number_of(len(classes), 'value')}, and multiclass needs three or more"
    yield from check_texts("dataset.classes", classes or [])
    if dataset.label_transform is not None:
        yield "dataset.label_transform", f"is for numbers, and training.problem is {problem}"
    if config.folds.stratify is not None:
        yield "folds.stratify", "is for numbers: with classes, every fold gets its share of each class anyway"


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
    quality, objective = config.quality, config.tuning.objective
    if quality.applies_to == "UpperEnd" and quality.given is None:
        yield "quality.applies_to", "UpperEnd has no effect without quality.limit"
    if quality.max_mse is not None and quality.limit is not None:
        yield "quality.max_mse", "is another name of quality.limit: remove one of them"
    if quality.max_mse is not None and config.task.metric != "mse":
        yield "quality.max_mse", f"is an MSE, and the objective is {objective}: use quality.limit"
    if quality.given is None and not config.algorithm.knows_constant(config.task, config.tuning.static_hyperparameters):
        yield (
            "quality.limit",
            f"is missing: {objective} of always predicting the same, the usual limit, is unknown",
        )
    lowest, highest = bounds(config.task.metric)
    if quality.limit is not None and not lowest <= quality.limit <= highest:
        yield "quality.limit", f"{quality.limit:g} is no value of {objective}, which is {lowest:g} to {highest:g}"


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
