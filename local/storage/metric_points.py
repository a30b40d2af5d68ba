"""Data points of CloudWatch metrics, by minute, in a SQLite file.

A minute keeps how often each value was seen, so that percentiles can be computed. Points are collected in memory and
written in one go. Both are bounded: points older than CloudWatch keeps minutes are deleted, and the oldest ones if
there are too many.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.storage.compaction import compact

Dimensions = Mapping[str, str]

RETENTION_SECONDS = 15 * 86400
"""CloudWatch keeps data points of one minute for 15 days.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Metric
"""

MAX_ROWS = 200_000
_BUFFERED = 2_000
_SECONDS_BETWEEN_WRITES = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS points (
    namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,
    minute INTEGER NOT NULL, value REAL NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (namespace, name, dimensions, minute, value)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_minute ON points (minute);
"""
_ADD = "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
_log = logging.getLogger(__name__)


class MetricPoints:
    """Data points by namespace, name and dimensions."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._buffer: dict[tuple[str, str, str, int, float], int] = {}
        self._written = time.monotonic()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.executescript(_SCHEMA)

    def add(
        self, namespace: str, dimensions: Dimensions, values: Mapping[str, float], moment: float | None = None
    ) -> bool:
        """Add one value of several metrics.

        Args:
            namespace: the metrics' namespace.
            dimensions: the metrics' dimensions.
            values: a value by each metric's name.
            moment: when they were seen, in seconds since the epoch; now if None.

        Returns:
            Whether enough points wait in memory that ``write`` should be called.
        """
        minute = int((time.time() if moment is None else moment) // 60)
        text = _text(dimensions)
        with self._lock:
            for name, value in values.items():
                key = namespace, name, text, minute, value
                self._buffer[key] = self._buffer.get(key, 0) + 1
            late = time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES
            return late or len(self._buffer) > _BUFFERED

    def write(self) -> None:
        """Write the points that wait in memory. If that fails, for example on a full disk, they are lost."""
        with self._lock:
            points, self._buffer = self._buffer, {}
            self._written = time.monotonic()
            if not points:
                return
            try:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.executemany(_ADD, [(*key, count) for key, count in points.items()])
                self._database.execute(
                    "DELETE FROM points WHERE minute < ?", ((time.time() - RETENTION_SECONDS) // 60,)
                )
                self._delete_oldest()
                self._database.execute("COMMIT")
            except sqlite3.Error:
                _log.exception("metrics were not written")
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def series(self, namespace: str) -> list[tuple[str, dict[str, str]]]:
        """Return the names and dimensions of a namespace's metrics."""
        self.write()
        with self._lock:
            rows = self._database.execute(
                "SELECT DISTINCT name, dimensions FROM points WHERE namespace = ? ORDER BY name, dimensions",
                (namespace,),
            ).fetchall()
        return [(name, json.loads(dimensions)) for name, dimensions in rows]

    def read(
        self, namespace: str, name: str, dimensions: Dimensions, start: float, end: float
    ) -> list[tuple[int, float, int]]:
        """Return a metric's points from one time to before another.

        Args:
            namespace: the metric's namespace.
            name: the metric's name.
            dimensions: exactly its dimensions.
            start: in seconds since the epoch.
            end: in seconds since the epoch.

        Returns:
            Triples of the minute's beginning, in seconds since the epoch, a value, and how often it was seen.
        """
        self.write()
        with self._lock:
            rows = self._database.execute(
                "SELECT minute, value, count FROM points WHERE namespace = ? AND name = ? AND dimensions = ?"
                " AND minute * 60 >= ? AND minute * 60 < ? ORDER BY minute, value",
                (namespace, name, _text(dimensions), start, end),
            ).fetchall()
        return [(minute * 60, value, count) for minute, value, count in rows]

    def delete(self, namespace: str, chosen: Callable[[Dimensions], bool]) -> None:
        """Delete the metrics of a namespace whose dimensions are chosen."""
        self.write()
        with self._lock:
            found = self._database.execute(
                "SELECT DISTINCT dimensions FROM points WHERE namespace = ?", (namespace,)
            ).fetchall()
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "DELETE FROM points WHERE namespace = ? AND dimensions = ?",
                [(namespace, text) for (text,) in found if chosen(json.loads(text))],
            )
            self._database.execute("COMMIT")

    def compact(self) -> None:
        """Make the file as small as its points, if the disk has room for that."""
        with self._lock:
            compact(self._database)

    def close(self) -> None:
        """Write what waits in memory, and close the file; no method may be called afterwards."""
        self.write()
        with self._lock:
            self._database.close()

    def _delete_oldest(self) -> None:
        (rows,) = self._database.execute("SELECT count(*) FROM points").fetchone()
        if rows > MAX_ROWS:
            (minute,) = self._database.execute(
                "SELECT minute FROM points ORDER BY minute LIMIT 1 OFFSET ?", (rows - MAX_ROWS,)
            ).fetchone()
            self._database.execute("DELETE FROM points WHERE minute <= ?", (minute,))


def _text(dimensions: Dimensions) -> str:
    return json.dumps(dict(sorted(dimensions.items())))
