"""Gives the space of deleted rows of a database back to the disk."""

from __future__ import annotations

import sqlite3
from contextlib import suppress


def compact(database: sqlite3.Connection) -> None:
    """Make a database's file as small as its content, if the disk has room for that."""
    # It needs as much room as is left over afterwards, which a full disk does not have.
    with suppress(sqlite3.OperationalError):
        database.execute("VACUUM")
