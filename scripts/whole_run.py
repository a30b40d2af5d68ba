"""One run of the whole pipeline on this machine, from the configuration to three predictions.

Each run has a folder ``.local/runs/<execution id>`` with its results and its configuration.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from local.core.files import replacing
from local.core.settings import ACCOUNT_ID
from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate.execution import ExecutionState
from pipeline.operate.failures import failures_of
from pipeline.operate.objective import objective_of, own_value_of, value_of
from pipeline.operate.prediction import predict
from pipeline.operate.results import Results, results_of
from pipeline.report.evidence import read_evidence
from scripts.console import aws_session, console
from scripts.local_runs import follow_to_the_end, publish_and_start
from scripts.report import print_results
from scripts.report_page import write_page
from scripts.run_folders import LAST_RUN, ROOT, run_folder
from scripts.sample_predictions import side_by_side
from scripts.shared_service import publishing_alone
from scripts.side_tasks import build, draw, load_drawing

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker.type_defs import ParameterTypeDef

    from scripts.side_process import SideProcess

_READ_ROWS = 20
"""More than are shown, because some may be bad."""

_SHOWN_ROWS = 3
_INDENT = "  "
_NO_PREDICTIONS: dict[str, Any] = {"predictions": [], "prediction_scores": None}


class WholeRun:
    """One run of the pipeline. If its service stops, another call goes on with the same execution.

    Args:
        config: the configuration.
        parameters: the parameters of the execution.
        side: builds the definition and draws the page.
    """

    def __init__(self, config: Config, parameters: Sequence[ParameterTypeDef], side: SideProcess) -> None:
        self._config = config
        self._parameters = parameters
        self._started = datetime.now(UTC)
        self._arn = ""
        self._side = side
        self._definition = side.begin(build, config.without_roles(), ACCOUNT_ID)
        # Long before the page is drawn: loading takes longer than drawing.
        side.begin(load_drawing)

    def __call__(self) -> str:
        """Execute the pipeline, print and write the results, and return the execution's status."""
        session = aws_session(self._config)
        if not self._arn:
            with publishing_alone(ROOT):
                self._arn = publish_and_start(session, self._config, self._parameters, self._definition)
            _write_config(self._config, self._arn)
        state = follow_to_the_end(session, self._arn)
        reasons = [failure.sentence for failure in failures_of(session, state, lines=1)]
        results = results_of(session, state)
        print_results(results)
        drawn = self._side.begin(draw, read_evidence(session, state, results))
        predictions = _predictions(session, self._config, results) if state.status == "Succeeded" else _NO_PREDICTIONS
        document = _document(self._config, state, reasons, results, predictions)
        document["parameters"] = {given["Name"]: given["Value"] for given in self._parameters}
        ended = datetime.now(UTC)
        document |= {"started": self._started.isoformat(), "ended": ended.isoformat()}
        path = _write_results(document, self._arn)
        with console.status("Drawing the report"):
            page = write_page(state, drawn())
        seconds = (ended - self._started).total_seconds()
        console.print(f"\n{state.status} in {seconds:.0f} s; the results are in {LAST_RUN}")
        console.print(f"and in {path.parent}, with the configuration. The same with pictures:", markup=False)
        console.print(str(page), markup=False)
        return state.status


def _predictions(session: Session, config: Config, results: Results) -> dict[str, Any]:
    """Print predictions of the dataset's first rows, and return them for last-run.json.

    There are none without a verified endpoint or a local dataset, or if the endpoint serves another run's model by now.
    """
    path = Path(config.dataset.input)
    if results.endpoint_name is None or results.endpoint_state != "verified" or not path.is_file():
        return _NO_PREDICTIONS
    try:
        rows = predict(session, config, str(path), endpoint_name=results.endpoint_name, limit=_READ_ROWS, note=_note)
        good = [row for row in rows if row.prediction is not None][:_SHOWN_ROWS]
    except UserError as error:  # the run succeeded, and its results must not be lost
        _note(f"\nThere are no predictions. {error}")
        return _NO_PREDICTIONS
    names = rows.score_columns
    if good:
        console.print(f"\nPredictions of the endpoint for the first rows of {path}:", markup=False)
        for line in side_by_side(good, config.dataset, names, console.width - len(_INDENT)):
            console.print(f"{_INDENT}{line}", markup=False)
    scores = [dict(zip(names, row.scores, strict=True)) for row in good] if names else None
    return {"predictions": [row.prediction for row in good], "prediction_scores": scores}


def _note(sentence: str) -> None:
    console.print(sentence, markup=False)


def _document(
    config: Config, state: ExecutionState, reasons: list[str], results: Results, predictions: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of last-run.json."""
    best, refit = results.best or {}, results.refit
    estimate = best.get("estimate")
    objective = objective_of(best) if best else None
    best_value = refit.value if refit else own_value_of(best)
    metadata = best.get("metadata", {})
    return {
        "pipeline_name": config.pipeline.name,
        "pipeline_execution_arn": state.arn,
        "status": state.status,
        "failure_reason": "\n".join(reasons) or state.failure or None,
        "selection_rule": best.get("rule"),
        "metric": objective and objective.name,
        "metric_title": objective and objective.title,
        "estimate": estimate
        and {
            "mse": estimate.get("mse"),
            "value": value_of(estimate),
            **{name: estimate[name] for name in ("low", "high")},
        },
        "best_training_job": refit.training_job if refit else best.get("training_job_name"),
        "best_fold": best.get("fold"),
        "best_mse": best_value if objective and objective.column == "mse" else best.get("mse"),
        "best_value": best_value,
        "best_mse_rows": ("training" if refit else "validation") if best else None,
        "best_mse_scale": (refit and best.get("label_transform")) or "label",
        "best_hyperparameters": best.get("hyperparameters"),
        "baselines": best.get("baselines"),
        "out_of_fold": best.get("out_of_fold"),
        "warnings": best.get("warnings"),
        "model_package_arn": results.model_package_arn,
        "endpoint_name": results.endpoint_name,
        **predictions,
        "rows": int(metadata["rows"]) if metadata else None,
        "rejected_rows": int(metadata["rejected_rows"]) if metadata else None,
        "step_seconds": {step.name: round(step.seconds, 3) for step in state.steps if step.started},
    }


def _write_config(config: Config, arn: str) -> None:
    """Write the configuration with all its defaults into the run's folder."""
    text = yaml.safe_dump(config.model_dump(), sort_keys=False, allow_unicode=True)
    path = run_folder(arn) / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished:
        unfinished.write_text(text, "utf-8")


def _write_results(document: dict[str, Any], arn: str) -> Path:
    """Write the results into the run's folder, then as those of the newest run; return the file in the folder."""
    path = run_folder(arn) / LAST_RUN.name
    for target in (path, LAST_RUN):
        # Somebody may have deleted .local during the run.
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as unfinished:
            unfinished.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    return path
