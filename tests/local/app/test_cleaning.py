from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.app.cleaning import delete_executions, find_executions
from local.app.server import LocalService, ServiceHeldError
from local.core.settings import Settings
from local.records import executions as records
from local.records.kinds import MODEL_PACKAGE, PROCESSING_JOB, TRAINING_JOB, TUNING_JOB, Kind
from local.records.tags import save_tags, tags_of
from local.runtime.metric_names import ENDPOINTS, TRAINING_JOBS
from local.storage.metric_points import MetricPoints
from local.storage.objects import Objects
from local.storage.store import Store

PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/prices"
JOB = "arn:aws:sagemaker:us-east-1:123456789012:processing-job"
OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


@pytest.fixture
def settings(tmp_path) -> Settings:
    made = Settings(tmp_path / ".local", port=0)
    made.root.mkdir()
    return made


@contextmanager
def store_of(settings: Settings) -> Iterator[Store]:
    store = Store(settings.database)
    yield store
    store.close()


def arn_of(execution: str) -> str:
    return f"{PIPELINE}/execution/{execution}"


def execute(settings: Settings, name: str, **step: object) -> None:
    """Leave the records, the objects and the logs of an execution."""
    arn = arn_of(name)
    with store_of(settings) as store:
        ended = {"PipelineExecutionArn": arn, "PipelineExecutionStatus": "Succeeded", "LastModifiedTime": 1.5}
        store.insert(records.EXECUTION, arn, ended)
        records.start_step(store, arn, {"StepName": "MakeFolds", "StepStatus": "Succeeded", **step})
    objects = Objects(settings.buckets)
    for key in ("folds/folds.json", "models/one/model.tar.gz", "best/best.json", "best/model.tar.gz"):
        objects.write(f"s3://bucket/prices/executions/{name}/{key}", b"0123456789")
    for job in (f"pipelines-{name}-MakeFolds-x", f"{name}-TuneFold-x-001"):
        log = settings.logs / "aws/sagemaker/ProcessingJobs" / job / "algo-1.log"
        log.parent.mkdir(parents=True)
        log.write_text("a line")


def keys_of(settings: Settings) -> list[str]:
    return Objects(settings.buckets).keys("s3://bucket/")


def logs_of(settings: Settings) -> list[str]:
    return sorted(path.parent.name for path in settings.logs.rglob("*.log"))


def test_only_the_files_and_records_of_the_named_executions_are_deleted(settings) -> None:
    execute(settings, OLD)
    execute(settings, NEW)
    Objects(settings.buckets).write("s3://bucket/prices/data/rows.csv", b"0123456789")
    sidecar = settings.buckets / f"bucket/.nanio-meta/prices/executions/{OLD}/best/best.json.json"
    sidecar.parent.mkdir(parents=True)
    sidecar.write_text("{}")
    failed = settings.jobs / "processing" / f"pipelines-{OLD}-MakeFolds-x"
    failed.mkdir(parents=True)
    (failed / "output").write_text("12345")

    before = settings.database.stat().st_size
    freed = delete_executions(settings, {OLD})
    assert freed - before + settings.database.stat().st_size == 4 * 10 + 2 * len("a line") + len("{}") + 5
    assert not failed.exists()
    assert not list(settings.buckets.rglob(OLD))
    assert len(keys_of(settings)) == 5
    assert not [key for key in keys_of(settings) if OLD in key]
    assert logs_of(settings) == [f"{NEW}-TuneFold-x-001", f"pipelines-{NEW}-MakeFolds-x"]
    with store_of(settings) as store:
        (left,) = store.list(records.EXECUTION)
        assert left["PipelineExecutionArn"].endswith(NEW)
        assert len(store.list(records.STEP)) == 1


def test_results_that_a_kept_execution_reuses_are_kept(settings) -> None:
    execute(settings, OLD)
    reused = {
        "Metadata": {"ProcessingJob": {"Arn": f"{JOB}/pipelines-{OLD}-makefolds-x"}},
        "_Properties": {"S3Uri": f"s3://bucket/prices/executions/{OLD}/folds"},
    }
    execute(settings, NEW, **reused)
    delete_executions(settings, {OLD})
    assert [key for key in keys_of(settings) if OLD in key] == [f"prices/executions/{OLD}/folds/folds.json"]
    assert f"pipelines-{OLD}-MakeFolds-x" in logs_of(settings)
    assert f"{OLD}-TuneFold-x-001" not in logs_of(settings)


def test_the_artifacts_of_registered_models_are_kept(settings) -> None:
    execute(settings, OLD)
    artifact = f"prices/executions/{OLD}/best/model.tar.gz"
    with store_of(settings) as store:
        store.insert(MODEL_PACKAGE.name, "prices/1", {"ModelDataUrl": f"s3://bucket/{artifact}"})
    delete_executions(settings, {OLD})
    assert keys_of(settings) == [artifact]


