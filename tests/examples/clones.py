"""A folder as a person has it after a clone: without the data of the examples, and with nothing published."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def link_project(folder: Path) -> None:
    """Link the project's files into a folder, but neither the data of the examples nor the local service's."""
    for entry in ROOT.iterdir():
        if entry.name not in (".local", ".git", "examples", "build"):
            (folder / entry.name).symlink_to(entry)
    (folder / "examples").mkdir()
    for entry in (ROOT / "examples").iterdir():
        if entry.is_file():
            (folder / "examples" / entry.name).symlink_to(entry)
