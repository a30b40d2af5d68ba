"""Writes the page about an execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.operate.execution import ExecutionState
from pipeline.operate.objective import CLASS_METRICS, METRIC_TITLES, objective_of, value_of
from pipeline.report.evidence import Evidence
from pipeline.report.numbers import short, tuned
from pipeline.report.sections import sections_of
from pipeline.text import visible


def rendered(evidence: Evidence) -> str:
    """Return the page about an execution: one HTML document that needs no network and no script."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = evidence.state.arn.split("/")
    return environment.get_template("page.html.jinja").render(
        pipeline=parts[1],
        execution_id=parts[-1],
        headline=_headline(evidence),
        facts=_facts(evidence),
        sections=sections_of(evidence),
    )


def _visible(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _headline(evidence: Evidence) -> dict[str, str]:
    """Return the few numbers that matter most."""
    best = evidence.results.best
    if best is None:
        return {}
    estimate, scored, objective = best["estimate"], best["out_of_fold"], objective_of(best)
    value = short(value_of(estimate))
    if estimate["low"] is None:
        return {f"{objective.starts_sentence} on one fold": value}
    interval = f"{short(estimate['low'])} to {short(estimate['high'])}"
    numbers = {f"Cross-validated {objective.title}": value, "95 % interval, approximate": interval}
    if "r2" in scored:
        return numbers | {"RMSE": short(scored["rmse"]), "MAE": short(scored["mae"]), "R2": f"{scored['r2']:.3f}"}
    names = [name for name in CLASS_METRICS if name != "f1_macro" or "f1" not in scored]
    more = {METRIC_TITLES[name]: scored[name] for name in names if scored.get(name) is not None}
    more.pop(objective.title, None)
    return numbers | {f"{title}, out of fold": f"{value:.3f}" for title, value in more.items()}


def _facts(evidence: Evidence) -> dict[str, str]:
    results, best = evidence.results, evidence.results.best
    took = evidence.ended - evidence.started
    facts = {
        "Execution": evidence.state.arn,
        "Status": evidence.state.status,
        "Time": f"{evidence.started:%Y-%m-%d %H:%M} to {evidence.ended:%H:%M %Z}, {_duration(took.total_seconds())}",
    }
    if evidence.state.failure:
        facts["Reason"] = _failure(evidence.state)
    if best is not None:
        chosen = ", ".join(
            f"{name} {tuned(value)}" for name, value in sorted(best["hyperparameters"].items(), reverse=True)
        )
        facts["Hyperparameters"] = f"{chosen} (rule: {best['rule']})"
    deleted = " (deleted since)" if results.model_package_deleted else ""
    facts["Model"] = (results.model_package_arn or "not registered") + deleted
    facts["Endpoint"] = f"{results.endpoint_name or 'none'} ({results.endpoint_state})"
    return facts


def _failure(state: ExecutionState) -> str:
    """Return the reasons of the steps that failed, each once."""
    reasons = {step.detail: step.name for step in reversed(state.steps) if step.status == "Failed"}
    return "; ".join(f"{name} failed: {reason}" for reason, name in reversed(reasons.items())) or state.failure


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
