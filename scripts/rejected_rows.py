"""Says how many rows of the input were set aside, why, and where they are."""

from __future__ import annotations

from pathlib import Path

from pipeline.operate.results import RejectedRows
from scripts.console import console, is_local_service
from scripts.run_folders import ROOT

_REASONS = {
    "wrong_encoding": "not text in the declared encoding",
    "wrong_columns": "wrong number of columns",
    "not_finite": "NaN, infinity or too large a number",
    "not_numeric": "not a number",
    "not_a_date": "not a date in the declared format",
    "no_logarithm": "label without log1p: it is not above -1",
    "unknown_category": "category that is not declared",
    "unknown_class": "label that is not among dataset.classes",
    "header_among_rows": "header among the rows",
}
"""Reasons of folds.json whose names do not say enough, in the words of MakeFolds."""


def print_rejected_rows(rows: RejectedRows | None) -> None:
    """Print the number of rows that were set aside, the reasons and the place; nothing if there are none."""
    if rows is not None:
        reasons = ", ".join(f"{count:,} {_words(reason)}" for reason, count in rows.reasons.items())
        place = _local_folder(rows.uri)
        also = f" ({place})" if place else ""
        console.print(f"Rows set aside: {rows.total:,} of {rows.rows:,} ({reasons}): {rows.uri}{also}", markup=False)


def _words(reason: str) -> str:
    return _REASONS.get(reason, reason.replace("_", " "))


def _local_folder(uri: str) -> Path | None:
    """Return the folder of this machine that is a prefix of the local service, which keeps its objects as files."""
    folder = ROOT / "s3" / uri.removeprefix("s3://")
    return folder if is_local_service() and folder.is_dir() else None
