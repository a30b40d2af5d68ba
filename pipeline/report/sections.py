"""The sections of the page, in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.report.evidence import Evidence
from pipeline.report.figure import Figure
from pipeline.report.model_figures import (
    coefficients_figure,
    importance_figure,
    losses_figure,
    predicted_figure,
    quantiles_figure,
    residuals_figure,
)
from pipeline.report.numbers import reach, short, tuned
from pipeline.report.parts import Part
from pipeline.report.points import Points
from pipeline.report.predictions import Predictions
from pipeline.report.search_figures import errors_figure, heat_map, scatter, strip

_WORST = 10
_MOST_SENTENCES = 10


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        caption: what it shows.
        head: the columns' titles; the first column is text, the others are numbers.
        rows: the cells.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        title: its title.
        facts: names and values.
        tables: its tables.
        figures: its figures.
        items: sentences, as a list.
        missing: why something is not shown.
    """

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    items: Sequence[str] = ()
    missing: Sequence[str] = ()

    @property
    def is_narrow(self) -> bool:
        """Whether the section has one block, so that it fits beside another."""
        return not self.facts and len(self.figures) + len(self.tables) < 2


def sections_of(evidence: Evidence) -> list[Section]:
    """Return the sections of the page about an execution. What is missing is said in its section."""
    best = evidence.results.best
    if best is None:
        reason = "SelectBest has not succeeded, so there are no results."
        return [_data(evidence), Section("Results", missing=[reason])]
    return [
        _data(evidence),
        _error(evidence, best),
        _search(evidence, best),
        _out_of_fold(evidence, best),
        _training(evidence, best),
        _coefficients(evidence, best),
        _importance(evidence, best),
        Section("Warnings", items=best["warnings"] or ["There are none."]),
    ]


def _data(evidence: Evidence) -> Section:
    folds, best = evidence.folds.value, evidence.results.best or {}
    if folds is None:
        return Section("Data", missing=[evidence.folds.missing])
    means = best.get("fold_label_means")
    head = ["Fold", "Rows", *([f"Mean {folds['columns']['label']}"] if means else [])]
    rows = [
        [f"{fold['fold']}", f"{fold['test_rows']:,}", *([short(means[place])] if means else [])]
        for place, fold in enumerate(folds["folds"])
    ]
    return Section("Data", facts=_facts_of(folds), tables=[Table("Rows that each fold holds out", head, rows)])


