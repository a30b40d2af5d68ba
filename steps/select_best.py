"""Chooses the model among the training jobs of all folds, and says how good models like it are.

Runs as a processing job in SageMaker's scikit-learn container, or in the algorithm's own if its models need a library.
It is packed with the package ``evaluation`` into one archive that Python runs. It needs boto3, numpy and scipy, and
imports nothing else of this repository.

Outputs:
    <best>/model.tar.gz                the winner's artifact, byte for byte; not if the rule refits a model
    <best>/best.json                   the choice: hyperparameters, estimate, baselines, warnings, jobs
    <best>/sample_payload.tar.gz       some rows as an endpoint takes them
    <best>/folds.json                  the columns and their encoding, for whoever asks the model
    <evaluation>/cv_results.csv, .json every point with its error on each fold
    <evaluation>/out_of_fold.csv       every row's label, and its prediction by the model that did not see it
    <evaluation>/classification.json   tables and curves of the predicted classes, if the label has classes
    <evaluation>/coefficients.json     the coefficients by feature name, of a linear model
    <evaluation>/importance.json       the permutation importance of each variable, of a linear model of a number
    <evaluation>/shap.json             the features' contributions to predictions
    <evaluation>/model_quality.json    metrics in the form that SageMaker's model quality monitor reads
    <evaluation>/statistics.json, constraints.json  the features, as SageMaker Model Monitor reads them
    <evaluation>/training_jobs.json    every training job with its fold, hyperparameters and objective
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

from evaluation.best import baselines_of, former_names, objective_out_of_fold, registry_metadata, warnings_of
from evaluation.card import model_card
from evaluation.choice import Choice, choice_of, estimate_in_units, estimate_of
from evaluation.class_quality import class_quality
from evaluation.clients import Clients, aws_clients
from evaluation.coefficients import Linear, coefficients_of
from evaluation.cv_results import cv_results, write_cv_results
from evaluation.errors import StepError, leave_reason
from evaluation.fold_models import FoldModels, read_fold_models
from evaluation.importance import importance_of
from evaluation.jobs import Search, read_search
from evaluation.label_scale import LabelScale
from evaluation.metrics import REGRESSION
from evaluation.models import ALGORITHMS, LINEAR_LEARNER
from evaluation.monitor import constraints, model_quality, statistics
from evaluation.objective import MAXIMIZE, MINIMIZE, Objective
from evaluation.points import points_of
from evaluation.rules import RULES
from evaluation.scoring import Scored, of_folds, score_folds
from evaluation.shap import shap_of


def best_of(options: argparse.Namespace, clients: Clients, folds: dict[str, Any]) -> dict[str, Any]:
    """Choose the model, write the evaluation, and return the content of best.json."""
    rows = [fold["test_rows"] for fold in folds["folds"]]
    asked = Objective(options.objective, maximize=options.direction == MAXIMIZE)
    search = read_search(clients.sagemaker, options.tuning_job, asked)
    points = points_of(search.jobs, len(rows))
    choice = choice_of(options.rule, search, points, rows, asked)
    problem, classes = folds.get("problem", REGRESSION), folds.get("classes") or []
    objective = asked.known_as(options.algorithm, problem, search.static | choice.point.hyperparameters)
    fold_models = read_fold_models(clients, choice, options.best / "model.tar.gz", options.algorithm)
    predictions = options.evaluation / "out_of_fold.csv"
    scale = LabelScale(folds["preparation"]["label_transform"])
    scored = score_folds(
        clients.s3, options.folds_uri, len(rows), fold_models.models, predictions, scale=scale, classes=classes
    )
    as_trained = estimate_of(choice, points, rows, objective)
    fold_values = of_folds(scored.fold_metrics, objective.metric)
    winner = choice.winner
    value = winner and (winner.value if scale.transform is None else fold_values.get(winner.fold))
    estimated = as_trained if scale.transform is None else estimate_in_units(fold_values, rows, objective)
    best: dict[str, Any] = {
        "algorithm": options.algorithm,
        "rule": choice.rule,
        "problem": problem,
        "classes": classes or None,
        "metric": {
            "name": objective.name,
            "direction": objective.direction,
            "title": objective.title,
            "computed": objective.metric,
        },
        "hyperparameters": choice.point.hyperparameters,
        "fold_rows": rows,
        "fold_label_means": [float(fold.means[0]) for fold in scored.moments],
        "estimate": estimated,
        "label_transform": scale.transform,
        "estimate_as_trained": as_trained,
        "baselines": baselines_of(folds, scored, objective),
        "out_of_fold": scored.predictions or {"missing": fold_models.missing},
        "objective_out_of_fold": objective_out_of_fold(objective, fold_values, rows, fold_models),
        "fold": winner and winner.fold,
        "value": value,
        "training_job_value": winner and winner.value,
        "training_job_name": winner and winner.name,
        "tuning_job_name": winner and winner.tuning_job,
        "model_data": fold_models.model_data,
        "metrics": fold_models.metrics,
        "training_jobs": [job and job.name for job in choice.point.jobs],
    }
    if not classes:
        best |= former_names(best, objective, scored)
    best["warnings"] = warnings_of(best, search, points, scored, folds=folds, objective=objective)
    best["metadata"] = registry_metadata(best, choice.point, folds, fold_models.sha256)
    coefficients = _coefficients(choice, fold_models, scored, folds)
    best["model_card"] = model_card(best, folds, coefficients)
    _write_evaluation(options, best, scored, folds)
    write_json(options.evaluation / "coefficients.json", coefficients)
    importance = [] if classes else importance_of(folds, fold_models.models, scored.moments_as_trained)
    write_json(options.evaluation / "importance.json", importance)
    explained = shap_of(folds["columns"]["features"], fold_models.models, scored.sample, scored.served.means[1:])
    write_json(options.evaluation / "shap.json", explained)
    write_json(options.evaluation / "training_jobs.json", _jobs(search, objective, is_regression=not classes))
    write_cv_results(options.evaluation, cv_results(points, rows, choice.point.hyperparameters, objective))
    return best


def _coefficients(
    choice: Choice, fold_models: FoldModels, scored: Scored, folds: dict[str, Any]
) -> list[dict[str, Any]]:
    linear = [model for model in fold_models.models if isinstance(model, Linear)]
    if not linear:
        return []
    own = None if choice.winner is None else linear[choice.winner.fold - 1]
    classes = folds.get("classes") or []
    return coefficients_of(
        folds["columns"]["features"], linear, scored.total.deviations[1:], own, classes if len(classes) > 2 else ()
    )


def _write_evaluation(options: argparse.Namespace, best: dict[str, Any], scored: Scored, folds: dict[str, Any]) -> None:
    names = [folds["columns"]["label"], *folds["columns"]["features"]]
    is_class, folder = best["classes"] is not None, options.evaluation
    if is_class:
        total, samples = (scored.classes[0], scored.classes[1:]) if scored.classes else (None, [])
        write_json(folder / "model_quality.json", class_quality(total, samples))
    else:
        write_json(folder / "model_quality.json", model_quality(best["estimate"].get("mse"), scored.predictions))
    if scored.tables is not None:
        write_json(folder / "classification.json", scored.tables)
    described = statistics(names, scored.served, scored.sketch, label_is_class=is_class)
    write_json(folder / "statistics.json", described)
    write_json(folder / "constraints.json", constraints(names, scored.served.lowest, label_is_class=is_class))
    _write_payload(options.best / "sample_payload.tar.gz", scored.payload)


def _write_payload(path: Path, payload: bytes) -> None:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("sample.csv")
        entry.size = len(payload)
        archive.addfile(entry, io.BytesIO(payload))


def _jobs(search: Search, objective: Objective, *, is_regression: bool) -> list[dict[str, Any]]:
    return [
        {
            "fold": job.fold,
            "value": job.value,
            **({"mse": job.value if objective.metric == "mse" else None} if is_regression else {}),
            "training_job_name": job.name,
            "tuning_job_name": job.tuning_job,
            "hyperparameters": job.hyperparameters,
        }
        for job in sorted(search.jobs, key=lambda job: (job.fold, objective.cost(job.value or 0.0)))
        if job.fault is None
    ]


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document. NaN and Infinity are errors: JsonGet and other readers do not take them."""
    path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", "utf-8")


