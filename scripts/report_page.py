"""Writes the page about an execution into the folder of its run."""

from __future__ import annotations

import os
import sys
import uuid
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.console import console
from scripts.run_folders import run_folder

if TYPE_CHECKING:
    from boto3 import Session

    from pipeline.operate.execution import ExecutionState
    from pipeline.operate.results import Results


def draw_page(session: Session, state: ExecutionState, results: Results) -> str:
    """Return the page about an execution.

    Args:
        session: a ``boto3.Session`` of the account.
        state: the execution.
        results: its results.
    """
    # Imported here, because Vega takes long to import, and no other command draws.
    from pipeline.report.evidence import read_evidence  # noqa: PLC0415
    from pipeline.report.page import rendered  # noqa: PLC0415

    with console.status("Drawing the report"):
        return rendered(read_evidence(session, state, results))


def write_page(state: ExecutionState, page: str) -> Path:
    """Write the page about an execution, and return its path. An earlier page stays until this one is whole."""
    path = run_folder(state.arn) / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        unfinished.write_text(page, "utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def show_page(path: Path) -> None:
    """Print where the page is, and open it if there is a person with a display."""
    console.print(f"\nThe same with pictures: {path}", markup=False)
    has_display = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_display and sys.stdout.isatty():
        webbrowser.open(path.absolute().as_uri())
