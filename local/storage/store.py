"""Store the service's records in SQLite. They survive a restart, even after ``kill -9``."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL,
    key TEXT NOT NULL COLLATE NOCASE,
    position INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (next INTEGER NOT NULL);
INSERT INTO positions SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM positions);
"""


class AlreadyExistsError(Exception):
    """A record with this kind and key exists."""


class MissingError(KeyError):
    """No record with this kind and key exists."""


class Store:
    """Documents (JSON objects) by kind and key, in the order of their creation.

    Keys are case-insensitive like SageMaker's names: ARNs contain names in lower case, and clients take names from
    ARNs.

    Every method is atomic and thread-safe. Its change is durable when it returns, because SQLite's write-ahead log is
    synced at each commit. ``transaction`` combines several calls into one atomic change.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._depth = 0
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database; no method may be called afterwards."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Combine the calls within into one atomic change. An exception rolls all of them back."""
        with self._lock:
            if self._depth == 0:
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._database.execute("COMMIT")
                    self._changed.notify_all()
            except BaseException:
                # SQLite itself ends the transaction after some errors, for example on a full disk.
                if self._depth == 1 and self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def insert(self, kind: str, key: str, document: Document) -> None:
        """Add a record.

        Raises:
            AlreadyExistsError: a record with this kind and key exists.
        """
        with self.transaction():
            (position,) = self._database.execute("UPDATE positions SET next = next + 1 RETURNING next").fetchone()
            try:
                self._database.execute(
                    "INSERT INTO records VALUES (?, ?, ?, ?)", (kind, key, position, json.dumps(document))
                )
            except sqlite3.IntegrityError:
                raise AlreadyExistsError(f"{kind} {key}") from None

    def find(self, kind: str, key: str) -> Document | None:
        """Return the record with a kind and key, or None."""
        with self._lock:
            row = self._database.execute(
                "SELECT document FROM records WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else _load(row[0])

    def get(self, kind: str, key: str) -> Document:
        """Return the record with a kind and key.

        Raises:
            MissingError: there is no such record.
        """
        document = self.find(kind, key)
        if document is None:
            raise MissingError(f"{kind} {key}")
        return document

    def update(self, kind: str, key: str, change: Callable[[Document], None]) -> Document:
        """Change a record.

        Args:
            kind: the record's kind.
            key: the record's key.
            change: modifies the document in place.

        Returns:
            The new document.

        Raises:
            MissingError: there is no such record.
        """
        with self.transaction():
            document = self.get(kind, key)
            change(document)
            self._database.execute(
                "UPDATE records SET document = ? WHERE kind = ? AND key = ?",
                (json.dumps(document), kind, key),
            )
        return document

    def delete(self, kind: str, key: str) -> Document | None:
        """Delete a record; return its document, or None if there was none."""
        with self.transaction():
            row = self._database.execute(
                "DELETE FROM records WHERE kind = ? AND key = ? RETURNING document", (kind, key)
            ).fetchone()
        return None if row is None else _load(row[0])

    def list(self, kind: str, prefix: str = "") -> list[Document]:
        """Return the records of a kind whose keys start with ``prefix``, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT document FROM records WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY position",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [_load(row[0]) for row in rows]

    def wait_until(self, reached: Callable[[], bool], timeout: float) -> bool:
        """Wait until a condition is true. It is evaluated again after every change of a record.

        Args:
            reached: the condition. It must be quick, because the store is locked meanwhile.
            timeout: maximum time to wait, in seconds.

        Returns:
            Whether the condition became true in time.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not reached():
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                self._changed.wait(remaining)
            return True


def _load(text: str) -> Document:
    document: Document = json.loads(text)
    return document
