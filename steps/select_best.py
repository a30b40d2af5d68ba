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

from evaluation.best import best_document
from evaluation.choice import choice_of
from evaluation.class_quality import class_quality
from evaluation.clients import Clients, aws_clients
from evaluation.cv_results import cv_results, write_cv_results
from evaluation.errors import StepError, leave_reason
from evaluation.fold_models import read_fold_models
from evaluation.importance import importance_of
from evaluation.jobs import read_search
from evaluation.label_scale import LabelScale
from evaluation.metrics import REGRESSION
from evaluation.models import ALGORITHMS, LINEAR_LEARNER
from evaluation.monitor import constraints, model_quality, statistics
from evaluation.objective import MAXIMIZE, MINIMIZE, Objective
from evaluation.points import points_of
from evaluation.rules import RULES
from evaluation.scoring import score_folds
from evaluation.selection import Selection
from evaluation.shap import shap_of


def run(options: argparse.Namespace, clients: Clients, folds: dict[str, Any]) -> dict[str, Any]:
    """Choose the model, write its artifact and the evaluation, and return the content of best.json."""
    selection = choose(options, clients, folds)
    best = best_document(selection)
    write_evaluation(options, selection, best)
    return best


def choose(options: argparse.Namespace, clients: Clients, folds: dict[str, Any]) -> Selection:
    """Choose the model, and score every row by the model that did not see it.

    Writes the winner's artifact, and the predictions while it reads the rows: they need not fit into memory.

    Args:
        options: the program's options.
        clients: boto3's clients.
        folds: the content of folds.json.

    Raises:
        SelectionError: nothing can be chosen, or the models do not predict what the label is.
    """
    rows = [fold["test_rows"] for fold in folds["folds"]]
    problem, classes = folds.get("problem", REGRESSION), folds.get("classes") or []
    asked = Objective(options.objective, maximize=options.direction == MAXIMIZE)
    search = read_search(clients.sagemaker, options.tuning_job, asked)
    points = points_of(search.jobs, len(rows))
    choice = choice_of(options.rule, search, points, rows, asked)
    objective = asked.known_as(options.algorithm, problem, search.static | choice.point.hyperparameters)
    fold_models = read_fold_models(clients, choice, options.best / "model.tar.gz", options.algorithm)
    predictions = options.evaluation / "out_of_fold.csv"
    scale = LabelScale(folds["preparation"]["label_transform"])
    scored = score_folds(
        clients.s3, options.folds_uri, len(rows), fold_models.models, predictions, scale=scale, classes=classes
    )
    return Selection(
        algorithm=options.algorithm,
        folds=folds,
        rows=rows,
        problem=problem,
        classes=classes,
        search=search,
        points=points,
        objective=objective,
        choice=choice,
        fold_models=fold_models,
        scored=scored,
    )


def write_evaluation(options: argparse.Namespace, selection: Selection, best: dict[str, Any]) -> None:
    """Write the sample payload and, except for the predictions, the evaluation's files.

    Args:
        options: the program's options.
        selection: the chosen model.
        best: the content of best.json.
    """
    folder, scored = options.evaluation, selection.scored
    _write_payload(options.best / "sample_payload.tar.gz", scored.payload)
    for name, document in {**_monitored(selection, best), **_explained(selection)}.items():
        write_json(folder / name, document)
    if scored.tables is not None:
        write_json(folder / "classification.json", scored.tables)
    write_json(folder / "training_jobs.json", _jobs(selection))
    chosen = selection.choice.point.hyperparameters
    write_cv_results(folder, cv_results(selection.points, selection.rows, chosen, selection.objective))


def _monitored(selection: Selection, best: dict[str, Any]) -> dict[str, Any]:
    """Return the documents that SageMaker Model Monitor reads, by file name."""
    columns, scored, is_class = selection.folds["columns"], selection.scored, bool(selection.classes)
    names = [columns["label"], *columns["features"]]
    if is_class:
        total, samples = (scored.classes[0], scored.classes[1:]) if scored.classes else (None, [])
        quality = class_quality(total, samples)
    else:
        quality = model_quality(best["estimate"].get("mse"), scored.predictions)
    return {
        "model_quality.json": quality,
        "statistics.json": statistics(names, scored.served, scored.sketch, label_is_class=is_class),
        "constraints.json": constraints(names, scored.served.lowest, label_is_class=is_class),
    }


def _explained(selection: Selection) -> dict[str, Any]:
    """Return the documents about the features' effects, by file name."""
    folds, models, scored = selection.folds, selection.fold_models.models, selection.scored
    return {
        "coefficients.json": selection.coefficients,
        "importance.json": [] if selection.classes else importance_of(folds, models, scored.moments_as_trained),
        "shap.json": shap_of(folds["columns"]["features"], models, scored.sample, scored.served.means[1:]),
    }


def _write_payload(path: Path, payload: bytes) -> None:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("sample.csv")
        entry.size = len(payload)
        archive.addfile(entry, io.BytesIO(payload))


def _jobs(selection: Selection) -> list[dict[str, Any]]:
    objective = selection.objective
    return [
        {
            "fold": job.fold,
            "value": job.value,
            **({} if selection.classes else {"mse": job.value if objective.metric == "mse" else None}),
            "training_job_name": job.name,
            "tuning_job_name": job.tuning_job,
            "hyperparameters": job.hyperparameters,
        }
        for job in sorted(selection.search.jobs, key=lambda job: (job.fold, objective.cost(job.value or 0.0)))
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
        best = run(options, aws_clients(), json.loads(options.folds.read_text("utf-8")))
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
