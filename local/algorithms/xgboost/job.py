"""One training job's ``/opt/ml`` folder: its configuration, channels, log, model and failure."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import xgboost

from local.algorithms.configuration import read_config
from local.algorithms.errors import AlgorithmError, ClientError
from local.algorithms.xgboost import artifact
from local.algorithms.xgboost.channels import Channel, channels
from local.algorithms.xgboost.hyperparameters import Hyperparameters, read

_FAILURE_CHARACTERS = 1024


class JobLog:
    """Writes lines as the container does, and flushes each."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def write(self, *messages: str, level: int = logging.INFO) -> None:
        """Write messages like ``[2025-07-06:01:18:34:INFO] Single node training.``, one per line."""
        stamp = time.strftime("%Y-%m-%d:%H:%M:%S", time.gmtime())
        self.line("\n".join(f"[{stamp}:{logging.getLevelName(level)}] {message}" for message in messages))

    def line(self, text: str) -> None:
        """Write a line as it is."""
        self._file.write(f"{text}\n")
        self._file.flush()


class Job:
    """A training job.

    Attributes:
        hyperparameters: The parsed hyperparameters, set by ``configure``.
        channels: The train channel, and the validation channel if there is one; set by ``configure``.
        log: The log file, ``output/log.txt``.
        failed: Whether the job failed. ``output/failure`` has the reason.
    """

    hyperparameters: Hyperparameters
    channels: list[Channel]

    def __init__(self, root: Path) -> None:
        self._root = root
        self.failed = False
        self.log = JobLog(root / "output/log.txt")

    def configure(self) -> None:
        """Read the configuration files.

        Raises:
            ClientError: The configuration is invalid or not supported.
        """
        self.log.write("Running XGBoost Sagemaker in algorithm mode")
        self.hyperparameters = read(read_config(self._root, "hyperparameters.json"))
        config = read_config(self._root, "inputdataconfig.json")
        self.channels = channels(self._root, config, weighted=self.hyperparameters.csv_weights)

    def save(self, model: xgboost.Booster) -> None:
        """Write the model artifact. The service uploads it."""
        artifact.write(self._root / "model" / artifact.FILE, model)

    def fail(self, error: Exception) -> None:
        """Write why the job failed to the log and to ``output/failure``, as the container's framework does."""
        if isinstance(error, ClientError):
            reason = f"sagemaker_algorithm_toolkit.exceptions.UserError: {error}"
        elif isinstance(error, AlgorithmError):
            reason = f"sagemaker_algorithm_toolkit.exceptions.AlgorithmError: {error}"
        else:
            reason = f"{type(error).__name__}: {error}"
        self.log.write(*reason.splitlines(), level=logging.ERROR)
        shown = f"AlgorithmError: framework error: {reason}"[: _FAILURE_CHARACTERS - 20]
        (self._root / "output/failure").write_text(f"{shown}, exit code: 1", encoding="utf-8")
        self.failed = True
