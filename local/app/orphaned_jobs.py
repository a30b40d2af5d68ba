"""Jobs whose execution was deleted: their records, and the metrics of jobs without a record."""

from __future__ import annotations

import re
from collections.abc import Iterator

from local.core.settings import Settings
from local.records import executions, resources
from local.records.kinds import PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB, Kind
from local.records.tags import tags_of
from local.runtime.metric_names import TRAINING_JOBS
from local.storage.metric_points import MetricPoints
from local.storage.store import Store

_KINDS = (PROCESSING_JOB, TRAINING_JOB, TUNING_JOB, TRANSFORM_JOB)
_EXECUTION_TAG = "sagemaker:pipeline-execution-arn"
_JOB = re.compile(r":(?:processing-job|training-job|transform-job|hyper-parameter-tuning-job)/([a-z0-9-]+)", re.I)


class JobsInUse:
    """Jobs that records refer to, with the training jobs of tuning jobs among them.

    Args:
        store: the records.
        documents: the records that may refer to jobs, as JSON text: by ARN, or by name as a model package does.
    """

    def __init__(self, store: Store, documents: str) -> None:
        documents = documents.lower()
        by_name = {name.lower() for _, name, _ in _orphans(store) if name.lower() in documents}
        self._names = tuple(sorted(by_name.union(_JOB.findall(documents))))

    def __contains__(self, name: str) -> bool:
        """Return whether a job is in use; a training job's name begins with that of its tuning job."""
        return name.lower().startswith(self._names)


def delete_orphaned_jobs(store: Store, used: JobsInUse) -> set[str]:
    """Delete the records of jobs whose execution does not exist, except for those in use; return their names."""
    deleted = set()
    with store.transaction():
        for kind, name, arn in _orphans(store):
            if name not in used:
                resources.remove(store, kind.name, name, arn)
                deleted.add(name)
    return deleted


def delete_orphaned_metrics(settings: Settings, store: Store) -> None:
    """Delete the metrics of training jobs that have no record, and give their space back to the disk."""
    if not settings.metrics.is_file():
        return
    names = {job["TrainingJobName"] for job in store.list(TRAINING_JOB.name)}
    points = MetricPoints(settings.metrics)
    try:
        points.delete(TRAINING_JOBS, lambda dimensions: dimensions.get("TrainingJobName") not in names)
        points.compact()
    finally:
        points.close()


def _orphans(store: Store) -> Iterator[tuple[Kind, str, str]]:
    """Yield the kind, name and ARN of each job that an execution started which does not exist."""
    existing = {document["PipelineExecutionArn"] for document in store.list(executions.EXECUTION)}
    for kind in _KINDS:
        for record in store.list(kind.name):
            arn = record[kind.arn_member]
            owner = next((tag["Value"] for tag in tags_of(store, arn) if tag["Key"] == _EXECUTION_TAG), None)
            if owner is not None and owner not in existing:
                yield kind, record[kind.name_member], arn
