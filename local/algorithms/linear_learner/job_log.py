"""The log of one training job. Its lines match SageMaker's metric definitions."""

import json
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.algorithms.linear_learner.fitting import Epoch
from local.algorithms.linear_learner.scoring import Metric


class JobLog:
    """Writes lines like ``[03/22/2020 20:43:21 INFO 140403405219648] #quality_metric: ...``, and flushes each.

    Attributes:
        host: The name of the training instance, for metric lines.
    """

    def __init__(self, path: Path, host: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self.host = host
        self._epochs_without_improvement = 0
        self.start_clock()

    def start_clock(self) -> None:
        """Start the clock of the first epoch."""
        self._previous = time.time()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def write(self, *messages: str, level: int = logging.INFO) -> None:
        """Write messages, one per line."""
        stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
        prefix = f"[{stamp} {logging.getLevelName(level)} {threading.get_ident()}]"
        self._file.write("".join(f"{prefix} {message}\n" for message in messages))
        self._file.flush()

    def epoch(self, epoch: Epoch, job: int, epochs: int, rows: int, objective: str) -> None:
        """Write the results of an epoch for one job.

        Args:
            epoch: The results of all jobs that train together.
            job: The index of this job in those results.
            epochs: The maximum number of epochs.
            rows: The number of rows that the epoch trained on.
            objective: The name of the training loss.
        """
        number, start, end = epoch.number, self._previous, time.time()
        self._previous = end
        losses = {"train": float(epoch.train_loss[job])}
        if epoch.validation_loss is not None:
            losses["validation"] = float(epoch.validation_loss[job])
        criterion = float(epoch.criterion[job])
        dimensions = {"Algorithm": "Linear Learner", "Host": self.host, "Operation": "training", "epoch": number}
        metrics = {f"{channel}_{objective}": value for channel, value in losses.items()}
        progress = 100 * (number + 1) // epochs
        self.write(
            _metrics_line(metrics, {**dimensions, "model": 0}, start, end),
            *(
                f"#quality_metric: host={self.host}, epoch={number}, {channel} {objective} <loss>={value!r}"
                for channel, value in losses.items()
            ),
            f"#early_stopping_criteria_metric: host={self.host}, epoch={number}, "
            f"criteria={epoch.criterion_name or objective}, value={criterion!r}",
            self._improvement(number, bool(epoch.improved[job])),
            f"#progress_metric: host={self.host}, completed {progress} % of epochs",
            f"#throughput_metric: host={self.host}, train throughput={rows / max(end - start, 1e-6)!r} records/second",
        )

    def _improvement(self, number: int, improved: bool) -> str:
        self._epochs_without_improvement = 0 if improved else self._epochs_without_improvement + 1
        if improved:
            return f"Epoch {number}: Loss improved. Updating best model"
        return f"Epoch {number}: Loss has not improved for {self._epochs_without_improvement} epochs."

    def score(self, channel: str, metrics: Sequence[Metric]) -> None:
        """Write a channel's final metrics."""
        self.write(
            *(f"#{channel}_score ({self.host}) : {(name, value)!r}" for name, value, _ in metrics),
            *(
                f"#quality_metric: host={self.host}, {channel} {name} <{kind}>={value!r}"
                for name, value, kind in metrics
            ),
        )


def _metrics_line(values: Mapping[str, float], dimensions: Mapping[str, Any], start: float, end: float) -> str:
    metrics = {
        name: {"count": 1, "min": value, "max": value, "sum": value}
        for name, value in values.items()
        if math.isfinite(value)
    }
    document = {"Metrics": metrics, "StartTime": start, "EndTime": end, "Dimensions": dimensions}
    return f"#metrics {json.dumps(document)}"
