"""Makes best.json: what was chosen, and how good models like it are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluation.card import model_card
from evaluation.cautions import Evidence, artifact_caution, cautions, precision_caution
from evaluation.choice import estimate_in_units, estimate_of, with_former_names
from evaluation.class_baselines import class_baselines
from evaluation.class_cautions import class_cautions
from evaluation.class_weighting import ClassWeighting
from evaluation.estimate import pooled
from evaluation.fold_models import FoldModels
from evaluation.metadata import metadata_of
from evaluation.number_baselines import number_baselines
from evaluation.objective import MEAN_SQUARED_ERROR, Objective
from evaluation.quality import quality_sentences
from evaluation.rules import best_by_mean
from evaluation.scoring import Scored, of_folds
from evaluation.selection import Selection


def best_document(selection: Selection) -> dict[str, Any]:
    """Return the content of best.json.

    Raises:
        SelectionError: labels were transformed, and the error in the label's unit is not known.
    """
    best = {**_chosen(selection), **_errors(selection), **_training_job(selection)}
    if not selection.classes:
        best |= former_names(best, selection.objective, selection.scored)
    best["quality"] = quality_sentences(best, selection.objective)
    best["warnings"] = warnings_of(best, selection)
    best["metadata"] = registry_metadata(best, selection)
    best["model_card"] = model_card(best, selection.folds, selection.coefficients)
    return best


def _chosen(selection: Selection) -> dict[str, Any]:
    objective, choice = selection.objective, selection.choice
    return {
        "algorithm": selection.algorithm,
        "rule": choice.rule,
        "problem": selection.problem,
        "classes": selection.classes or None,
        "metric": {
            "name": objective.name,
            "direction": objective.direction,
            "title": objective.title,
            "computed": objective.metric,
        },
        "hyperparameters": choice.point.hyperparameters,
    }


def _errors(selection: Selection) -> dict[str, Any]:
    rows, scored, objective = selection.rows, selection.scored, selection.objective
    as_trained = estimate_of(selection.choice, selection.points, rows, objective)
    is_transformed = selection.label_transform is not None
    return {
        "fold_rows": rows,
        "fold_label_means": [float(fold.means[0]) for fold in scored.moments],
        "estimate": estimate_in_units(selection.fold_values, rows, objective) if is_transformed else as_trained,
        "label_transform": selection.label_transform,
        "estimate_as_trained": as_trained,
        "baselines": baselines_of(selection.folds, scored, objective),
        "out_of_fold": scored.predictions or {"missing": selection.fold_models.missing},
        "objective_out_of_fold": objective_out_of_fold(objective, selection.fold_values, rows, selection.fold_models),
    }


def _training_job(selection: Selection) -> dict[str, Any]:
    winner, models = selection.choice.winner, selection.fold_models
    is_transformed = selection.label_transform is not None
    return {
        "fold": winner and winner.fold,
        "value": winner and (selection.fold_values.get(winner.fold) if is_transformed else winner.value),
        "training_job_value": winner and winner.value,
        "training_job_name": winner and winner.name,
        "tuning_job_name": winner and winner.tuning_job,
        "model_data": models.model_data,
        "metrics": models.metrics,
        "training_jobs": [job and job.name for job in selection.choice.point.jobs],
    }


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


def warnings_of(best: dict[str, Any], selection: Selection) -> list[str]:
    """Return the warnings, one sentence each.

    Args:
        best: the content of best.json so far.
        selection: the chosen model.
    """
    points, scored, objective, folds = selection.points, selection.scored, selection.objective, selection.folds
    rows, baselines = selection.rows, best["baselines"]
    evidence = Evidence(
        search=selection.search,
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
    weighting = ClassWeighting(best["algorithm"], selection.search.static | best["hyperparameters"])
    of_classes = (
        class_cautions(folds, objective, weighting, best["out_of_fold"], scored.tables) if best["classes"] else []
    )
    return [
        *cautions(evidence),
        *of_classes,
        *artifact_caution(best["estimate_as_trained"].get("fold_values", []), as_trained, objective, best["algorithm"]),
        *(precision_caution(double, single, title) if double and single else []),
    ]


def registry_metadata(best: dict[str, Any], selection: Selection) -> dict[str, str]:
    """Return the registry's metadata. A mean squared error has its own name, as in former versions."""
    estimated, folds = best["estimate"], selection.folds
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
            "hyperparameters": str(selection.choice.point),
            "training_job": best["training_job_name"],
            "tuning_job": best["tuning_job_name"],
            "fold": best["fold"],
            **({} if best["classes"] else {"validation_mse": best["mse"]}),
            "validation_value": best["value"],
            "rows": folds["rows"],
            "rejected_rows": folds["rejected"]["total"],
            "label_transform": best["label_transform"],
            "data_version": folds["data_version"],
            "artifact_sha256": selection.fold_models.sha256,
        }
    )
