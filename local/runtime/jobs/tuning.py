"""Runs tuning jobs."""

from __future__ import annotations

import logging
import math
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from local.core.outcomes import JobOutcome, failed
from local.records import training_jobs as training_record
from local.records import tuning_jobs as tuning_record
from local.records.jobs import end_job
from local.records.kinds import TUNING_JOB
from local.records.tags import save_tags, tags_of
from local.records.training_jobs import OBJECTIVE
from local.records.tuning_jobs import KIND, TUNED
from local.runtime.algorithms import Algorithm
from local.runtime.jobs import ranges, training, training_kinds
from local.runtime.jobs.early_stopping import MedianRule
from local.runtime.jobs.failures import outcome_of
from local.runtime.jobs.metrics import MetricReader
from local.runtime.jobs.search import Point, search
from local.runtime.jobs.training import TrainingRunner
from local.runtime.supervisor import Supervisor
from local.storage.store import Store

if TYPE_CHECKING:
    from local.storage.store import Document

_ATTEMPTS_WITHOUT_SUCCESS = 5
_MOST_PROGRAMS = 16
"""Maximum number of programs of a tuning job that run at once. Further training jobs of a batch wait."""
_TUNING_MEMBERS = (
    "DefinitionName",
    "TuningObjective",
    "HyperParameterRanges",
    "StaticHyperParameters",
    "HyperParameterTuningResourceConfig",
)
_log = logging.getLogger(__name__)


def program_key(name: str) -> str:
    """Return the key in the supervisor for the program that trains a batch of a tuning job."""
    return f"{KIND}/{name}"


@dataclass(frozen=True)
class TuningRunner:
    """Runs tuning jobs."""

    store: Store
    region: str
    supervisor: Supervisor
    training: TrainingRunner

    def run(self, name: str) -> None:
        """Run a tuning job whose record exists, and write the outcome to the record."""
        outcome = outcome_of(_Tuning(self, name).run, lambda lines: _log.error("\n".join(lines)))
        finish(self.store, name, outcome)


def finish(store: Store, name: str, outcome: JobOutcome) -> None:
    """Write a tuning job's outcome to its record. A job that is Stopping becomes Stopped, whatever the outcome."""

    def change(record: Document) -> None:
        end_job(record, TUNING_JOB, outcome, "HyperParameterTuningEndTime")
        seconds = record["HyperParameterTuningEndTime"] - record["CreationTime"]
        record["ConsumedResources"] = {"RuntimeInSeconds": math.ceil(seconds)}

    store.update(KIND, name, change)


