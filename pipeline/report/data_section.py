"""The section about the rows and the folds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.report.evidence import Evidence
from pipeline.report.numbers import short
from pipeline.report.section import Section, Table
from pipeline.text import some_of

_MOST_CLASSES = 8


def data_section(evidence: Evidence) -> Section:
    """Return the section."""
    folds, best = evidence.folds.value, evidence.results.best or {}
    if folds is None:
        return Section("Data", missing=[evidence.folds.missing])
    if folds.get("classes"):
        return Section("Data", facts=_facts_of(folds), tables=[_class_rows(folds)])
    means = best.get("fold_label_means")
    head = ["Fold", "Rows", *([f"Mean {folds['columns']['label']}"] if means else [])]
    rows = [
        [f"{fold['fold']}", f"{fold['test_rows']:,}", *([short(means[place])] if means else [])]
        for place, fold in enumerate(folds["folds"])
    ]
    return Section("Data", facts=_facts_of(folds), tables=[Table("Rows that each fold holds out", head, rows)])


def _class_rows(folds: dict[str, Any]) -> Table:
    """Return the rows of each class in each fold; of many classes, of the most frequent ones."""
    counts = dict(enumerate(folds["class_rows"]))
    shown = sorted(sorted(counts, key=lambda place: -counts[place])[:_MOST_CLASSES])
    of_some = "" if len(shown) == len(counts) else f", of the {len(shown)} most frequent of {len(counts)} classes"
    rows = [
        [f"{fold['fold']}", f"{fold['test_rows']:,}", *(f"{fold['class_rows'][place]:,}" for place in shown)]
        for fold in folds["folds"]
    ]
    rows.append(["All", f"{folds['rows']:,}", *(f"{counts[place]:,}" for place in shown)])
    head = ["Fold", "Rows", *(folds["classes"][place] for place in shown)]
    return Table(f"Rows that each fold holds out{of_some}", head, rows)


def _facts_of(folds: dict[str, Any]) -> dict[str, str]:
    rejected, dropped = folds["rejected"], folds["dropped"]
    reasons = {reason.replace("_", " "): count for reason, count in rejected["by_reason"].items()}
    order = f"shuffled with seed {folds['seed']}" if folds["shuffle"] else "in the order of the file"
    exact = "" if folds["duplicate_rows_exact"] else "at least "
    facts = {
        "Version": folds["data_version"],
        "Source": folds["input"],
        "Rows": f"{folds['rows']:,}",
        "Label": folds["columns"]["label"] + _transformed(folds) + _classes(folds),
        "Features": f"{folds['feature_dim']:,}",
        "Set aside": _counts(rejected["total"], reasons),
        "Dropped for missing values": _counts(dropped["total"], dropped["by_column"]),
        "Equal to an earlier row": f"{exact}{folds['duplicate_rows']:,}",
        "Folds": f"{len(folds['folds'])}, {order}",
    }
    for name, title in (("groups", "Groups stay together"), ("stratify", "Stratified by")):
        if folds[name]:
            facts[title] = str(folds[name])
    return facts


def _transformed(folds: dict[str, Any]) -> str:
    transform = folds["preparation"]["label_transform"]
    return f", trained as {transform}" if transform else ""


def _classes(folds: dict[str, Any]) -> str:
    found = folds.get("classes") or []
    if not found:
        return ""
    return f", {len(found)} classes: {some_of(found, _MOST_CLASSES)}"


def _counts(total: int, parts: Mapping[str, int]) -> str:
    named = ", ".join(f"{name} {count:,}" for name, count in parts.items() if count)
    return f"{total:,} ({named})" if named else f"{total:,}"
