"""Lays out some rows of a file beside their predictions and their labels."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.columns import DatasetSection
from pipeline.config.number_texts import WITH_POINT
from pipeline.operate.prediction import ScoredRow
from pipeline.text import shortened

_SHOWN_COLUMNS = 6
_SHOWN_CHARACTERS = 20


def side_by_side(
    rows: Sequence[ScoredRow], dataset: DatasetSection, score_columns: Sequence[str], width: int
) -> list[str]:
    """Return a table of rows with as many features as the width allows, their predictions and their labels.

    Args:
        rows: the rows, all of one file.
        dataset: the dataset of the configuration.
        score_columns: the names of a row's scores. If there are several, the predicted class's is shown.
        width: the characters of a line.

    Returns:
        Lines, of which the first names the columns.
    """
    results = _results(rows, dataset, score_columns)
    for features in range(_SHOWN_COLUMNS, 0, -1):
        lines = _lines([*_features(rows, dataset.label, features), *results])
        if len(lines[0]) <= width:
            break
    return lines


def _features(rows: Sequence[ScoredRow], label: str, most: int) -> list[list[str]]:
    names = rows[0].file.layout.names
    features = [position for position, name in enumerate(names) if name != label]
    columns = [[names[place], *(row.fields[place].strip() for row in rows)] for place in features[:most]]
    if len(features) > most:
        columns.append([f"({len(features) - most} more)", *("..." for _ in rows)])
    return columns


def _results(rows: Sequence[ScoredRow], dataset: DatasetSection, score_columns: Sequence[str]) -> list[list[str]]:
    """Return the columns of the predictions, of their scores and of the labels."""
    decimal = dataset.decimal
    columns = [["prediction", *(_shown(row.prediction, decimal) for row in rows)]]
    if score_columns:
        name = score_columns[0] if len(score_columns) == 1 else "its probability"
        columns.append([name, *(f"{max(row.scores):.4f}".replace(".", decimal) for row in rows)])
    names = list(rows[0].file.layout.names)
    if dataset.label in names:
        texts = [row.fields[names.index(dataset.label)].strip() for row in rows]
        # A class is text, even if it looks like a number.
        labels = texts if score_columns else [_amount(text, decimal) for text in texts]
        columns.append([f"actual {dataset.label}", *labels])
    return columns


def _lines(columns: Sequence[Sequence[str]]) -> list[str]:
    cut = [[shortened(text, _SHOWN_CHARACTERS) for text in column] for column in columns]
    widths = [max(map(len, column)) for column in cut]
    return ["  ".join(map(str.rjust, line, widths)) for line in zip(*cut, strict=True)]


def _shown(prediction: float | str | None, decimal: str) -> str:
    if not isinstance(prediction, float):
        return str(prediction)
    # Beside values with decimal commas, a comma between thousands would be read as one.
    return f"{prediction:,.2f}" if decimal == "." else f"{prediction:.2f}".replace(".", decimal)


def _amount(text: str, decimal: str) -> str:
    try:
        return _shown(float(text.translate(WITH_POINT) if decimal == "," else text), decimal)
    except ValueError:
        return text