def leave_jobs(settings: Settings, execution: str, *more: str) -> None:
    """Leave the records and the metrics of an execution's jobs, and of jobs that no execution started."""
    jobs = [(PROCESSING_JOB, f"pipelines-{execution}-MakeFolds-x"), (TUNING_JOB, f"{execution}-TuneFold1-y")]
    jobs += [(TRAINING_JOB, name) for name in (f"{execution}-TuneFold1-y-001-z", f"prefix-{execution}-w")]
    with store_of(settings) as store:
        for kind, name in jobs:
            _leave_job(store, kind, name, [{"Key": "sagemaker:pipeline-execution-arn", "Value": arn_of(execution)}])
        for name in more:
            _leave_job(store, TRAINING_JOB, name, None)
    points = MetricPoints(settings.metrics)
    for name in (f"{execution}-TuneFold1-y-001-z", f"prefix-{execution}-w", *more):
        points.add(TRAINING_JOBS, {"TrainingJobName": name}, {f"metric {number}": 1.0 for number in range(500)})
    points.close()


def _leave_job(store: Store, kind: Kind, name: str, tags: list[dict[str, str]] | None) -> None:
    arn = kind.arn("us-east-1", name)
    store.insert(kind.name, name, {kind.name_member: name, kind.arn_member: arn})
    save_tags(store, arn, tags)


def jobs_of(settings: Settings) -> set[str]:
    """The names of the jobs that have a record; those of training jobs have metrics, too."""
    with store_of(settings) as store:
        training = {job["TrainingJobName"] for job in store.list(TRAINING_JOB.name)}
        others = {job[kind.name_member] for kind in (PROCESSING_JOB, TUNING_JOB) for job in store.list(kind.name)}
    points = MetricPoints(settings.metrics)
    assert {dimensions["TrainingJobName"] for _, dimensions in points.series(TRAINING_JOBS)} == training
    points.close()
    return training | others


def test_jobs_of_executions_that_are_gone_are_deleted_with_their_metrics(settings) -> None:
    for name in (OLD, NEW):
        execute(settings, name)
    for name, more in ((OLD, ["my-own-job"]), (NEW, []), ("deletedlong1", [])):
        leave_jobs(settings, name, *more)
    points = MetricPoints(settings.metrics)
    points.add(ENDPOINTS, {"EndpointName": "prices"}, {"Invocations": 1.0})
    points.close()
    before = settings.metrics.stat().st_size

    freed = delete_executions(settings, {OLD})
    of_new = {f"pipelines-{NEW}-MakeFolds-x", f"{NEW}-TuneFold1-y", f"{NEW}-TuneFold1-y-001-z", f"prefix-{NEW}-w"}
    assert jobs_of(settings) == of_new | {"my-own-job"}
    assert settings.metrics.stat().st_size < before / 1.5
    assert freed > before / 3
    points = MetricPoints(settings.metrics)
    assert points.series(ENDPOINTS) == [("Invocations", {"EndpointName": "prices"})]
    points.close()
    with store_of(settings) as store:
        assert tags_of(store, TRAINING_JOB.arn("us-east-1", f"prefix-{OLD}-w")) == []
        assert tags_of(store, TRAINING_JOB.arn("us-east-1", f"prefix-{NEW}-w")) != []


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [
        ({"tuning_job": f"{OLD}-TuneFold1-y"}, {f"{OLD}-TuneFold1-y", f"{OLD}-TuneFold1-y-001-z"}),
        ({"training_job": f"prefix-{OLD}-w"}, {f"prefix-{OLD}-w"}),
        ({}, set()),
    ],
)
def test_the_jobs_of_registered_models_are_kept(settings, metadata, kept) -> None:
    execute(settings, OLD)
    leave_jobs(settings, OLD)
    with store_of(settings) as store:
        store.insert(MODEL_PACKAGE.name, "prices/1", {"CustomerMetadataProperties": metadata})
    delete_executions(settings, {OLD})
    assert jobs_of(settings) == kept


def test_the_jobs_that_a_kept_execution_reuses_are_kept(settings) -> None:
    execute(settings, OLD)
    leave_jobs(settings, OLD)
    execute(settings, NEW, Metadata={"TuningJob": {"Arn": TUNING_JOB.arn("us-east-1", f"{OLD}-TuneFold1-y")}})
    delete_executions(settings, {OLD})
    assert jobs_of(settings) == {f"{OLD}-TuneFold1-y", f"{OLD}-TuneFold1-y-001-z"}


def test_all_executions_are_found_with_their_last_change(settings) -> None:
    assert find_executions(settings) == {}
    execute(settings, OLD)
    execute(settings, NEW)
    assert {name: time.timestamp() for name, time in find_executions(settings).items()} == {OLD: 1.5, NEW: 1.5}


def test_nothing_is_deleted_while_a_service_runs(settings) -> None:
    execute(settings, OLD)
    before = keys_of(settings)
    with LocalService(settings), pytest.raises(ServiceHeldError):
        delete_executions(settings, {OLD})
    assert keys_of(settings) == before


def test_links_in_a_bucket_are_not_followed(settings, tmp_path: Path) -> None:
    execute(settings, OLD)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("mine")
    (settings.buckets / f"bucket/prices/executions/{OLD}/link").symlink_to(tmp_path / "outside")
    delete_executions(settings, {OLD})
    assert (tmp_path / "outside/file").read_text() == "mine"
