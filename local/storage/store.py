"""Store the service's records in SQLite. They survive a restart, even after ``kill -9``."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.core.disk import Disk
from local.storage.compaction import compact

Document = dict[str, Any]
Row = tuple[str, str, int, str]
"""A record: its kind, key, position in the order of creation, and document as JSON text."""

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

    Keys are case-insensitive like SageMaker's names.

    Every method is atomic and thread-safe. Its change is durable when it returns, because SQLite's write-ahead log is
    synced at each commit. ``transaction`` combines several calls into one atomic change.

    If the disk is full, a change fails with ``sqlite3.OperationalError``. In a patient thread (``local.core.disk``), it
    waits in memory until there is room; until then readers see the records as they were.

    Args:
        path: the database; it is created if it does not exist.
        disk: whom to tell about changes that wait.
    """

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._disk = disk or Disk()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._within_transaction = False
        self._is_waiting = False
        self._statements: list[tuple[str, tuple[Any, ...]]] = []
        self._actions: list[Callable[[], object]] = []
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        # Only a commit writes to the disk, so only a commit finds it full.
        self._database.execute("PRAGMA cache_spill=OFF")
        self._database.executescript(_SCHEMA)

    def compact(self) -> None:
        """Make the file as small as its records, if the disk has room for that."""
        with self._lock:
            compact(self._database)

    def close(self) -> None:
        """Close the database; no method may be called afterwards."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Combine the calls within into one atomic change. An exception rolls all of them back."""
        with self._lock:
            if self._within_transaction:
                yield
                return
            self._let_others_go_first()
            self._database.execute("BEGIN IMMEDIATE")
            self._within_transaction, self._statements, self._actions = True, [], []
            try:
                yield
                self._commit()
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._within_transaction = False
            self._changed.notify_all()
            actions = self._actions
        for act in actions:
            act()

    def when_committed(self, action: Callable[[], object]) -> None:
        """Do something as soon as this thread's transaction is durable, and not at all if it is rolled back."""
        with self.transaction():
            self._actions.append(action)

    def insert(self, kind: str, key: str, document: Document) -> None:
        """Add a record.

        Raises:
            AlreadyExistsError: a record with this kind and key exists.
        """
        with self.transaction():
            ((position,),) = self._write("UPDATE positions SET next = next + 1 RETURNING next")
            try:
                self._write("INSERT INTO records VALUES (?, ?, ?, ?)", kind, key, position, json.dumps(document))
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
            text = json.dumps(document)
            self._write("UPDATE records SET document = ? WHERE kind = ? AND key = ?", text, kind, key)
        return document

    def delete(self, kind: str, key: str) -> Document | None:
        """Delete a record; return its document, or None if there was none."""
        with self.transaction():
            rows = self._write("DELETE FROM records WHERE kind = ? AND key = ? RETURNING document", kind, key)
        return _load(rows[0][0]) if rows else None

    def list(self, kind: str, prefix: str = "") -> list[Document]:
        """Return the records of a kind whose keys start with ``prefix``, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT document FROM records WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY position",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [_load(row[0]) for row in rows]

    def items(self, kind: str) -> Sequence[tuple[str, Document]]:
        """Return the keys and records of a kind, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT key, document FROM records WHERE kind = ? ORDER BY position", (kind,)
            ).fetchall()
        return [(key, _load(document)) for key, document in rows]

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

    def wake_waiting(self) -> None:
        """Make the threads in ``wait_until`` evaluate their conditions."""
        with self._lock:
            self._changed.notify_all()

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Add the records of another store with their positions."""
        with self.transaction():
            for row in rows:
                self._write("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", *row)
                self._write("UPDATE positions SET next = max(next, ?)", row[2])

    def _write(self, statement: str, *values: Any) -> Sequence[Any]:
        """Execute a statement of the present transaction, and return its rows."""
        rows = self._database.execute(statement, values).fetchall()
        self._statements.append((statement, values))
        return rows

    def _commit(self) -> None:
        try:
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if not self._disk.may_wait(error):
                raise
        else:
            return
        self._is_waiting = True
        try:
            with self._disk.waiting() as seconds:
                while not self._commit_again(seconds):
                    pass
        finally:
            self._is_waiting = False

    def _commit_again(self, after_seconds: float) -> bool:
        """Repeat the transaction; return whether there was room. Others can read meanwhile."""
        self._roll_back()
        self._within_transaction = False
        # Releases the lock. Nobody else changes a record before this transaction is written.
        self._changed.wait(after_seconds)
        self._within_transaction = True
        try:
            self._database.execute("BEGIN IMMEDIATE")
            for statement, values in self._statements:
                self._database.execute(statement, values).fetchall()
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            if not self._disk.may_wait(error):
                raise
            return False
        return True

    def _let_others_go_first(self) -> None:
        """Wait until the transaction that waits for room is written, or fail if this thread is not patient."""
        while self._is_waiting:
            full = sqlite3.OperationalError("database or disk is full")
            full.sqlite_errorcode = sqlite3.SQLITE_FULL
            if not self._disk.may_wait(full):
                raise full
            self._changed.wait(1.0)

    def _roll_back(self) -> None:
        # SQLite itself ends the transaction after some errors, for example on a full disk.
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")


def _load(text: str) -> Document:
    document: Document = json.loads(text)
    return document
