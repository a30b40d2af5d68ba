"""Train the jobs in a list of folders: the command ``python -m local.algorithms.linear_learner``."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from definition_language.linear_learner import BINARY, REGRESSOR
from definition_language.text import number_of
from local.algorithms.errors import ClientError
from local.algorithms.linear_learner.channels import Array, read_once
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.classification_scoring import mean_loss, score_binary, score_multiclass
from local.algorithms.linear_learner.fitting import (
    Dataset,
    Epoch,
    fit_together,
    lockstep_key,
    rows_used,
)
from local.algorithms.linear_learner.job import Job
from local.algorithms.linear_learner.labels import check_labels
from local.algorithms.linear_learner.losses import objective_name
from local.algorithms.linear_learner.models import LinearModel, Outcome
from local.algorithms.linear_learner.scoring import Metric, score
from local.algorithms.program import StopRequest, by_input, failures_reported, run


@dataclass
class _Group:
    """Groups jobs that have the same input, so that it is read once.

    Attributes:
        jobs: The jobs.
        rows: The input rows, by channel.
    """

    jobs: list[Job]
    rows: dict[str, Array] = field(default_factory=dict)

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.rows["train"], self.rows.get("validation"))


def main(arguments: Sequence[str]) -> int:
    """Train the jobs in the given ``/opt/ml`` folders.

    Input that several jobs share is read once. Jobs that differ only in learning rate, l1 and wd train together. A
    job's failure is written to its own folder and does not stop other jobs.

    Returns:
        The exit code, as ``program.run`` says.
    """

    def train(jobs: list[Job], stop: StopRequest) -> None:
        with failures_reported(jobs):
            _train(jobs, Choices.from_environment(), stop)

    return run("local.algorithms.linear_learner", arguments, Job, train)


def _train(jobs: Sequence[Job], choices: Choices, stop: StopRequest) -> None:
    for job in jobs:
        with failures_reported([job]):
            job.configure(choices)
    groups = [_Group(alike) for alike in by_input([job for job in jobs if not job.failed], _input_of)]
    for group in groups:
        with failures_reported(group.jobs):
            _read(group)
    for block in _blocks(groups, choices):
        if stop.received:
            return
        with failures_reported([job for group in block for job in group.jobs]):
            _train_block(block, choices, stop)


def _input_of(job: Job) -> object:
    return (job.hyperparameters.feature_dim, *(channel.identity() for channel in job.channels))


def _read(group: _Group) -> None:
    feature_dim = group.jobs[0].hyperparameters.feature_dim
    group.rows = read_once(group.jobs[0].channels, feature_dim)
    features = group.rows["train"].shape[1] - 1
    if feature_dim not in (None, features):
        raise ClientError(
            f"feature_dim: {feature_dim} does not match the {number_of(features, 'feature')} of the train channel"
        )
    counts = ", ".join(f"{name} {len(rows)}" for name, rows in group.rows.items())
    for job in group.jobs:
        job.log.write(f"Read rows: {counts}; {number_of(features, 'feature')}")
        with failures_reported([job]):
            check_labels(group.rows, job.hyperparameters)


def _blocks(groups: Iterable[_Group], choices: Choices) -> list[list[_Group]]:
    """Divide the jobs into blocks that train in lockstep. A block has groups, each with the jobs of one input."""
    blocks: dict[object, list[_Group]] = defaultdict(list)
    for group in groups:
        alike: dict[object, list[Job]] = defaultdict(list)
        for job in group.jobs:
            if not job.failed:
                alike[job.hyperparameters.shared()].append(job)
        for shared, jobs in alike.items():
            with failures_reported(jobs):
                part = _Group(jobs, group.rows)
                models = sum(job.hyperparameters.num_models for job in jobs)
                key = lockstep_key(part.dataset, jobs[0].hyperparameters, choices)
                blocks[shared, models, key].append(part)
    return list(blocks.values())


def _train_block(block: Sequence[_Group], choices: Choices, stop: StopRequest) -> None:
    jobs = [job for group in block for job in group.jobs]
    shared = jobs[0].hyperparameters
    objective = objective_name(shared)
    rows = {job: _announce_rows(job, group, choices) for group in block for job in group.jobs}

    def listen(epoch: Epoch) -> None:
        for index, job in enumerate(jobs):
            if epoch.running[index]:
                job.log.epoch(epoch, index, shared.epochs, rows[job], objective)

    for job in jobs:
        job.log.start_clock()
    hyperparameters = [[job.hyperparameters for job in group.jobs] for group in block]
    outcomes = iter(fit_together([group.dataset for group in block], hyperparameters, choices, listen, stop))
    for group in block:
        _finish(group, [next(outcomes) for _ in group.jobs])


def _announce_rows(job: Job, group: _Group, choices: Choices) -> int:
    """Return the number of rows that an epoch trains on, and log how many are left out."""
    rows = len(group.rows["train"])
    used = rows_used(rows, job.hyperparameters.mini_batch_size, choices)
    if used < rows:
        job.log.write(f"The last {rows - used} of {rows} train rows do not fill a mini-batch and are left out")
    return used


def _finish(group: _Group, outcomes: Sequence[Outcome]) -> None:
    """Write each job's model and scores, or its failure."""
    trained: list[tuple[Job, LinearModel]] = []
    for job, outcome in zip(group.jobs, outcomes, strict=True):
        if isinstance(outcome, LinearModel):
            trained.append((job, outcome))
        else:
            job.fail(outcome)
    if not trained:
        return
    models = [model for _, model in trained]
    for channel, rows in group.rows.items():
        for (job, _), metrics in zip(trained, _metrics(rows, models), strict=True):
            job.log.score(channel, metrics)
    for job, model in trained:
        if "test" not in group.rows:
            job.log.write("Test data is not provided.")
        with failures_reported([job]):
            job.save(model)


def _metrics(rows: Array, models: Sequence[LinearModel]) -> list[list[Metric]]:
    """Return the final metrics of models of one loss, the objective first."""
    shared = models[0].hyperparameters
    name = objective_name(shared)
    if shared.predictor_type == REGRESSOR:
        return [[Metric(name, each.objective), *each.metrics()] for each in score(rows, models)]
    score_classifier = score_binary if shared.predictor_type == BINARY else score_multiclass
    return [[Metric(name, mean_loss(rows, model)), *score_classifier(rows, model)] for model in models]
