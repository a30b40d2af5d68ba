"""Train the jobs of one program, which share the data that they have in common."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import xgboost

from definition_language.xgboost import MAXIMIZED_METRICS
from local.algorithms.errors import AlgorithmError, ClientError
from local.algorithms.program import StopRequest, by_input, failures_reported, run
from local.algorithms.xgboost.channels import first_lines
from local.algorithms.xgboost.job import Job
from local.algorithms.xgboost.metrics import evaluation

_CUSTOMER_ERRORS: Final = (
    "label must be in (0, 1)",
    "label must be discrete values in the range of [0, num_class)",
    "label must be nonnegative",
    "base_score must be in (0,1)",
    "the dataset only contains pos or neg samples",
    "Invalid shape of labels",
    "should be greater equal to 0",
)
"""Parts of the library's errors that are the user's input. The container has such a list for older versions' words."""


@dataclass
class _Group:
    """Groups jobs that have the same input, so that it is read once.

    Attributes:
        jobs: The jobs.
        data: The matrices by channel.
    """

    jobs: list[Job]
    data: dict[str, xgboost.DMatrix] = field(default_factory=dict)


class _Rounds(xgboost.callback.TrainingCallback):
    """Logs each round, and ends the training after SIGTERM."""

    def __init__(self, job: Job, stop: StopRequest) -> None:
        self._job = job
        self._stop = stop

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Log the round's metrics. Return whether to end the training."""
        values = (
            f"#011{channel}-{metric}:{history[-1]:.5f}"
            for channel, metrics in evals_log.items()
            for metric, history in metrics.items()
        )
        self._job.log.line(f"[{epoch}]{''.join(values)}")
        if not self._stop():
            return False
        if self._job.hyperparameters.save_on_termination:
            self._job.save(model)
        return True


def main(arguments: Sequence[str]) -> int:
    """Train the jobs in the given ``/opt/ml`` folders, one after another.

    Input that several jobs share is read once. A job's failure is written to its own folder and does not stop other
    jobs.

    Returns:
        The exit code, as ``program.run`` says.
    """
    return run("local.algorithms.xgboost", arguments, Job, _train_all)


def _train_all(jobs: list[Job], stop: StopRequest) -> None:
    for job in jobs:
        with failures_reported([job]):
            job.configure()
    for alike in by_input([job for job in jobs if not job.failed], _input_of):
        if not stop.received:
            _train(_Group(alike), stop)


def _input_of(job: Job) -> object:
    return tuple(channel.identity() for channel in job.channels)


def _train(group: _Group, stop: StopRequest) -> None:
    with failures_reported(group.jobs), xgboost.config_context(verbosity=0):
        group.data = {channel.name: channel.read() for channel in group.jobs[0].channels}
    for job in group.jobs:
        if stop.received or job.failed:
            return
        with failures_reported([job]):
            _announce(job, group.data)
            model = _fit(job, group.data, stop)
            if not stop.received:
                job.save(model)


def _announce(job: Job, data: dict[str, xgboost.DMatrix]) -> None:
    job.log.write("Single node training.")
    job.log.write(f"Train matrix has {data['train'].num_row()} rows and {data['train'].num_col()} columns")
    if "validation" in data:
        job.log.write(f"Validation matrix has {data['validation'].num_row()} rows")
    missing = [
        what
        for what, absent in (
            ("a validation channel", "validation" not in data),
            ("eval_metric or a tuning objective", job.hyperparameters.early_stopping_without_metric),
        )
        if absent
    ]
    asked = job.hyperparameters.early_stopping or job.hyperparameters.early_stopping_without_metric
    if asked and missing:
        job.log.write(
            f"early_stopping_rounds has no effect without {' and '.join(missing)}, here and in SageMaker",
            level=logging.WARNING,
        )


def _fit(job: Job, data: dict[str, xgboost.DMatrix], stop: StopRequest) -> xgboost.Booster:
    chosen = job.hyperparameters
    callbacks: list[xgboost.callback.TrainingCallback] = [_Rounds(job, stop)]
    if chosen.early_stopping and "validation" in data:
        rounds, metric = chosen.early_stopping
        callbacks.append(
            xgboost.callback.EarlyStopping(
                rounds=rounds,
                data_name="validation",
                metric_name=metric,
                maximize=metric in MAXIMIZED_METRICS,
                save_best=True,
            )
        )
    objective = chosen.library.get("objective", "reg:squarederror")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = xgboost.train(
                chosen.library,
                data["train"],
                num_boost_round=chosen.rounds,
                evals=[(matrix, name) for name, matrix in data.items()],
                custom_metric=evaluation(chosen.custom_metrics, objective) if chosen.custom_metrics else None,
                callbacks=callbacks,
                verbose_eval=False,
            )
    except ClientError:
        raise
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        text = first_lines(error)
        if any(known in text for known in _CUSTOMER_ERRORS):
            raise ClientError(text) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n {text}") from error
    for text in dict.fromkeys(
        first_lines(warning.message) for warning in caught if isinstance(warning.message, UserWarning)
    ):
        job.log.write(*(line for line in text.splitlines() if line.strip()), level=logging.WARNING)
    return model
