"""Moves damaged files out of the way, so that they never keep the service from starting. Nothing is deleted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_FOLDER = "damaged"


class SetAside:
    """Damaged files and records of a service's folder, and where they are now: ``<root>/damaged/<time>/``.

    Args:
        root: the service's folder.

    Attributes:
        sentences: one sentence about each file or record, for the user.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / _FOLDER / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
        self.sentences: list[str] = []

    def file(self, path: Path, why: str) -> None:
        """Move a file or folder away.

        Args:
            path: a path below the service's folder.
            why: what is wrong with it and what follows, for the user.
        """
        place = path.relative_to(self._root)
        target = self._folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        self.sentences.append(f"Damaged: {path} {why}. It is set aside as {target}.")

    def record(self, kind: str, key: str, text: str, why: str) -> None:
        """Write down a record that is taken out of the store.

        Args:
            kind: the record's kind.
            key: the record's key.
            text: the record's document, whatever it is.
            why: what is wrong with it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / "records.jsonl"
        row: dict[str, Any] = {"kind": kind, "key": key, "document": text}
        with target.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(row)}\n")
        self.sentences.append(f"Damaged: the record of {kind} {key[:200]!r} {why}. It is set aside in {target}.")

    def expect_file(self, path: Path, why: str) -> None:
        """Set aside what is at the path if it is there, but is no file."""
        if path.exists() and not path.is_file():
            self.file(path, f"is not a file; {why}")

    def expect_folder(self, path: Path, why: str) -> None:
        """Set aside what is at the path if it is there, but is no folder."""
        if path.exists() and not path.is_dir():
            self.file(path, f"is not a folder; {why}")
