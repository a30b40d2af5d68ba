"""Chooses the model among the training jobs of all folds, and says how good models like it are.

Runs as a processing job in SageMaker's scikit-learn container, packed with the package ``evaluation`` into one archive
that Python runs. It needs boto3, numpy and scipy, and imports nothing else of this repository.

Outputs:
    <best>/model.tar.gz                the winner's artifact, byte for byte; not if the rule refits a model
    <best>/best.json                   the choice: hyperparameters, estimate, baselines, warnings, jobs
    <best>/sample_payload.tar.gz       some rows as an endpoint takes them
    <best>/folds.json                  the columns and their encoding, for whoever asks the model
    <evaluation>/cv_results.csv, .json every point with its error on each fold
    <evaluation>/out_of_fold.csv       every row's label, and its prediction by the model that did not see it
    <evaluation>/coefficients.json     the coefficients by feature name
    <evaluation>/importance.json       the permutation importance of each variable
    <evaluation>/model_quality.json    metrics in the form that SageMaker's model quality monitor reads
    <evaluation>/statistics.json, constraints.json  the features, as SageMaker Model Monitor reads them
    <evaluation>/training_jobs.json    every training job with its fold, hyperparameters and error
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.baselines import least_squares_errors, mean_errors
from evaluation.card import model_card
from evaluation.cautions import Evidence, artifact_caution, cautions, precision_caution
from evaluation.choice import Choice, choice_of, estimate_in_units, estimate_of
from evaluation.clients import Clients, aws_clients
from evaluation.coefficients import coefficients_of
from evaluation.cv_results import cv_results, write_cv_results
from evaluation.errors import StepError, leave_reason
from evaluation.estimate import pooled
from evaluation.fold_models import FoldModels, read_fold_models
from evaluation.importance import importance_of
from evaluation.jobs import Search, read_search
from evaluation.label_scale import LabelScale
from evaluation.linear_model import LinearModel
from evaluation.metadata import metadata_of
from evaluation.monitor import constraints, model_quality, statistics
from evaluation.points import Point, points_of
from evaluation.rules import RULES, best_by_mean
from evaluation.scoring import Scored, score_folds


def best_of(options: argparse.Namespace, clients: Clients, folds: dict[str, Any]) -> dict[str, Any]:
    """Choose the model, write the evaluation, and return the content of best.json."""
    rows = [fold["test_rows"] for fold in folds["folds"]]
    search = read_search(clients.sagemaker, options.tuning_job, options.objective)
    points = points_of(search.jobs, len(rows))
    choice = choice_of(options.rule, search, points, rows)
    fold_models = read_fold_models(clients, choice, options.best / "model.tar.gz")
    predictions = options.evaluation / "out_of_fold.csv"
    scale = LabelScale(folds["preparation"]["label_transform"])
    scored = score_folds(clients.s3, options.folds_uri, len(rows), fold_models.models, predictions, scale=scale)
    as_trained = estimate_of(choice, points, rows)
    winner, mean = choice.winner, pooled(mean_errors(scored.moments), rows)
    least_squares = least_squares_errors(scored.moments)
    best: dict[str, Any] = {
        "rule": choice.rule,
        "hyperparameters": choice.point.hyperparameters,
        "fold_rows": rows,
        "fold_label_means": [float(fold.means[0]) for fold in scored.moments],
        "estimate": as_trained if scale.transform is None else estimate_in_units(scored.fold_mse, rows),
        "label_transform": scale.transform,
        "estimate_as_trained": as_trained,
        "baselines": {"mean": mean, "least_squares": least_squares and pooled(least_squares, rows)},
        "out_of_fold": scored.predictions or {"missing": fold_models.missing},
        "fold": winner and winner.fold,
        "mse": winner and (winner.mse if scale.transform is None else scored.fold_mse[winner.fold]),
        "training_job_mse": winner and winner.mse,
        "training_job_name": winner and winner.name,
        "tuning_job_name": winner and winner.tuning_job,
        "model_data": fold_models.model_data,
        "metrics": fold_models.metrics,
        "training_jobs": [job and job.name for job in choice.point.jobs],
    }
    best["warnings"] = _warnings(best, search, points, scored, folds)
    best["metadata"] = _metadata(best, choice.point, folds, fold_models.sha256)
    coefficients = _coefficients(choice, fold_models, scored, folds)
    best["model_card"] = model_card(best, folds, coefficients)
    _write_evaluation(options, best, scored, folds)
    write_json(options.evaluation / "coefficients.json", coefficients)
    importance = importance_of(folds, fold_models.models, scored.moments_as_trained)
    write_json(options.evaluation / "importance.json", importance)
    write_json(options.evaluation / "training_jobs.json", _jobs(search))
    write_cv_results(options.evaluation, cv_results(points, rows, choice.point.hyperparameters))
    return best


def _warnings(
    best: dict[str, Any], search: Search, points: Sequence[Point], scored: Scored, folds: dict[str, Any]
) -> list[str]:
    fold_mse = best["estimate"].get("fold_mse", [])
    evidence = Evidence(
        search=search,
        points=points,
        best=best_by_mean(points, best["fold_rows"]) if any(point.eligible for point in points) else None,
        mse=best["estimate"]["mse"],
        fold_mse=fold_mse,
        mean_mse=best["baselines"]["mean"],
        least_squares_mse=best["baselines"]["least_squares"],
        moments=scored.moments,
        folds=folds,
        rule=best["rule"],
    )
    return [
        *cautions(evidence),
        *artifact_caution(best["estimate_as_trained"].get("fold_mse", []), scored.fold_mse_as_trained),
        *precision_caution(scored.fold_mse_as_trained, scored.fold_mse_float32),
    ]


def _metadata(best: dict[str, Any], point: Point, folds: dict[str, Any], sha256: str) -> dict[str, str]:
    estimated = best["estimate"]
    return metadata_of(
        {
            "selection_rule": best["rule"],
            "estimate_mse": estimated["mse"],
            "estimate_low": estimated["low"],
            "estimate_high": estimated["high"],
            "hyperparameters": str(point),
            "training_job": best["training_job_name"],
            "tuning_job": best["tuning_job_name"],
            "fold": best["fold"],
            "validation_mse": best["mse"],
            "rows": folds["rows"],
            "rejected_rows": folds["rejected"]["total"],
            "label_transform": best["label_transform"],
            "data_version": folds["data_version"],
            "artifact_sha256": sha256,
        }
    )


def _coefficients(
    choice: Choice, fold_models: FoldModels, scored: Scored, folds: dict[str, Any]
) -> list[dict[str, Any]]:
    linear = [model for model in fold_models.models if isinstance(model, LinearModel)]
    if not linear:
        return []
    own = None if choice.winner is None else linear[choice.winner.fold - 1]
    return coefficients_of(folds["columns"]["features"], linear, scored.total.deviations[1:], own)


def _write_evaluation(options: argparse.Namespace, best: dict[str, Any], scored: Scored, folds: dict[str, Any]) -> None:
    names = [folds["columns"]["label"], *folds["columns"]["features"]]
    write_json(options.evaluation / "model_quality.json", model_quality(best["estimate"]["mse"], scored.predictions))
    write_json(options.evaluation / "statistics.json", statistics(names, scored.served, scored.sketch))
    write_json(options.evaluation / "constraints.json", constraints(names, scored.served.lowest))
    _write_payload(options.best / "sample_payload.tar.gz", scored.payload)


def _write_payload(path: Path, payload: bytes) -> None:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("sample.csv")
        entry.size = len(payload)
        archive.addfile(entry, io.BytesIO(payload))


def _jobs(search: Search) -> list[dict[str, Any]]:
    return [
        {
            "fold": job.fold,
            "mse": job.mse,
            "training_job_name": job.name,
            "tuning_job_name": job.tuning_job,
            "hyperparameters": job.hyperparameters,
        }
        for job in sorted(search.jobs, key=lambda job: (job.fold, job.mse or 0.0))
        if job.fault is None
    ]


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document. NaN and Infinity are errors: JsonGet and other readers do not take them."""
    path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", "utf-8")


def parser() -> argparse.ArgumentParser:
    """Return the program's command line."""
    parser = argparse.ArgumentParser(description="Choose the model among the training jobs of all folds.")
    parser.add_argument("--objective", required=True, help="metric to minimise")
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
    print(f"chosen by {best['rule']}: {chosen}, estimated mse {estimated['mse']:.6g}{interval}")
    if best["training_job_name"]:
        print(f"best training job: {best['training_job_name']}, fold {best['fold']}, own mse {best['mse']:.6g}")
    for sentence in best["warnings"]:
        print(f"warning: {sentence}")


if __name__ == "__main__":
    try:
        main()
    except StepError as error:
        sys.exit(f"select_best: error: {error}")
