"""Uploads of a processing job's outputs to S3."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType

from local.runtime.errors import JobFailedError
from local.storage.objects import Objects, S3Uri, UploadError, files_to_upload

_SECONDS_BETWEEN = 1.0


def upload(objects: Objects, folder: Path, uri: str) -> list[str]:
    """Copy all files of an output's folder to S3.

    Args:
        objects: The buckets.
        folder: The output's folder.
        uri: The S3 prefix of the objects.

    Returns:
        The keys of the objects.

    Raises:
        JobFailedError: The bucket does not exist, or a file cannot become an object. Nothing was copied.
    """
    if not objects.bucket_exists(uri):
        bucket = S3Uri.parse(uri).bucket
        raise JobFailedError(f"ClientError: Failed to upload to {uri}: the bucket {bucket} does not exist")
    try:
        return objects.upload(folder, uri)
    except UploadError as error:
        raise JobFailedError(f"ClientError: Failed to upload to {uri}: {error}") from None


class ContinuousUpload:
    """Uploads new and changed files of outputs while a job runs, for S3UploadMode Continuous.

    Args:
        objects: The buckets.
        outputs: The folders of the outputs by S3 prefix.
    """

    def __init__(self, objects: Objects, outputs: dict[str, Path]) -> None:
        self._objects = objects
        self._outputs = outputs
        self._seen: dict[Path, tuple[int, int]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="continuous upload", daemon=True)

    def __enter__(self) -> ContinuousUpload:
        if self._outputs:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._outputs:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN):
            for uri, folder in self._outputs.items():
                # A file that cannot be uploaded yet, has just been renamed or finds a full disk is tried again.
                with contextlib.suppress(UploadError, OSError):
                    if self._objects.bucket_exists(uri):
                        self._upload_changes(uri, folder)

    def _upload_changes(self, uri: str, folder: Path) -> None:
        parsed = S3Uri.parse(uri)
        for file in files_to_upload(folder):
            state = file.stat()
            version = (state.st_size, state.st_mtime_ns)
            if self._seen.get(file) != version:
                self._objects.copy_in(file, str(self._objects.uri_of(file, folder, parsed)))
                self._seen[file] = version
