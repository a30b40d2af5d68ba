"""Clean up functions after an earlier run of the service."""

from __future__ import annotations

import shutil

from local.core.settings import Settings
from local.records import functions as records
from local.storage.set_aside import SetAside
from local.storage.store import Document, Store


def restore(store: Store, settings: Settings, aside: SetAside) -> list[str]:
    """Clean up after the invocations and updates of an earlier run.

    Returns:
        A sentence about each function whose code is missing.
    """
    sentences = []
    for record in store.list(records.KIND):
        name = record["FunctionName"]
        folder = settings.functions / name
        for needed in (folder, folder / "code"):
            aside.expect_folder(needed, f"it held the code of the function {name}")
        shutil.rmtree(folder / "invocations", ignore_errors=True)
        for code in (folder / "code").iterdir() if (folder / "code").is_dir() else ():
            if code.name != record["_Code"]:
                shutil.rmtree(code, ignore_errors=True)
        if not _has_code(settings, record):
            records.lose_code(store, name)
            sentences.append(f"function {name}: Failed, because its code is missing. Publish its code again.")
    return sentences


def _has_code(settings: Settings, record: Document) -> bool:
    code = records.code_folder(settings, record["FunctionName"], record["_Code"])
    return code.is_dir() and any(code.iterdir())
