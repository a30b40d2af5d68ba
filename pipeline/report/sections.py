"""The sections of the page, in order."""

from __future__ import annotations

import math
from typing import Any

from pipeline.algorithms.table import of_best
from pipeline.operate.objective import baselines_of, fold_values_of, objective_of, own_value_of, value_of
from pipeline.report.class_sections import class_predictions
from pipeline.report.data_section import data_section
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
from pipeline.report.numbers import short, tuned
from pipeline.report.parts import Part
from pipeline.report.points import Points
from pipeline.report.search_figures import errors_figure, heat_map, scatter, strip
from pipeline.report.section import Section, Table
from pipeline.report.shap_figures import shap_figures
from pipeline.report.tables import error_table, estimate_table, metric_tables

_WORST = 10
_MOST_SENTENCES = 10


def sections_of(evidence: Evidence) -> list[Section]:
    """Return the sections of the page about an execution. What is missing is said in its section."""
    best = evidence.results.best
    if best is None:
        reason = "SelectBest has not succeeded, so there are no results."
        return [data_section(evidence), Section("Results", missing=[reason])]
    is_class, is_linear = bool(best.get("classes")), of_best(best).is_linear
    return [
        data_section(evidence),
        _error(evidence, best),
        _search(evidence, best),
        class_predictions(evidence, best) if is_class else _out_of_fold(evidence, best),
        _training(evidence, best),
        *([_coefficients(evidence, best)] if is_linear else []),
        *([_importance(evidence, best)] if is_linear and not is_class else []),
        _contributions(evidence, best),
        Section("Warnings", items=best["warnings"] or ["There are none."]),
    ]


def _label(evidence: Evidence) -> str:
    return "the label" if evidence.folds.value is None else str(evidence.folds.value["columns"]["label"])


def _trained_label(evidence: Evidence, best: dict[str, Any]) -> str:
    """Return what the models predict: the label, or its transform."""
    label, transform = _label(evidence), best["label_transform"]
    return f"{transform}({label})" if transform else label


def _error(evidence: Evidence, best: dict[str, Any]) -> Section:
    objective, missing = objective_of(best), []
    if best["estimate"]["low"] is None:
        missing = [
            "A Bayesian search tries other combinations in each fold. So there is no cross-validated estimate and no "
            f"interval: only the {objective.title if objective.column != 'mse' else 'error'} of the winner on its own "
            "fold is known."
        ]
    scored = best["out_of_fold"]
    if objective.column == "mse":
        tables = [error_table(best, evidence.predictions.value)] if "mse" in scored else []
    else:
        tables = [estimate_table(best)]
    figure = errors_figure(_error_rows(best), f"{objective.title} of {_label(evidence)}", objective)
    title = "Error" if objective.minimizes else "Score"
    return Section(title, tables=tables, figures=[figure], missing=missing)


