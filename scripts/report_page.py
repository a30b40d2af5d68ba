"""Writes the page about an execution into the folder of its run."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.console import console
from scripts.run_folders import run_folder

if TYPE_CHECKING:
    from boto3 import Session

    from pipeline.operate.execution import ExecutionState
    from pipeline.operate.results import Results


@cache
def prepare_page() -> None:
    """Load what draws the page, while something else is waited for. Otherwise, it takes most of the drawing's time."""
    threading.Thread(target=_load, name="loading what draws").start()


def _load() -> None:
    from pipeline.report import drawing, page  # noqa: F401, PLC0415 - for write_page

    drawing.start()


def write_page(session: Session, state: ExecutionState, results: Results) -> Path:
    """Write the page about an execution, and return its path.

    Args:
        session: a ``boto3.Session`` of the account.
        state: the execution.
        results: its results.
    """
    # Imported here, because no other command draws.
    from pipeline.report.page import page_of  # noqa: PLC0415

    with console.status("Drawing the report"):
        page = page_of(session, state, results)
    path = run_folder(state.arn) / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, "utf-8")
    return path


def show_page(path: Path) -> None:
    """Print where the page is, and open it if there is a person with a display."""
    console.print(f"\nThe same with pictures: {path}", markup=False)
    has_display = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_display and sys.stdout.isatty():
        webbrowser.open(path.absolute().as_uri())
