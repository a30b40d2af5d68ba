"""Checks between the values of a configuration that are each right by themselves."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.config.models import Config

Disagreement = tuple[str, str]
"""The path of a key, and what is wrong with it."""

_Check = Callable[["Config"], Iterator[Disagreement]]

_TUNED = ("learning_rate", "l1")
_COMPUTED = ("feature_dim", "predictor_type", "num_models")

_checks: list[tuple[frozenset[str], _Check]] = []


def disagreements(config: Config, faulty: Set[str] = frozenset()) -> Iterator[Disagreement]:
    """What does not agree within a configuration.

    Args:
        config: the configuration.
        faulty: paths of keys (``tuning.max_jobs``) that are known to be wrong and hold a default here; checks that
            would blame other keys for that are left out.
    """
    for needs, check in _checks:
        if not needs & faulty:
            yield from check(config)


def _meaningless_without(*paths: str) -> Callable[[_Check], _Check]:
    def register(check: _Check) -> _Check:
        _checks.append((frozenset(paths), check))
        return check

    return register


@_meaningless_without("dataset.numeric", "dataset.categorical")
def _there_are_features(config: Config) -> Iterator[Disagreement]:
    if not config.dataset.features:
        yield "dataset.numeric", "there is no feature: name numeric or categorical columns"


@_meaningless_without("dataset.label")
def _columns_have_one_role(config: Config) -> Iterator[Disagreement]:
    dataset = config.dataset
    named = [*dataset.numeric, *dataset.categorical]
    if dataset.label in named:
        yield "dataset.label", f"{dataset.label!r} is also a feature"
    for column in _repeated(named):
        yield "dataset.numeric", f"{column!r} stands more than once among the features"
    one_hot = [f"{column}_{value}" for column, values in dataset.categorical.items() for value in dict.fromkeys(values)]
    features = [*dict.fromkeys(dataset.numeric), *one_hot]
    for feature in _repeated(features):
        yield "dataset.categorical", f"two features would be called {feature!r}"


@_meaningless_without("dataset.categorical")
def _categories_differ(config: Config) -> Iterator[Disagreement]:
    for column, values in config.dataset.categorical.items():
        for value in _repeated(values):
            yield f"dataset.categorical.{column}", f"the value {value!r} stands twice"


@_meaningless_without("dataset.groups", "dataset.label", "dataset.numeric", "dataset.categorical")
def _groups_can_be_found(config: Config) -> Iterator[Disagreement]:
    dataset = config.dataset
    columns = [dataset.label, *dataset.numeric, *dataset.categorical]
    if dataset.groups is not None and not dataset.header and dataset.groups not in columns:
        yield (
            "dataset.groups",
            f"a file without a header has only the declared columns, and no {dataset.groups!r}",
        )


@_meaningless_without("dataset.encoding")
def _encoding_is_known(config: Config) -> Iterator[Disagreement]:
    encoding = config.dataset.encoding
    try:
        codecs.lookup(encoding)
    except LookupError:
        yield "dataset.encoding", f"{encoding!r} is not an encoding, for example UTF-8 or ISO-8859-1"


@_meaningless_without("tuning.strategy", "tuning.learning_rate", "tuning.l1")
def _ranges_suit_the_strategy(config: Config) -> Iterator[Disagreement]:
    tuning = config.tuning
    for name in _TUNED:
        values = getattr(tuning, name)
        if tuning.strategy == "Grid" and len(set(values)) < len(values):
            yield f"tuning.{name}", "a value stands twice"
        if tuning.strategy != "Grid" and (len(values) != 2 or not 0 < values[0] < values[1]):
            yield (
                f"tuning.{name}",
                f"the strategy {tuning.strategy} needs [lowest, highest], both above 0, not {values}",
            )


@_meaningless_without("tuning.strategy", "tuning.learning_rate", "tuning.l1", "tuning.max_jobs")
def _grid_has_a_job_a_point(config: Config) -> Iterator[Disagreement]:
    tuning = config.tuning
    points = len(tuning.learning_rate) * len(tuning.l1)
    if tuning.strategy == "Grid" and points > tuning.max_jobs:
        yield "tuning.max_jobs", f"{tuning.max_jobs} is fewer than the grid's {points} points"
    if tuning.strategy == "Grid" and points < tuning.max_jobs:
        yield "tuning.max_jobs", f"{tuning.max_jobs} is not the grid's {points} points, as SageMaker requires"


@_meaningless_without("tuning.max_jobs", "tuning.max_parallel_jobs")
def _parallel_jobs_exist(config: Config) -> Iterator[Disagreement]:
    tuning = config.tuning
    if tuning.max_parallel_jobs > tuning.max_jobs:
        yield (
            "tuning.max_parallel_jobs",
            f"{tuning.max_parallel_jobs} is more than max_jobs, {tuning.max_jobs}",
        )


@_meaningless_without("tuning.static_hyperparameters")
def _static_hyperparameters_are_free(config: Config) -> Iterator[Disagreement]:
    for name in config.tuning.static_hyperparameters:
        if name in _TUNED:
            yield f"tuning.static_hyperparameters.{name}", "is tuned: a static value would be refused"
        if name in _COMPUTED:
            yield f"tuning.static_hyperparameters.{name}", "is set by the pipeline: remove it"


@_meaningless_without("tuning.spot", "tuning.max_wait_minutes", "tuning.max_runtime_minutes")
def _spot_jobs_wait_long_enough(config: Config) -> Iterator[Disagreement]:
    tuning = config.tuning
    if tuning.spot and tuning.max_wait_minutes < tuning.max_runtime_minutes:
        yield "tuning.max_wait_minutes", "is shorter than tuning.max_runtime_minutes"


@_meaningless_without("folds.on_bad_rows", "folds.max_bad_share")
def _bad_rows_have_one_fate(config: Config) -> Iterator[Disagreement]:
    if config.folds.on_bad_rows == "fail" and config.folds.max_bad_share > 0:
        yield "folds.max_bad_share", "has no meaning unless folds.on_bad_rows is quarantine"


@_meaningless_without("folds.shuffle", "folds.stratify", "dataset.groups")
def _one_way_of_splitting(config: Config) -> Iterator[Disagreement]:
    grouped, stratified = config.dataset.groups is not None, config.folds.stratify is not None
    if grouped and stratified:
        yield "folds.stratify", "cannot be combined with dataset.groups"
    if not config.folds.shuffle and (grouped or stratified):
        yield "folds.shuffle", "false keeps the order of the file, which groups and stratify cannot"


@_meaningless_without("deploy.serverless", "deploy.autoscaling", "deploy.data_capture_percentage")
def _endpoint_options_agree(config: Config) -> Iterator[Disagreement]:
    deploy = config.deploy
    if deploy.serverless and (deploy.autoscaling or deploy.data_capture_percentage):
        yield "deploy.serverless", "excludes autoscaling and data_capture_percentage"
    if deploy.autoscaling and deploy.autoscaling.min_instances > deploy.autoscaling.max_instances:
        yield "deploy.autoscaling.min_instances", "is more than deploy.autoscaling.max_instances"


@_meaningless_without("deploy.serverless", "aws.vpc")
def _serverless_has_no_network_of_its_own(config: Config) -> Iterator[Disagreement]:
    if config.deploy.serverless and config.aws.vpc:
        yield "deploy.serverless", "excludes aws.vpc: SageMaker runs serverless endpoints outside a customer's network"


@_meaningless_without("triggers.on_new_input", "dataset.input")
def _new_input_can_be_watched(config: Config) -> Iterator[Disagreement]:
    if config.triggers.on_new_input and not config.dataset.input.startswith("s3://"):
        yield "triggers.on_new_input", "needs dataset.input to be an s3:// prefix to watch"


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)
