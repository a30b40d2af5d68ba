"""The CloudWatch log stream of a job."""

from __future__ import annotations

import time

from local.storage.log_files import Logs

PROCESSING = "/aws/sagemaker/ProcessingJobs"
TRAINING = "/aws/sagemaker/TrainingJobs"
TRANSFORM = "/aws/sagemaker/TransformJobs"


class JobLog:
    """A job's log stream, with SageMaker's name for it: ``<job>/algo-1-<epoch seconds>``."""

    def __init__(self, logs: Logs, group: str, job: str) -> None:
        self._logs = logs
        self._group = group
        self._stream = f"{job}/algo-1-{int(time.time())}"

    def write(self, lines: list[str]) -> None:
        """Append lines."""
        if lines:
            self._logs.append(self._group, self._stream, lines)

    def note(self, text: str) -> None:
        """Append a line that says that the service itself wrote it."""
        self.write([f"local service: {text}"])
