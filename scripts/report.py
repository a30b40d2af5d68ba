"""make report: what an execution found, the latest unless EXECUTION says which."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from pipeline.errors import UserError
from pipeline.execution import execution_state, latest_execution
from pipeline.results import Results, results_of
from scripts.console import aws_session, console, load, option, run


def main() -> int:
    """Print the results of an execution."""
    config = load()
    session = aws_session(config)
    sagemaker = session.client("sagemaker")
    arn = option("EXECUTION") or latest_execution(sagemaker, config.pipeline.name)
    if not arn:
        raise UserError(f"The pipeline {config.pipeline.name} has not been executed yet: start it with 'make start'.")
    state = execution_state(sagemaker, arn, [])
    console.print(f"Execution {arn}: {state.status}", soft_wrap=True)
    print_results(results_of(session, state))
    return 0


def print_results(results: Results) -> None:
    """Print the error by fold and hyperparameters, the winner, and where its model is."""
    if results.best is None:
        console.print("No model was selected.")
        return
    console.print(_grid(results.training_jobs, results.best))
    console.print("A fold's best is chosen on the rows that score it, so it flatters the model a little;", style="dim")
    console.print("the spread between folds says more than the order of neighbouring numbers.\n", style="dim")
    best = results.best
    tuned = ", ".join(f"{name} {value}" for name, value in sorted(best["hyperparameters"].items()))
    facts = {
        "Best model": f"{best['training_job_name']} (fold {best['fold']})",
        "Hyperparameters": tuned,
        **{f"  {name}": f"{value:,.6g}" for name, value in sorted(best["metrics"].items()) if "validation" in name},
        "Artifact": best["model_data"],
        "Model package": results.model_package_arn or "not registered",
        "Endpoint": f"{results.endpoint_name or 'none'} ({results.deployment_status or 'not deployed'})",
    }
    for name, value in facts.items():
        console.print(f"{name:32}{value}", markup=False, soft_wrap=True)


def _grid(jobs: list[dict[str, Any]], best: dict[str, Any]) -> Table:
    """One row a combination of hyperparameters, one column a fold; the winner stands out."""
    points = sorted({_point(job) for job in jobs}, key=lambda point: [float(value) for _, value in point])
    folds = sorted({job["fold"] for job in jobs})
    by_cell = {(_point(job), job["fold"]): job for job in jobs}
    table = Table(title="Mean squared error on the held-out fold, in millions", title_justify="left")
    for name, _ in points[0]:
        table.add_column(name, justify="right")
    for fold in folds:
        table.add_column(f"fold {fold}", justify="right")
    table.add_column("mean", justify="right")
    for point in points:
        row = [by_cell.get((point, fold)) for fold in folds]
        cells = [_cell(job, job is not None and job["training_job_name"] == best["training_job_name"]) for job in row]
        errors = [job["mse"] for job in row if job is not None]
        mean = f"{sum(errors) / len(errors) / 1e6:.3f}" if len(errors) == len(folds) else ""
        table.add_row(*(value for _, value in point), *cells, mean)
    return table


def _cell(job: dict[str, Any] | None, winner: bool) -> str:
    if job is None:
        return ""
    text = f"{job['mse'] / 1e6:.3f}"
    return f"[bold green]{text}[/]" if winner else text


def _point(job: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(job["hyperparameters"].items(), reverse=True))


if __name__ == "__main__":
    run(main)
