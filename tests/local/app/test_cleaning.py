from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.app.cleaning import delete_executions
from local.app.server import LocalService, ServiceHeldError
from local.core.settings import Settings
from local.records import executions as records
from local.records.kinds import MODEL_PACKAGE
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


def execute(settings: Settings, name: str, **step: object) -> None:
    """Leave the records, the objects and the logs of an execution."""
    arn = f"{PIPELINE}/execution/{name}"
    with store_of(settings) as store:
        ended = {"PipelineExecutionArn": arn, "PipelineExecutionStatus": "Succeeded"}
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

    assert delete_executions(settings, {OLD}) == 4 * 10 + 2 * len("a line") + len("{}") + 5
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
