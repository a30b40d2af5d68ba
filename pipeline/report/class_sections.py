"""The section about predictions of classes."""

from __future__ import annotations

from typing import Any

from pipeline.report.class_figures import (
    calibration_figure,
    confusion_figure,
    gains_figure,
    one_vs_rest_figure,
    precision_figure,
    roc_figure,
    scores_figure,
)
from pipeline.report.class_predictions import ClassPredictions
from pipeline.report.evidence import Evidence
from pipeline.report.figure import Figure
from pipeline.report.numbers import short
from pipeline.report.section import Section, Table
from pipeline.report.tables import metric_tables

_WORST = 10
_MOST_CLASSES = 20


def class_predictions(evidence: Evidence, best: dict[str, Any]) -> Section:
    """Return the section: curves, tables, and the rows of which the models were most sure and wrong."""
    title, found, rows = "Predictions out of fold", evidence.tables, evidence.class_predictions
    if found.value is None:
        return Section(title, missing=[found.missing])
    labels = best["classes"]
    of_two = len(labels) == 2
    figures = _of_two(found.value, best) if of_two else _of_more(found.value)
    worst = [] if rows.value is None else [_worst(rows.value, labels)]
    missing = [] if rows.value is not None else [rows.missing]
    by_class = [_by_class(found.value)]
    # Two tables of about the same height stand side by side.
    tables = [*metric_tables(best), *(worst + by_class if of_two else by_class + worst)]
    return Section(title, figures=figures, tables=tables, missing=missing)


def _of_two(tables: dict[str, Any], best: dict[str, Any]) -> list[Figure]:
    labels, scored, positive = best["classes"], best["out_of_fold"], best["classes"][1]
    figures = [confusion_figure(tables["confusion"], labels)]
    class_rows = [each["rows"] for each in tables["by_class"]]
    if tables["curve"]:
        rate = class_rows[1] / sum(class_rows)
        figures += [
            roc_figure(tables["curve"], scored["auc"], tables["confusion"], positive),
            precision_figure(tables["curve"], scored["average_precision"], rate, positive),
        ]
    if tables["calibration"]:
        figures.append(calibration_figure(tables["calibration"], positive))
    if tables.get("histogram"):
        figures.append(scores_figure(tables["histogram"], labels, are_probabilities=scored["probabilities"]))
    if tables["gains"] and tables["curve"]:
        figures.append(gains_figure(tables["curve"], tables["gains"], class_rows, positive))
    return figures


def _of_more(tables: dict[str, Any]) -> list[Figure]:
    figures = [confusion_figure(tables["confusion"], tables["classes"])]
    rows = {each["class"]: each["rows"] for each in tables["by_class"]}
    curves = sorted(
        ({"curve": [], **each} for each in tables.get("one_vs_rest", [])), key=lambda each: -rows[each["class"]]
    )
    if any(each["curve"] for each in curves):
        figures.append(one_vs_rest_figure(curves))
    return figures


def _by_class(tables: dict[str, Any]) -> Table:
    """Return rows, precision, recall and F1 of each class; of many classes, of the most frequent ones."""
    areas = {each["class"]: each["auc"] for each in tables.get("one_vs_rest", [])}
    shown = sorted(tables["by_class"], key=lambda each: -each["rows"])[:_MOST_CLASSES]
    of_some = "" if len(shown) == len(tables["by_class"]) else f", of the {len(shown)} most frequent classes"
    kept = {each["class"] for each in shown}
    rows = [
        [
            each["class"],
            f"{each['rows']:,}",
            *(short(each[name]) for name in ("precision", "recall", "f1")),
            *([_known(areas[each["class"]])] if areas else []),
        ]
        for each in tables["by_class"]
        if each["class"] in kept
    ]
    head = ["Class", "Rows", "Precision", "Recall", "F1", *(["AUC against the others"] if areas else [])]
    return Table(f"By class{of_some}", head, rows)


def _known(value: float | None) -> str:
    return "not known" if value is None else short(value)


def _worst(predictions: ClassPredictions, labels: list[str]) -> Table:
    read = len(predictions.table)
    of_some = "" if read == predictions.of_rows else f", of {read:,} rows that were read of {predictions.of_rows:,}"
    head = ["Fold", "Row of the fold", "Actual", "Predicted", "Score of the actual", "Score of the predicted"]
    cells = [
        [
            f"{row['fold']}",
            f"{row['row']:,}",
            labels[row["actual"]],
            labels[row["predicted"]],
            *(_known(row[name]) for name in ("score_of_actual", "score_of_predicted")),
        ]
        for row in predictions.worst(_WORST)
    ]
    return Table(f"Wrong and most sure{of_some}", head, cells)
