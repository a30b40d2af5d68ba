"""Upload a processing job's outputs to S3."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType

from local.runtime.jobs.failures import JobFailedError
from local.storage.objects import Objects, S3Uri, UploadError, files_to_upload

_SECONDS_BETWEEN = 1.0


def upload(objects: Objects, folder: Path, uri: str) -> list[str]:
    """Copy everything in an output's folder to S3; return the keys.

    Raises:
        JobFailedError: the bucket does not exist, or a file cannot be an object; nothing was copied.
    """
    if not objects.bucket_exists(uri):
        bucket = S3Uri.parse(uri).bucket
        raise JobFailedError(f"ClientError: Failed to upload to {uri}: the bucket {bucket} does not exist")
    try:
        return objects.upload(folder, uri)
    except UploadError as error:
        raise JobFailedError(f"ClientError: Failed to upload to {uri}: {error}") from None


class ContinuousUpload:
    """Uploads new and changed files of an output while the job runs (S3UploadMode Continuous)."""

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
                # What cannot be uploaded, or has just been renamed, is looked at again, at the job's end at the latest.
                with contextlib.suppress(UploadError, FileNotFoundError):
                    if self._objects.bucket_exists(uri):
                        self._upload_changes(uri, folder)

    def _upload_changes(self, uri: str, folder: Path) -> None:
        parsed = S3Uri.parse(uri)
        for file in files_to_upload(folder):
            state = file.stat()
            version = (state.st_size, state.st_mtime_ns)
            if self._seen.get(file) != version:
                self._seen[file] = version
                self._objects.copy_in(file, str(self._objects.uri_of(file, folder, parsed)))
