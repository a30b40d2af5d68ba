"""The folders that ``make run`` leaves in .local/, one for each run."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(".local")
LAST_RUN = ROOT / "last-run.json"
RUNS = ROOT / "runs"


def run_folder(execution_arn: str) -> Path:
    """Return the folder of an execution's run."""
    return RUNS / execution_arn.rpartition("/")[2]


def run_folders() -> list[Path]:
    """Return the folders of all runs, in no order."""
    return [path.parent for path in RUNS.glob("*/config.yaml")]
