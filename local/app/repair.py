"""Sets aside what is damaged in the service's folder before its parts are created."""

from __future__ import annotations

from contextlib import closing

from local.core import secret
from local.core.settings import LOCK_FILE, LOG_FILE, Settings
from local.records.completeness import set_aside_incomplete
from local.storage.salvage import salvage, set_aside_damaged
from local.storage.set_aside import SetAside
from local.storage.store import Store


def clear_lock(settings: Settings, aside: SetAside) -> None:
    """Set aside what keeps the folder from being locked."""
    aside.expect_file(settings.root / LOCK_FILE, "the service creates a new one")


def clear_folder(settings: Settings, aside: SetAside) -> None:
    """Set aside what is damaged. This process holds the folder.

    Raises:
        OSError: a file cannot be read or moved.
        sqlite3.Error: the record store cannot be read, though it is not damaged.
    """
    if secret.is_damaged(settings.root):
        why = 'is not a secret key; there is a new one: run eval "$(make -s local-env)" again in other shells'
        aside.file(settings.root / secret.FILE, why)
    aside.expect_file(settings.root / LOG_FILE, "the service begins a new one")
    folders = (settings.buckets, settings.jobs, settings.logs, settings.functions, settings.endpoints)
    for folder in (*folders, settings.model_servers):
        aside.expect_folder(folder, "the service creates a new one")
    salvage(settings.database, aside)
    set_aside_damaged(settings.metrics, aside, "the service begins without its earlier metrics")
    with closing(Store(settings.database)) as store:
        set_aside_incomplete(store, aside)