class _Tuning:
    """A running tuning job."""

    def __init__(self, runner: TuningRunner, name: str) -> None:
        self._runner = runner
        self._name = name
        self._record = self._runner.store.get(KIND, name)
        self._config: dict[str, Any] = self._record["HyperParameterTuningJobConfig"]
        self._definition: dict[str, Any] = self._record["TrainingJobDefinition"]
        self._objective = tuning_record.objective(self._record)
        self._minimize = self._objective["Type"] == "Minimize"
        self._limits: dict[str, Any] = self._config["ResourceLimits"]
        self._rule = MedianRule(minimize=self._minimize)
        self._ended: list[Document] = []

    def run(self) -> JobOutcome:
        """Train batches until a limit or a completion criterion is reached, or no points are left."""
        chosen = ranges.read(self._config["ParameterRanges"], {})
        seed = self._config.get("RandomSeed")
        strategy = search(self._config["Strategy"], chosen, minimize=self._minimize, seed=seed)
        while (count := self._batch_size()) and (points := strategy.ask(count)):
            names = self._make_training_jobs(points)
            if not names:
                break
            self._train(names)
            for name, point in zip(names, points, strict=True):
                job = self._runner.store.get(training_record.KIND, name)
                self._ended.append(job)
                strategy.tell(point, tuning_record.value(job))
            if reason := self._failure_reason(enough=_ATTEMPTS_WITHOUT_SUCCESS):
                return failed(reason)
            if self._meets_completion_criteria():
                break
        reason = self._failure_reason(enough=1)
        return failed(reason) if reason else JobOutcome("Completed")

    def _batch_size(self) -> int:
        """Return the number of training jobs to start next, limited by MaxParallelTrainingJobs."""
        most = self._limits.get("MaxNumberOfTrainingJobs", math.inf)
        if self._seconds_left() <= 0:
            return 0
        return int(min(self._limits["MaxParallelTrainingJobs"], most - len(self._ended)))

    def _seconds_left(self) -> float:
        limit: float = self._limits.get("MaxRuntimeInSeconds", math.inf)
        started: float = self._record["CreationTime"]
        return started + limit - time.time()

    def _make_training_jobs(self, points: list[Point]) -> list[str]:
        """Create the records of a batch and return the names, or an empty list if the tuning job is Stopping."""
        tags = tags_of(self._runner.store, self._record["HyperParameterTuningJobArn"])
        names = []
        with self._runner.store.transaction():
            if self._runner.store.get(KIND, self._name)["HyperParameterTuningJobStatus"] == "Stopping":
                return []
            for number, point in enumerate(points, start=len(self._ended) + 1):
                name = f"{self._name}-{number:03d}-{secrets.token_hex(4)}"
                record = training_record.new(self._runner.region, self._request(name, point))
                record["TuningJobArn"] = self._record["HyperParameterTuningJobArn"]
                record[TUNED] = point
                self._runner.store.insert(training_record.KIND, name, record)
                save_tags(self._runner.store, record["TrainingJobArn"], tags)
                names.append(name)
        return names

    def _request(self, name: str, point: Point) -> dict[str, Any]:
        """Return the request of CreateTrainingJob for a point."""
        given = {member: value for member, value in self._definition.items() if member not in _TUNING_MEMBERS}
        resources = self._definition.get("HyperParameterTuningResourceConfig")
        if resources:
            # SageMaker takes the first available instance type of the list.
            choices = resources.get("InstanceConfigs") or [resources]
            members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
            merged = resources | choices[0]
            given["ResourceConfig"] = {member: merged[member] for member in members if member in merged}
        static = self._definition.get("StaticHyperParameters", {})
        return given | {"TrainingJobName": name, "HyperParameters": static | point}

    def _train(self, names: list[str]) -> None:
        left = self._seconds_left()
        most_seconds = None if math.isinf(left) else left
        if self._builtin() and not self._can_stop_early():
            self._runner.training.run_together(names, program_key(self._name), most_seconds=most_seconds)
            return
        # One program per job: the user's code has a container of its own, and early stopping stops single jobs.
        with ThreadPoolExecutor(min(len(names), _MOST_PROGRAMS)) as threads:
            values = threads.map(partial(self._train_alone, most_seconds), names)
        for each in values:
            self._rule.add(each)

    def _can_stop_early(self) -> bool:
        """Return whether early stopping is asked for, and the objective has a value after each epoch or round.

        Of the user's code, SageMaker expects that it prints the objective after each epoch.
        """
        if self._config.get("TrainingJobEarlyStoppingType") != "Auto":
            return False
        algorithm = self._builtin()
        return algorithm is None or self._objective["MetricName"] in algorithm.objectives_of_rounds

    def _builtin(self) -> Algorithm | None:
        return training_kinds.builtin(self._runner.training.settings, self._definition)

    def _train_alone(self, most_seconds: float | None, name: str) -> list[float]:
        """Train one job, and stop it if early stopping is asked for and the median rule says so.

        Returns:
            The objective's values, one for each epoch.
        """
        key = training.program_key(name)
        values: list[float] = []
        stops_early = self._can_stop_early()

        def listen(name: str, metrics: MetricReader) -> None:
            reached = metrics.history.get(OBJECTIVE, [])
            for count in range(len(values) + 1, len(reached) + 1):
                if stops_early and self._rule.stops(reached[:count]):
                    self._runner.store.update(training_record.KIND, name, training_record.stop_if_running)
                    self._runner.supervisor.terminate(key)
                    break
            values[:] = reached

        self._runner.training.run_together([name], key, most_seconds=most_seconds, listener=listen)
        return values

    def _failure_reason(self, *, enough: int) -> str | None:
        """Return the FailureReason in SageMaker's words, or None.

        Args:
            enough: The number of training jobs without any success that make a failure.
        """
        succeeded = [job for job in self._ended if job["TrainingJobStatus"] != "Failed"]
        if not succeeded and len(self._ended) >= enough:
            first = self._ended[0].get("FailureReason", "")
            return (
                f"No training job succeeded after {len(self._ended)} attempts. For additional details, please "
                "take a look at the training job failures by listing training jobs for the hyperparameter "
                f"tuning job. The first: {first}"
            )
        if succeeded and all(tuning_record.value(job) is None for job in succeeded):
            return (
                f"No objective metrics found after running {len(self._ended)} training jobs. Please ensure that "
                "the algorithm is emitting the objective metric as defined by the regular expression provided."
            )
        return None

    def _meets_completion_criteria(self) -> bool:
        """Return whether a completion criterion is met."""
        criteria = self._config.get("TuningJobCompletionCriteria", {})
        best = tuning_record.best(self._record, self._ended)
        if best is None:
            return False
        target, reached = criteria.get("TargetObjectiveMetricValue"), tuning_record.value(best)
        sign = 1 if self._minimize else -1
        if target is not None and reached is not None and sign * reached <= sign * target:
            return True
        patience = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
        since = len(self._ended) - 1 - self._ended.index(best)
        return patience is not None and since >= patience
