"""make report: print the results of the execution EXECUTION, by default the latest, and write a page about them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.table import Table

from pipeline.errors import UserError
from pipeline.operate.execution import execution_state
from pipeline.operate.objective import CLASS_METRICS, METRIC_TITLES, baselines_of, objective_of, own_value_of, value_of
from pipeline.operate.results import Results, ResultsDeletedError, results_of
from scripts.command_line import command, option
from scripts.console import aws_session, config_option, console, run
from scripts.executions import find_execution, left_of_execution
from scripts.progress import explain_failure
from scripts.rejected_rows import print_rejected_rows
from scripts.report_page import draw_page, show_page, write_page
from scripts.tables import add_numbers, add_texts, fits, plain_table

if TYPE_CHECKING:
    from pipeline.config.models import Config

_LEADING = 3
_IN_LABEL_UNITS = ("mse", "rmse", "mae", "absolute_loss")
"""Objectives whose size depends on the label's unit; those of others are of the size of 1."""


@command("report")
@config_option
@option("--execution", variable="EXECUTION", metavar="arn-or-id", help="The execution, by default the latest.")
def main(config: Config, execution: str | None) -> int:
    """Show the results of an execution."""
    session = aws_session(config)
    arn = find_execution(session, config, execution)
    state = execution_state(session.client("sagemaker"), arn, [])
    console.print(f"Execution {arn}: {state.status}")
    if state.status == "Failed":
        explain_failure(session, state)
    try:
        results = results_of(session, state)
    except ResultsDeletedError as error:
        raise UserError(f"{error} {left_of_execution(session, config, arn)}") from None
    print_results(results)
    show_page(write_page(state, draw_page(session, state, results)))
    return 0


def print_results(results: Results) -> None:
    """Print rows that were set aside, the estimate, the errors, the model and its warnings."""
    print_rejected_rows(results.rejected_rows)
    best = results.best
    if best is None:
        console.print("No model was selected.")
        return
    rank = f"rank_test_{objective_of(best).column}"
    ranked = [row for row in results.cv_results if row[rank] is not None]
    console.print(_errors(ranked, best) if ranked else _best_of_each_fold(results.training_jobs, best))
    if ranked and (unranked := len(results.cv_results) - len(ranked)):
        console.print(f"{unranked} combinations have no error on some fold: cv_results.csv says why.\n")
    for name, value in {**_error_facts(best), **_model_facts(best, results)}.items():
        console.print(f"{name:25} {value}", markup=False)
    for sentence in best["warnings"]:
        console.print(f"Warning: {sentence}", markup=False)


def _error_facts(best: dict[str, Any]) -> dict[str, str]:
    estimate, scored, title = best["estimate"], best["out_of_fold"], objective_of(best).title
    value = amount(value_of(estimate))
    if estimate["low"] is None:
        facts = {f"{title} on one fold": f"{value} (a Bayesian search has no cross-validated estimate)"}
    else:
        interval = f"{amount(estimate['low'])} to {amount(estimate['high'])}"
        facts = {f"Cross-validated {title}": f"{value} (95 % interval, approximate: {interval})"}
    if "r2" in scored:
        facts["Out of fold"] = f"R2 {scored['r2']:.4f}, RMSE {amount(scored['rmse'])}, MAE {amount(scored['mae'])}"
    elif shares := [
        f"{_within_a_line(METRIC_TITLES[name])} {scored[name]:.4f}"
        for name in CLASS_METRICS
        if scored.get(name) is not None
    ]:
        facts["Out of fold"] = ", ".join(shares)
    facts["Baselines, same folds"] = _baselines(best) or "unknown"
    return facts


def _baselines(best: dict[str, Any]) -> str:
    # One word names a baseline in a list.
    known = {title.removeprefix("Predicting the "): value for title, value in baselines_of(best).items()}
    return ", ".join(f"{_within_a_line(title)} {amount(value)}" for title, value in known.items())


