"""Shows a page in Chromium without a display."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_SECONDS = 60


def show(page: Path, *options: str) -> str:
    """Show a page, and return what Chromium writes, console messages included."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={profile}", "--enable-logging=stderr", *options, page.absolute().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stderr
