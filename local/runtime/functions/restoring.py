"""Clean up functions after an earlier run of the service."""

from __future__ import annotations

import shutil

from local.core.settings import Settings
from local.records import functions as records
from local.storage.store import Store


def restore(store: Store, settings: Settings) -> None:
    """Clean up after the invocations and updates of an earlier run."""
    for record in store.list(records.KIND):
        folder = settings.functions / record["FunctionName"]
        shutil.rmtree(folder / "invocations", ignore_errors=True)
        for code in (folder / "code").iterdir():
            if code.name != record["_Code"]:
                shutil.rmtree(code, ignore_errors=True)
