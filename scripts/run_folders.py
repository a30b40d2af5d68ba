"""The folders that ``make run`` leaves in .local/, one for each run."""

from __future__ import annotations

import fcntl
from pathlib import Path

ROOT = Path(".local")
LAST_RUN = ROOT / "last-run.json"
RUNS = ROOT / "runs"
SERVICE_LOCK = ROOT / "service.lock"
"""The file that a local service locks while it runs."""


def run_folder(execution_arn: str) -> Path:
    """Return the folder of an execution's run."""
    return RUNS / execution_arn.rpartition("/")[2]


def run_folders() -> list[Path]:
    """Return the folders of all runs, in no order."""
    return [path.parent for path in RUNS.glob("*/config.yaml")]


def has_service() -> bool:
    """Return whether a local service runs in this folder; without one, no run goes on."""
    try:
        with SERVICE_LOCK.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
