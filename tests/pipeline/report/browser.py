"""Shows a page in Chromium without a display, and takes the picture of the documentation:

.venv/bin/python tests/pipeline/report/browser.py .local/runs/<execution id>/report.html docs/images/report.png
"""

from __future__ import annotations

import shutil
import subprocess
import sys
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


if __name__ == "__main__":
    show(
        Path(sys.argv[1]),
        "--window-size=1200,2130",
        "--force-device-scale-factor=0.6",
        f"--screenshot={Path(sys.argv[2]).absolute()}",
    )
