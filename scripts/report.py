"""make report: print the results of the execution EXECUTION, by default the latest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from pipeline.errors import UserError
from pipeline.operate.execution import execution_state, latest_execution
from pipeline.operate.results import Results, results_of
from scripts.console import aws_session, console, load, option, run
from scripts.progress import explain_failure

Cell = Callable[[dict[str, Any]], str]
"""Formats the error of a training job."""

_SHOWN_METRICS = ("validation:mse", "validation:rmse", "validation:absolute_loss")
_LEADING = 3


def main() -> int:
    """Print the results of an execution."""
    config = load()
    session = aws_session(config)
    sagemaker = session.client("sagemaker")
    arn = option("EXECUTION") or latest_execution(sagemaker, config.pipeline.name)
    if not arn:
        raise UserError(f"The pipeline {config.pipeline.name} has not been executed yet: start it with 'make start'.")
    state = execution_state(sagemaker, arn, [])
    console.print(f"Execution {arn}: {state.status}")
    if state.status == "Failed":
        explain_failure(session, state)
    print_results(results_of(session, state))
    return 0


def print_results(results: Results) -> None:
    """Print the error by fold and hyperparameters, the winner, and its model."""
    if results.best is None:
        console.print("No model was selected.")
        return
    console.print(_errors(results.training_jobs, results.best))
    console.print(
        "A fold's best model is chosen on the rows that score it, so its error is a little too low. Trust the"
    )
    console.print("spread between folds more than the order of similar numbers.\n")
    best = results.best
    facts = {
        "Best training job": f"{best['training_job_name']} (fold {best['fold']})",
        "Hyperparameters": _tuned(best),
        **{name: f"{value:,.6g}" for name, value in sorted(best["metrics"].items()) if name in _SHOWN_METRICS},
        "Artifact": best["model_data"],
        "Model package": _package(results),
        "Endpoint": f"{results.endpoint_name or 'none'} ({results.endpoint_state})",
    }
    for name, value in facts.items():
        console.print(f"{name:26}{value}", markup=False)


def _errors(jobs: list[dict[str, Any]], best: dict[str, Any]) -> Table:
    points = Counter(_point(job) for job in jobs)
    folds = sorted({job["fold"] for job in jobs})
    shared = all(count == len(folds) for count in points.values())
    exponent = 3 * math.floor(math.log10(best["mse"]) / 3) if best["mse"] > 0 else 0
    title = f"Mean squared error on the held-out fold, in 1e{exponent}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)

    def cell(job: dict[str, Any]) -> str:
        text = f"{job['mse'] / 10**exponent:.3f}"
        return f"[bold green]{text}[/]" if job["training_job_name"] == best["training_job_name"] else text

    return _grid(table, jobs, folds, cell) if shared else _best_of_each_fold(table, jobs, folds, cell)


def _grid(table: Table, jobs: list[dict[str, Any]], folds: list[int], cell: Cell) -> Table:
    """Fill a table with one row per combination of hyperparameters and one column per fold; highlight the winner."""
    by_cell = {(_point(job), job["fold"]): job for job in jobs}
    points = sorted({_point(job) for job in jobs}, key=lambda point: [float(value) for _, value in point])
    for name in [*(name for name, _ in points[0]), *(f"fold {fold}" for fold in folds), "mean"]:
        table.add_column(name, justify="right", no_wrap=True)
    for point in points:
        row = [by_cell[point, fold] for fold in folds]
        mean = {"training_job_name": "", "mse": sum(job["mse"] for job in row) / len(row)}
        table.add_row(*(value for _, value in point), *(cell(job) for job in [*row, mean]))
    return table


def _best_of_each_fold(table: Table, jobs: list[dict[str, Any]], folds: list[int], cell: Cell) -> Table:
    """Fill a table with the best training jobs of each fold, for searches with different combinations per fold."""
    for name in ("fold", "error", "hyperparameters"):
        table.add_column(name, no_wrap=True)
    for fold in folds:
        leading = sorted((job for job in jobs if job["fold"] == fold), key=lambda job: float(job["mse"]))
        for job in leading[:_LEADING]:
            table.add_row(str(fold), cell(job), _tuned(job))
    return table


def _package(results: Results) -> str:
    if results.model_package_arn is None:
        return "not registered"
    remark = "" if results.newly_registered else " (unchanged: registered by an earlier execution)"
    return results.model_package_arn + remark


def _tuned(job: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in _point(job))


def _point(job: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(job["hyperparameters"].items(), reverse=True))


if __name__ == "__main__":
    run(main)
