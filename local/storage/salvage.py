"""Checks the record store before it is used, and saves what can be read of a damaged one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from definition_language.text import number_of
from local.storage.set_aside import SetAside
from local.storage.store import Row, Store

_BEYOND_THE_FILE = ("BUSY", "LOCKED", "READONLY", "IOERR", "FULL", "CANTOPEN", "PERM", "AUTH", "NOMEM")
"""SQLite's primary errors that do not say that the file is damaged."""
_ROWS = "SELECT kind, key, position, document FROM records ORDER BY kind {0}, key {0}"


@dataclass
class _Reading:
    """What can be read of a store.

    Attributes:
        rows: the records by kind and key.
        bad: records that are no JSON objects in UTF-8: kind, key and text.
        damage: what SQLite says about the file, or empty.
    """

    rows: dict[tuple[str, str], Row]
    bad: list[tuple[bytes, bytes, bytes]]
    damage: str = ""


def salvage(path: Path, aside: SetAside) -> None:
    """Set aside a store that is damaged, and records that are no JSON objects.

    A new store gets the records of a damaged one that can be read.

    Args:
        path: the database, which need not exist.
        aside: where damaged files and records go.

    Raises:
        OSError: the file cannot be read or moved.
        sqlite3.Error: the database cannot be read for a reason that is not its content, for example a full disk.
    """
    aside.expect_file(path, "the service begins without its earlier records")
    if not path.exists():
        # A log without its database would be replayed into the new one.
        _set_aside_files(path, aside, "has lost its database")
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.text_factory = bytes
        reading = _read(database)
        if not reading.damage:
            for bad in reading.bad:
                database.execute("DELETE FROM records WHERE CAST(kind AS BLOB) = ? AND CAST(key AS BLOB) = ?", bad[:2])
    for kind, key, document in reading.bad:
        name, place, text = (each.decode(errors="replace") for each in (kind, key, document))
        aside.record(name, place, text, "is no JSON object")
    if not reading.damage:
        return
    rows = sorted(reading.rows.values(), key=lambda row: row[2])
    saved = (
        f"{number_of(len(rows), 'record')} could be read and {'is' if len(rows) == 1 else 'are'} kept"
        if rows
        else "none of its records could be read"
    )
    _set_aside_files(path, aside, f"is damaged ({reading.damage}): {saved}")
    with closing(Store(path)) as store:
        store.add_rows(rows)


def set_aside_damaged(path: Path, aside: SetAside, why: str) -> None:
    """Set aside a SQLite file that is damaged, with all that it has.

    Args:
        path: the database, which need not exist.
        aside: where it goes.
        why: what follows, for the user.

    Raises:
        OSError: the file cannot be moved.
        sqlite3.Error: the database cannot be read for a reason that is not its content.
    """
    aside.expect_file(path, why)
    damage = ""
    if path.exists():
        with closing(sqlite3.connect(path)) as database:
            try:
                ((said,),) = database.execute("PRAGMA quick_check(1)").fetchall()
                damage = "" if said == "ok" else str(said).splitlines()[-1]
            except sqlite3.DatabaseError as error:
                damage = _damage(error)
    if damage or not path.exists():
        _set_aside_files(path, aside, f"is damaged ({damage}): {why}")


def _set_aside_files(path: Path, aside: SetAside, why: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        if file.exists():
            aside.file(file, why if not suffix else "belongs to it")


def _read(database: sqlite3.Connection) -> _Reading:
    reading = _Reading({}, [])
    try:
        if database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            return reading
        ((said,),) = database.execute("PRAGMA quick_check(1)").fetchall()
        if said != b"ok":
            reading.damage = str(said, errors="replace").splitlines()[-1]
        _check_positions(database)
    except sqlite3.DatabaseError as error:
        reading.damage = _damage(error)
    # From both ends: a damaged page ends each.
    for direction in ("ASC", "DESC"):
        try:
            for row in database.execute(_ROWS.format(direction)):
                _take(reading, *row)
        except sqlite3.DatabaseError as error:
            reading.damage = reading.damage or _damage(error)
        if not reading.damage:
            break
    return reading


def _take(reading: _Reading, kind: Any, key: Any, position: Any, document: Any) -> None:
    raw = _bytes(kind), _bytes(key), _bytes(document)
    try:
        name, place, text = (each.decode() for each in raw)
        if isinstance(json.loads(text), dict) and isinstance(position, int):
            reading.rows[name, place] = (name, place, position, text)
            return
    except (ValueError, RecursionError):
        pass
    if raw not in reading.bad:
        reading.bad.append(raw)


def _check_positions(database: sqlite3.Connection) -> None:
    """Repair the number of the next record, which is needed to add one."""
    found = database.execute("SELECT next FROM positions").fetchall()
    (highest,) = database.execute("SELECT max(position) FROM records").fetchone()
    highest = highest if isinstance(highest, int) else 0
    if len(found) != 1 or not isinstance(found[0][0], int) or found[0][0] < highest:
        database.execute("DELETE FROM positions")
        database.execute("INSERT INTO positions VALUES (?)", (highest,))


def _damage(error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.removeprefix("SQLITE_").startswith(_BEYOND_THE_FILE):
        raise error
    return str(error)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