def _error_rows(best: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the first figure, see ``errors_figure``."""
    objective, estimate = objective_of(best), best["estimate"]
    folds, own = fold_values_of(estimate), own_value_of(best)
    rows = [(title, "baseline", value, None, None) for title, value in baselines_of(best).items()]
    if folds:
        rows.insert(0, ("Chosen hyperparameters", "chosen", value_of(estimate), estimate["low"], estimate["high"]))
    if own is None and folds:
        own = min(folds) if objective.minimizes else max(folds)
    extreme = objective.extreme
    if own is not None:
        rows.append((f"{extreme.capitalize()} fold (optimistic)", extreme, own, None, None))
    rows += [("Chosen hyperparameters", "fold", value, None, None) for value in folds]
    return [dict(zip(("model", "kind", objective.column, "low", "high"), row, strict=True)) for row in rows]


def _search(evidence: Evidence, best: dict[str, Any]) -> Section:
    objective, label = objective_of(best), _trained_label(evidence, best)
    title, unit, rank = "Hyperparameters", f"{objective.title} of {label}", f"rank_test_{objective.column}"
    ranked = [row for row in evidence.results.cv_results if row[rank] is not None]
    if not ranked:
        return Section(title, figures=_of_jobs(evidence, best, unit), missing=["The folds have no common combination."])
    points = Points(ranked, objective)
    if points.is_grid:
        first = [heat_map(points, unit)]
    else:
        first = [scatter(points.table, points.axes, unit, objective)] if points.axes else []
    rest = [row for row in evidence.results.cv_results if row[rank] is None]
    missing = [f"{', '.join(f'{n} {tuned(v)}' for n, v in row['params'].items())}: {row['ineligible']}" for row in rest]
    if best["label_transform"]:
        missing.insert(0, f"These errors are on the scale on which the models were trained, {label}.")
    return Section(title, figures=[*first, strip(points, unit)], missing=missing[:_MOST_SENTENCES])


def _of_jobs(evidence: Evidence, best: dict[str, Any], unit: str) -> list[Figure]:
    """Return a scatter plot of the training jobs of a search without common points."""
    objective = objective_of(best)
    known = [{**job, "value": own_value_of(job)} for job in evidence.results.training_jobs]
    jobs = sorted(
        (job for job in known if job["value"] is not None),
        key=lambda job: float(job["value"]),
        reverse=not objective.minimizes,
    )
    axes = [
        name for name in sorted(best["hyperparameters"], reverse=True) if all(_is_number(job, name) for job in jobs)
    ]
    rows = [
        {
            **{name: job["hyperparameters"][name] for name in axes},
            f"mean_{objective.column}": job["value"],
            "fold": job["fold"],
            "chosen": job["training_job_name"] == best["training_job_name"],
        }
        for job in jobs
    ]
    return [scatter(rows, axes[:2], f"{unit}, on one fold each", objective)] if rows and axes else []


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
    metrics = [] if objective_of(best).column == "mse" else metric_tables(best)
    return Section(title, figures=figures, tables=[Table(f"The largest errors{of_some}", head, cells), *metrics])


def _training(evidence: Evidence, best: dict[str, Any]) -> Section:
    losses = evidence.losses.value
    if losses is None:
        return Section("Training", missing=[evidence.losses.missing])
    objective, name = objective_of(best), losses.metric.removesuffix("_objective")
    # Epochs have a loss, whatever the objective is.
    minimizes = not losses.is_by_tree or name != objective.column or objective.minimizes
    unit = objective.title if name == objective.column else name.replace("_", " ")
    unit = f"{unit} of {_trained_label(evidence, best)}"
    return Section("Training", figures=[losses_figure(losses, unit, minimizes=minimizes)])


def _coefficients(evidence: Evidence, best: dict[str, Any]) -> Section:
    title, rows, folds, deviations = "Coefficients", evidence.coefficients, evidence.folds, evidence.deviations
    if not rows.value or folds.value is None or deviations.value is None:
        return Section(title, missing=_reasons(rows, folds, deviations))
    features = folds.value["columns"]["features"]
    unit = "Log-odds" if best.get("classes") else _trained_label(evidence, best)
    return Section(title, figures=[coefficients_figure(rows.value, deviations.value[1:], features, unit)])


def _contributions(evidence: Evidence, best: dict[str, Any]) -> Section:
    title, shap = "Contributions of the features", evidence.shap
    if shap.value is None:
        return Section(title, missing=_reasons(shap))
    classes = best.get("classes") or []
    several = classes if len(classes) > 2 else []
    unit = f"log-odds{f' of {classes[1]}' if len(classes) == 2 else ''}" if classes else _trained_label(evidence, best)
    return Section(title, figures=shap_figures(shap.value, unit, several))


def _importance(evidence: Evidence, best: dict[str, Any]) -> Section:
    rows = evidence.importance
    if not rows.value:
        reasons = _reasons(rows) or ["With more than 2000 features, SelectBest does not compute it."]
        return Section("Importance", missing=reasons)
    return Section("Importance", figures=[importance_figure(rows.value, f"MSE of {_trained_label(evidence, best)}")])


def _reasons(*parts: Part[Any]) -> list[str]:
    return list(dict.fromkeys(part.missing for part in parts if part.missing))
