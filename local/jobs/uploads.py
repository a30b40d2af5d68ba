"""A processing job's outputs, brought to S3."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from local.jobs.endings import JobFailedError
from local.s3.objects import Objects, S3Uri

_SECONDS_BETWEEN = 1.0


def upload(objects: Objects, folder: Path, uri: str) -> list[str]:
    """Copy everything in an output's folder to S3; return the keys.

    Raises:
        JobFailedError: the bucket does not exist.
    """
    if not objects.bucket_exists(uri):
        bucket = S3Uri.parse(uri).bucket
        raise JobFailedError(f"ClientError: Failed to upload to {uri}: the bucket {bucket} does not exist")
    return objects.upload(folder, uri)


class ContinuousUpload:
    """Brings new and changed files of an output to S3 while the job runs (S3UploadMode Continuous)."""

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
                if self._objects.bucket_exists(uri):
                    self._upload_changes(uri, folder)

    def _upload_changes(self, uri: str, folder: Path) -> None:
        for file in [path for path in folder.rglob("*") if path.is_file()]:
            state = file.stat()
            version = (state.st_size, state.st_mtime_ns)
            if self._seen.get(file) != version:
                self._seen[file] = version
                self._objects.write(f"{uri.rstrip('/')}/{file.relative_to(folder).as_posix()}", file.read_bytes())