def parser() -> argparse.ArgumentParser:
    """Return the program's command line."""
    parser = argparse.ArgumentParser(description="Choose the model among the training jobs of all folds.")
    parser.add_argument("--objective", required=True, help="metric that the tuning jobs optimised")
    parser.add_argument("--direction", default=MINIMIZE, choices=(MINIMIZE, MAXIMIZE), help="the objective's direction")
    parser.add_argument("--algorithm", default=LINEAR_LEARNER, choices=ALGORITHMS, help="what trained the models")
    parser.add_argument("--rule", required=True, choices=RULES, help="how the hyperparameters are chosen")
    parser.add_argument("--folds", required=True, type=Path, help="folds.json of the folds")
    parser.add_argument("--folds-uri", required=True, help="where the folds are in S3")
    parser.add_argument("--tuning-job", required=True, action="append", help="name, once a fold, in order")
    parser.add_argument("--best", required=True, type=Path, help="folder for the model and best.json")
    parser.add_argument("--evaluation", required=True, type=Path, help="folder for the metrics")
    parser.add_argument("--message", type=Path, help="file for the reason of a failure: /opt/ml/output/message")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Choose the model and write the outputs."""
    options = parser().parse_args(arguments)
    try:
        for folder in (options.best, options.evaluation):
            folder.mkdir(parents=True, exist_ok=True)
        best = best_of(options, aws_clients(), json.loads(options.folds.read_text("utf-8")))
        write_json(options.best / "best.json", best)
        shutil.copy(options.folds, options.best / "folds.json")
    except Exception as error:
        leave_reason(error, options.message)
        raise
    _print(best)


def _print(best: dict[str, Any]) -> None:
    estimated, chosen = best["estimate"], " ".join(f"{n}={v}" for n, v in sorted(best["hyperparameters"].items()))
    interval = "" if estimated["low"] is None else f", interval {estimated['low']:.6g} to {estimated['high']:.6g}"
    name = best["metric"]["name"].rpartition(":")[2]
    print(f"chosen by {best['rule']}: {chosen}, estimated {name} {estimated['value']:.6g}{interval}")
    if best["training_job_name"] and best["value"] is not None:
        print(f"best training job: {best['training_job_name']}, fold {best['fold']}, own {name} {best['value']:.6g}")
    for sentence in best["warnings"]:
        print(f"warning: {sentence}")


if __name__ == "__main__":
    try:
        main()
    except StepError as error:
        sys.exit(f"select_best: error: {error}")
