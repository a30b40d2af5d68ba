"""Makes the parts of best.json that say how good the models are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluation.cautions import Evidence, artifact_caution, cautions, precision_caution
from evaluation.choice import estimate_in_units, with_former_names
from evaluation.class_baselines import class_baselines
from evaluation.class_cautions import class_cautions
from evaluation.estimate import pooled
from evaluation.fold_models import FoldModels
from evaluation.jobs import Search
from evaluation.metadata import metadata_of
from evaluation.number_baselines import number_baselines
from evaluation.objective import MEAN_SQUARED_ERROR, Objective
from evaluation.points import Point
from evaluation.rules import best_by_mean
from evaluation.scoring import Scored, of_folds


def baselines_of(folds: dict[str, Any], scored: Scored, objective: Objective) -> dict[str, Any]:
    """Return what models that need no tuning reach, in the objective's metric."""
    if folds.get("classes"):
        return class_baselines(folds["folds"], scored.training, objective)
    return number_baselines(scored.moments, objective, scored.labels)


def objective_out_of_fold(
    objective: Objective, fold_values: dict[int, float], rows: Sequence[int], fold_models: FoldModels
) -> dict[str, Any]:
    """Return the objective of the out-of-fold predictions, as the estimate averages it, or why it is not known."""
    if fold_values:
        values = [fold_values[fold] for fold in sorted(fold_values)]
        return {"metric": objective.metric, "value": pooled(values, rows), "fold_values": values}
    if objective.metric is None:
        return {"missing": f"{objective.name} is not computed here"}
    return {"missing": fold_models.missing or f"{objective.title} is not defined for the predictions of every fold"}


def former_names(best: dict[str, Any], objective: Objective, scored: Scored) -> dict[str, Any]:
    """Return what best.json also holds for a label that is a number: mean squared errors under their own names.

    If that is not the objective, they are those of the out-of-fold predictions, and none without these.
    """
    if objective.metric == "mse":
        names = {"estimate": with_former_names(best["estimate"])}
        names["estimate_as_trained"] = with_former_names(best["estimate_as_trained"])
        return {**names, "mse": best["value"], "training_job_mse": best["training_job_value"]}
    errors = of_folds(scored.fold_metrics, "mse")
    if not errors:
        return {"mse": None, "training_job_mse": None}
    squares = estimate_in_units(errors, best["fold_rows"], MEAN_SQUARED_ERROR)
    former = {name: each for name, each in with_former_names(squares).items() if name.endswith("mse")}
    mse = errors.get(best["fold"]) if best["fold"] else None
    return {"estimate": best["estimate"] | former, "mse": mse, "training_job_mse": None}


def warnings_of(  # noqa: PLR0913 - the sources of the evidence
    best: dict[str, Any],
    search: Search,
    points: Sequence[Point],
    scored: Scored,
    *,
    folds: dict[str, Any],
    objective: Objective,
) -> list[str]:
    """Return the warnings, one sentence each.

    Args:
        best: the content of best.json so far.
        search: the tuning jobs.
        points: the points that were tried.
        scored: the results of reading all rows.
        folds: the content of folds.json.
        objective: the objective.
    """
    rows, baselines = best["fold_rows"], best["baselines"]
    evidence = Evidence(
        search=search,
        points=points,
        best=best_by_mean(points, rows, objective) if any(point.eligible for point in points) else None,
        objective=objective,
        value=best["estimate"]["value"],
        fold_values=best["estimate"].get("fold_values", []),
        constant=baselines["constant"],
        reference=baselines["logistic_regression" if best["classes"] else "least_squares"],
        moments=scored.moments,
        folds=folds,
        rule=best["rule"],
        algorithm=best["algorithm"],
    )
    as_trained = of_folds(scored.fold_metrics_as_trained, objective.metric)
    loss, title = {
        "regression": ("mse", "MSE"),
        "binary": ("logloss", "log loss"),
        "multiclass": ("mlogloss", "log loss"),
    }[best["problem"]]
    double, single = (of_folds(m, loss) for m in (scored.fold_metrics_as_trained, scored.fold_metrics_float32))
    of_classes = class_cautions(folds, objective, best["out_of_fold"], scored.tables) if best["classes"] else []
    return [
        *cautions(evidence),
        *of_classes,
        *artifact_caution(best["estimate_as_trained"].get("fold_values", []), as_trained, objective, best["algorithm"]),
        *(precision_caution(double, single, title) if double and single else []),
    ]


def registry_metadata(best: dict[str, Any], point: Point, folds: dict[str, Any], sha256: str) -> dict[str, str]:
    """Return the registry's metadata. A mean squared error has its own name, as in former versions."""
    estimated = best["estimate"]
    in_objective = {
        "metric": best["metric"]["name"],
        "estimate_value": estimated["value"],
        "estimate_low": estimated["low"],
        "estimate_high": estimated["high"],
    }
    return metadata_of(
        {
            "selection_rule": best["rule"],
            **({} if best["classes"] else {"estimate_mse": estimated.get("mse")}),
            **in_objective,
            "hyperparameters": str(point),
            "training_job": best["training_job_name"],
            "tuning_job": best["tuning_job_name"],
            "fold": best["fold"],
            **({} if best["classes"] else {"validation_mse": best["mse"]}),
            "validation_value": best["value"],
            "rows": folds["rows"],
            "rejected_rows": folds["rejected"]["total"],
            "label_transform": best["label_transform"],
            "data_version": folds["data_version"],
            "artifact_sha256": sha256,
        }
    )
