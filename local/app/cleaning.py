"""Delete the files and records of old executions, while no service runs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from local.app.orphaned_jobs import JobsInUse, delete_orphaned_jobs, delete_orphaned_metrics
from local.app.server import hold_folder
from local.core.settings import Settings
from local.records import executions as records
from local.records.kinds import ENDPOINT_CONFIG, MODEL, MODEL_PACKAGE
from local.runtime.images import environments
from local.storage.object_paths import METADATA_FOLDER
from local.storage.objects import Objects
from local.storage.store import Store

_S3_URI = re.compile(r's3://[^"\\\s]+')


def find_executions(settings: Settings) -> dict[str, datetime]:
    """Return the ids of all executions, and when each of them last changed.

    Raises:
        ServiceHeldError: a service uses the folder.
    """
    if not settings.database.is_file():
        return {}
    with hold_folder(settings), _open_store(settings) as store:
        return {
            records.execution_id(each["PipelineExecutionArn"]): datetime.fromtimestamp(each["LastModifiedTime"], UTC)
            for each in store.list(records.EXECUTION)
        }


def delete_executions(settings: Settings, ids: Set[str]) -> int:
    """Delete executions: their records, their objects under ``<pipeline>/executions/<id>/``, and their jobs.

    Jobs are deleted with their records, logs and metrics, and so are those of executions that were deleted before. A
    deleted execution cannot be found by step caching, so no later execution reuses objects that are gone. Objects
    and jobs that other executions reuse are kept, and so are those of registered models and of endpoints.

    Args:
        settings: the folder of the service.
        ids: the executions' ids.

    Returns:
        By how many bytes the folder has become smaller.

    Raises:
        ServiceHeldError: a service uses the folder.
    """
    if not settings.database.is_file():
        return 0
    with hold_folder(settings):
        before = _size_of_databases(settings)
        with _open_store(settings) as store:
            documents = _documents_in_use(store, ids)
            # Records first: if this is interrupted, nothing refers to objects that are gone.
            _delete_records(store, ids)
            used = JobsInUse(store, documents)
            jobs = delete_orphaned_jobs(store, used)
            freed = _delete_objects(Objects(settings.buckets), ids, tuple(set(_S3_URI.findall(documents))))
            freed += sum(delete_tree(folder) for folder in _job_folders(settings, ids, jobs) if folder.name not in used)
            delete_orphaned_metrics(settings, store)
            store.compact()
        return freed + before - _size_of_databases(settings)


def delete_environments(settings: Settings) -> int:
    """Delete the Python environments of images. A job that needs one makes it again.

    Returns:
        The number of bytes that the deleted files had.

    Raises:
        ServiceHeldError: a service uses the folder.
    """
    folder = settings.root / environments.FOLDER
    if not folder.is_dir():
        return 0
    with hold_folder(settings):
        return delete_tree(folder)


def delete_tree(folder: Path) -> int:
    """Delete a folder, and return the number of bytes that its files had."""
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    shutil.rmtree(folder)
    return size


@contextmanager
def _open_store(settings: Settings) -> Iterator[Store]:
    store = Store(settings.database)
    try:
        yield store
    finally:
        store.close()


def _documents_in_use(store: Store, ids: Set[str]) -> str:
    """Return the records that may refer to the executions' objects and jobs, as text."""
    kept = [arn for arn in _execution_arns(store) if records.execution_id(arn) not in ids]
    documents = [step for arn in kept for step in records.steps(store, arn)]
    for kind in (MODEL_PACKAGE, MODEL, ENDPOINT_CONFIG):
        documents += store.list(kind.name)
    return json.dumps(documents)


def _execution_arns(store: Store) -> list[str]:
    return [document["PipelineExecutionArn"] for document in store.list(records.EXECUTION)]


def _delete_records(store: Store, ids: Set[str]) -> None:
    with store.transaction():
        for arn in _execution_arns(store):
            if records.execution_id(arn) in ids:
                records.delete_execution(store, arn)


def _delete_objects(objects: Objects, ids: Set[str], used: tuple[str, ...]) -> int:
    freed = 0
    for folder in objects.root.glob("*/*/executions/*"):
        if folder.name not in ids or folder.is_symlink():
            continue
        bucket, *parts = folder.relative_to(objects.root).parts
        prefix = "/".join(parts)
        for key in objects.keys(f"s3://{bucket}/{prefix}/"):
            uri = f"s3://{bucket}/{key}"
            if not uri.startswith(used):
                files = [objects.path(uri), *objects.paths.sidecars(bucket, key)]
                freed += sum(path.stat().st_size for path in files if path.is_file())
                objects.delete(uri)
        sidecars = objects.paths.bucket(bucket) / METADATA_FOLDER / prefix
        for emptied in (folder, sidecars):
            _delete_empty_folders(emptied)
    return freed


def _delete_empty_folders(folder: Path) -> None:
    deepest_first = sorted(folder.rglob("*"), key=lambda path: len(path.parts), reverse=True)
    for path in [*deepest_first, folder]:
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


def _size_of_databases(settings: Settings) -> int:
    return sum(path.stat().st_size for path in (settings.database, settings.metrics) if path.is_file())


def _job_folders(settings: Settings, ids: Iterable[str], jobs: Set[str]) -> list[Path]:
    """Return the folders of the executions' jobs and of others, with logs or with what a failed job left."""
    prefixes = tuple(f"{start}{each}-" for each in ids for start in ("", "pipelines-"))
    folders = [*settings.logs.glob("aws/sagemaker/*/*"), *settings.jobs.glob("*/*")]
    return [
        folder for folder in folders if (folder.name.startswith(prefixes) or folder.name in jobs) and folder.is_dir()
    ]