def _facts_of(folds: dict[str, Any]) -> dict[str, str]:
    rejected, dropped = folds["rejected"], folds["dropped"]
    reasons = {reason.replace("_", " "): count for reason, count in rejected["by_reason"].items()}
    order = f"shuffled with seed {folds['seed']}" if folds["shuffle"] else "in the order of the file"
    exact = "" if folds["duplicate_rows_exact"] else "at least "
    facts = {
        "Version": folds["data_version"],
        "Source": folds["input"],
        "Rows": f"{folds['rows']:,}",
        "Label": folds["columns"]["label"] + _transformed(folds),
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


def _counts(total: int, parts: Mapping[str, int]) -> str:
    named = ", ".join(f"{name} {count:,}" for name, count in parts.items() if count)
    return f"{total:,} ({named})" if named else f"{total:,}"


def _label(evidence: Evidence) -> str:
    return "the label" if evidence.folds.value is None else str(evidence.folds.value["columns"]["label"])


def _trained_label(evidence: Evidence, best: dict[str, Any]) -> str:
    """Return what the models predict: the label, or its transform."""
    label, transform = _label(evidence), best["label_transform"]
    return f"{transform}({label})" if transform else label


def _error(evidence: Evidence, best: dict[str, Any]) -> Section:
    label, missing = _label(evidence), []
    if best["estimate"]["low"] is None:
        missing = [
            "A Bayesian search tries other combinations in each fold. So there is no cross-validated estimate and no "
            "interval: only the error of the winner on its own fold is known."
        ]
    tables = [_metrics(best, evidence.predictions.value)] if "mse" in best["out_of_fold"] else []
    figure = errors_figure(_error_rows(best), f"MSE of {label}")
    return Section("Error", tables=tables, figures=[figure], missing=missing)


def _error_rows(best: dict[str, Any]) -> list[dict[str, Any]]:
    estimate, baselines = best["estimate"], best["baselines"]
    folds = estimate.get("fold_mse", [])
    rows = [("Predicting the mean", "baseline", baselines["mean"], None, None)]
    if baselines["least_squares"] is not None:
        rows.append(("Least squares", "baseline", baselines["least_squares"], None, None))
    if folds:
        rows.insert(0, ("Chosen hyperparameters", "chosen", estimate["mse"], estimate["low"], estimate["high"]))
    rows.append(("Lowest fold (optimistic)", "lowest", best["mse"] or min(folds), None, None))
    rows += [("Chosen hyperparameters", "fold", mse, None, None) for mse in folds]
    return [dict(zip(("model", "kind", "mse", "low", "high"), row, strict=True)) for row in rows]


def _metrics(best: dict[str, Any], predictions: Predictions | None) -> Table:
    """Return the metrics with intervals, beside those of the baselines where these are known."""
    estimate, scored = best["estimate"], best["out_of_fold"]
    mean, squares = best["baselines"]["mean"], best["baselines"]["least_squares"]
    # The label's variance, by which R2 compares. Without errors, that of predicting the mean is about as large.
    variance = (scored["mse"] / (1 - scored["r2"]) if scored["r2"] < 1 else mean) or 1.0

    def r2(mse: float) -> float:
        return round(1 - mse / variance, 3)

    def known(value: float | None, convert: Callable[[float], float] = float) -> str:
        return "" if value is None else short(convert(value))

    rows: list[list[str]] = []
    for name, mse in (
        ("Estimate", estimate["mse"]),
        ("Interval, better end", estimate["low"]),
        ("Interval, worse end", estimate["high"]),
        ("Predicting the mean", mean),
        ("Least squares", squares),
    ):
        rows.append([name, known(mse), known(mse, math.sqrt), "", known(mse, r2)])
    for row, mae in zip(rows, _mae(scored["mae"], predictions), strict=False):
        row[3] = short(mae)
    return Table(
        "Errors with approximate 95 % intervals, on rows that a model did not see",
        ["", "MSE", "RMSE", "MAE", "R2"],
        rows,
    )


def _mae(mae: float, predictions: Predictions | None) -> list[float]:
    """Return the mean absolute error, and its interval if the folds' errors are known."""
    folds = [] if predictions is None else predictions.fold_mae()
    return [mae, max(0.0, mae - reach(folds)), mae + reach(folds)] if len(folds) > 1 else [mae]


def _search(evidence: Evidence, best: dict[str, Any]) -> Section:
    title, unit = "Hyperparameters", f"MSE of {_trained_label(evidence, best)}"
    ranked = [row for row in evidence.results.cv_results if row["rank_test_mse"] is not None]
    if not ranked:
        return Section(title, figures=_of_jobs(evidence, best, unit), missing=["The folds have no common combination."])
    points = Points(ranked)
    if points.is_grid:
        first = [heat_map(points, unit)]
    else:
        first = [scatter(points.table, points.axes, unit)] if points.axes else []
    rest = [row for row in evidence.results.cv_results if row["rank_test_mse"] is None]
    missing = [f"{', '.join(f'{n} {tuned(v)}' for n, v in row['params'].items())}: {row['ineligible']}" for row in rest]
    if best["label_transform"]:
        missing.insert(
            0, f"These errors are on the scale on which the models were trained, {unit.removeprefix('MSE of ')}."
        )
    return Section(title, figures=[*first, strip(points, unit)], missing=missing[:_MOST_SENTENCES])


def _of_jobs(evidence: Evidence, best: dict[str, Any], unit: str) -> list[Figure]:
    """Return a scatter plot of the training jobs of a search without common points."""
    jobs = sorted((job for job in evidence.results.training_jobs if job["mse"] is not None), key=lambda job: job["mse"])
    axes = [
        name for name in sorted(best["hyperparameters"], reverse=True) if all(_is_number(job, name) for job in jobs)
    ]
    rows = [
        {
            **{name: job["hyperparameters"][name] for name in axes},
            "mean_mse": job["mse"],
            "fold": job["fold"],
            "chosen": job["training_job_name"] == best["training_job_name"],
        }
        for job in jobs
    ]
    return [scatter(rows, axes[:2], f"{unit}, on one fold each")] if rows and axes else []


def _is_number(job: dict[str, Any], name: str) -> bool:
    try:
        return math.isfinite(float(job["hyperparameters"][name]))
    except (KeyError, ValueError):
        return False


def _out_of_fold(evidence: Evidence, best: dict[str, Any]) -> Section:
    title, predictions, label = "Predictions out of fold", evidence.predictions.value, _label(evidence)
    if predictions is None:
        return Section(title, missing=[evidence.predictions.missing])
    figures = [
        predicted_figure(predictions, label, best["out_of_fold"]["calibration"]),
        residuals_figure(predictions),
        quantiles_figure(predictions, label),
    ]
    worst = predictions.worst(_WORST)
    head = ["Fold", "Row of the fold", "Actual", "Predicted", "Difference"]
    cells = [
        [f"{row['fold']}", f"{row['row']:,}", *(short(row[name]) for name in ("actual", "prediction", "residual"))]
        for row in worst
    ]
    read = len(predictions.table)
    of_some = "" if read == predictions.of_rows else f", of {read:,} rows that were read of {predictions.of_rows:,}"
    return Section(title, figures=figures, tables=[Table(f"The largest errors{of_some}", head, cells)])


def _training(evidence: Evidence, best: dict[str, Any]) -> Section:
    losses = evidence.losses.value
    if losses is None:
        return Section("Training", missing=[evidence.losses.missing])
    unit = losses.metric.removesuffix("_objective").replace("_", " ").replace("mse", "MSE")
    return Section("Training", figures=[losses_figure(losses, f"{unit} of {_trained_label(evidence, best)}")])


def _coefficients(evidence: Evidence, best: dict[str, Any]) -> Section:
    title, rows, folds, deviations = "Coefficients", evidence.coefficients, evidence.folds, evidence.deviations
    if not rows.value or folds.value is None or deviations.value is None:
        return Section(title, missing=_reasons(rows, folds, deviations))
    features, unit = folds.value["columns"]["features"], _trained_label(evidence, best)
    return Section(title, figures=[coefficients_figure(rows.value, deviations.value[1:], features, unit)])


def _importance(evidence: Evidence, best: dict[str, Any]) -> Section:
    rows = evidence.importance
    if not rows.value:
        reasons = _reasons(rows) or ["With more than 2000 features, SelectBest does not compute it."]
        return Section("Importance", missing=reasons)
    return Section("Importance", figures=[importance_figure(rows.value, f"MSE of {_trained_label(evidence, best)}")])


def _reasons(*parts: Part[Any]) -> list[str]:
    return list(dict.fromkeys(part.missing for part in parts if part.missing))