def _within_a_line(title: str) -> str:
    """Return a title without its capital; acronyms keep theirs."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def amount(value: float) -> str:
    """Return a number with at most six digits, or without decimals from 100,000."""
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.6g}"


def _model_facts(best: dict[str, Any], results: Results) -> dict[str, str]:
    facts = {"Hyperparameters": f"{_tuned(best)} (rule: {best['rule']})"}
    if best["training_job_name"]:
        facts["Training job"] = f"{best['training_job_name']} (fold {best['fold']})"
        objective, own = objective_of(best), own_value_of(best)
        if own is not None:
            told = f"{amount(own)} (the {objective.extreme} of all jobs, so it flatters the model)"
            facts[f"Its {objective.title} on its own fold"] = told
        facts["Artifact"] = best["model_data"]
    elif results.refit is not None:
        facts["Training job"] = f"{results.refit.training_job} (all rows)"
        scale = f", of {best['label_transform']}(label)" if best.get("label_transform") else ""
        value = amount(results.refit.value)
        facts[f"Its training {objective_of(best).title}"] = f"{value} (on the rows that it was trained on{scale})"
    if results.cv_results_uri:
        facts["cv_results.csv"] = results.cv_results_uri
    facts["Model package"] = _package(results)
    facts["Endpoint"] = f"{results.endpoint_name or 'none'} ({results.endpoint_state})"
    return facts


def _exponent(best: dict[str, Any]) -> int:
    """Return the power of ten, a multiple of three, in which the training jobs' errors are shown."""
    value = value_of(best.get("estimate_as_trained", best["estimate"]))
    if objective_of(best).column not in _IN_LABEL_UNITS:
        return 0
    return 3 * math.floor(math.log10(value) / 3) if value > 0 else 0


def _table(best: dict[str, Any], remark: str = "") -> Table:
    exponent, transform = _exponent(best), best.get("label_transform")
    unit = f", in 1e{exponent}" if exponent else ""
    objective = objective_of(best)
    metric = "Mean squared error" if objective.column == "mse" else objective.title
    what = f"{metric} {f'of {transform}(label) ' if transform else ''}on the held-out folds"
    return plain_table(f"{what}{unit}{remark}")


def _errors(rows: list[dict[str, Any]], best: dict[str, Any]) -> Table:
    """Return a table of all combinations, with the errors of each fold if the terminal is wide enough for them."""
    folds = [name for name in rows[0] if name.startswith("split")]
    whole = _grid(rows, best, _table(best), folds)
    if fits(whole):
        return whole
    return _grid(rows, best, _table(best, f"; cv_results.csv has the errors of the {len(folds)} folds"), [])


def _grid(rows: list[dict[str, Any]], best: dict[str, Any], table: Table, folds: list[str]) -> Table:
    """Fill a table with one row for each combination of hyperparameters, in the grid's order."""
    column, exponent = objective_of(best).column, _exponent(best)
    decimals = 2 if column in _IN_LABEL_UNITS else 4
    names = sorted(rows[0]["params"], reverse=True)
    add_numbers(table, [*names, "mean", "sd", *(f"fold {number}" for number in range(1, len(folds) + 1))])
    for row in sorted(rows, key=lambda row: [_number(row["params"][name]) for name in names]):
        errors = [row[name] / 10**exponent for name in (f"mean_test_{column}", f"std_test_{column}", *folds)]
        style = "bold green" if row["chosen"] else None
        cells = [*(short(row["params"][name]) for name in names), *(_in_unit(error, decimals) for error in errors)]
        table.add_row(*cells, style=style)
    return table


def _in_unit(error: float, decimals: int = 2) -> str:
    """Return an error in the table's unit. Those of combinations that diverged may have many digits."""
    return f"{error:.{decimals}f}" if error < 1e6 else f"{error:.2e}"


def short(text: str) -> str:
    """Return a hyperparameter with four digits at most, which tell the points of a random search apart."""
    number = _number(text)
    return text if math.isinf(number) else f"{number:.4g}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.inf


def _best_of_each_fold(jobs: list[dict[str, Any]], best: dict[str, Any]) -> Table:
    """Return a table with the best training jobs of each fold, for searches with different combinations per fold."""
    table, exponent, objective = _table(best), _exponent(best), objective_of(best)
    decimals = 2 if objective.column in _IN_LABEL_UNITS else 4
    jobs = [{**job, "value": own_value_of(job)} for job in jobs]
    add_numbers(table, ("fold", "error"))
    add_texts(table, "hyperparameters")
    for fold in sorted({job["fold"] for job in jobs}):
        of_fold = [job for job in jobs if job["fold"] == fold]
        leading = sorted(of_fold, key=lambda job: float(job["value"]), reverse=not objective.minimizes)
        for job in leading[:_LEADING]:
            style = "bold green" if job["training_job_name"] == best["training_job_name"] else None
            table.add_row(str(fold), _in_unit(job["value"] / 10**exponent, decimals), _tuned(job), style=style)
    return table


def _package(results: Results) -> str:
    if results.model_package_arn is None:
        return "not registered"
    if results.model_package_deleted:
        lost = ", with the training job's name and error" if results.best and results.best["fold"] is None else ""
        return f"{results.model_package_arn} (deleted since{lost})"
    remark = "" if results.newly_registered else " (unchanged: registered by an earlier execution)"
    return results.model_package_arn + remark


def _tuned(job: dict[str, Any]) -> str:
    return ", ".join(f"{name} {short(value)}" for name, value in _point(job))


def _point(job: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(job["hyperparameters"].items(), reverse=True))


if __name__ == "__main__":
    run(main)
