"""AWS Lambda on this machine: uploaded zips whose handlers run in processes of their own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from local.records import functions as records
from local.runtime.functions.invocation import InvocationResult, invoke

if TYPE_CHECKING:
    from local.context import Context

__all__ = ["InvocationResult", "invoke", "restore"]


def restore(context: Context) -> None:
    """Clear away what invocations and updates of an earlier run left behind."""
    for record in context.store.list(records.KIND):
        folder = context.settings.functions / record["FunctionName"]
        shutil.rmtree(folder / "invocations", ignore_errors=True)
        for code in (folder / "code").iterdir():
            if code.name != record["_Code"]:
                shutil.rmtree(code, ignore_errors=True)
