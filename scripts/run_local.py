"""make run: run the whole pipeline on this machine, from config.yaml to three predictions.

It starts the local service, then does there what ``make upsert``, ``make start``, ``make status``, ``make report`` and
``make predict`` do on AWS. It is the only file that imports both the pipeline and the local service.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.app.server import LocalService, ServiceHeldError
from local.core.files import replacing
from local.core.settings import ACCOUNT_ID, Settings
from pipeline.config.models import Config
from pipeline.config.preflight import check_input
from pipeline.definition.resources import conventional_resources
from pipeline.errors import UserError
from pipeline.operate.execution import ExecutionState
from pipeline.operate.failures import failures_of
from pipeline.operate.prediction import ScoredRow, predict
from pipeline.operate.results import Results, results_of
from scripts.console import aws_session, console, load, option, run
from scripts.progress import follow
from scripts.report import print_results
from scripts.start import start_execution
from scripts.upsert import ensure_local_bucket

if TYPE_CHECKING:
    from boto3 import Session

ROOT = Path(".local")
LAST_RUN = ROOT / "last-run.json"
_READ_ROWS = 20
"""More than are shown, because some may be bad."""

_SHOWN_ROWS = 3
_SHOWN_COLUMNS = 6
_SHOWN_CHARACTERS = 20


def main() -> int:
    """Run the pipeline; return 0 if the execution succeeded."""
    config = _with_data(load(), option("DATA"))
    check_input(config)
    started = time.monotonic()
    with local_service(config):
        session = aws_session(config)
        arn = _publish_and_start(session, config)
        state = follow(session, arn)
        reasons = [failure.sentence for failure in failures_of(session, state, lines=1)]
        results = results_of(session, state)
        print_results(results)
        predictions = _predictions(session, config, results) if state.status == "Succeeded" else []
    _save(config, state, reasons, results, predictions)
    console.print(f"\n{state.status} in {time.monotonic() - started:.0f} s; the results are in {LAST_RUN}")
    return 0 if state.status == "Succeeded" else 1


@contextmanager
def local_service(config: Config) -> Iterator[None]:
    """Provide the local service, and point AWS clients at it.

    A service of ``make local`` on the same folder is used and keeps running. Otherwise one is started, and stopped at
    the end.
    """
    service = LocalService(Settings(root=ROOT.absolute(), port=0, region=config.aws.region))
    try:
        service.start()
    except ServiceHeldError as error:
        _point_at(error.environment)
        yield
        return
    _point_at(service.settings.client_environment())
    try:
        yield
    finally:
        service.stop()


def _point_at(environment: dict[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment, AWS_EC2_METADATA_DISABLED="true")


def _with_data(config: Config, data: str) -> Config:
    if not data:
        return config
    if not Path(data).is_file():
        raise UserError(f"DATA: there is no file {data!r}")
    return config.model_copy(update={"dataset": config.dataset.model_copy(update={"input": data})})


def _publish_and_start(session: Session, config: Config) -> str:
    resources = conventional_resources(config, ACCOUNT_ID)
    ensure_local_bucket(session, resources)
    with console.status("Building the definition"):
        from pipeline.operate.publish import plan_publishing, publish  # noqa: PLC0415 - the SDK takes seconds to import

        plan = plan_publishing(config, resources, session)
    with console.status("Publishing"):
        publish(plan, session, lambda _: None)
    console.print(f"Published the pipeline {config.pipeline.name} to the local service; executing it:\n")
    return start_execution(session, config, option("PARAMS"))


def _predictions(session: Session, config: Config, results: Results) -> list[float]:
    """Print and return scores of the dataset's first rows; none without a verified endpoint or a local dataset."""
    path = Path(config.dataset.input)
    if results.endpoint_name is None or results.endpoint_state != "verified" or not path.is_file():
        return []
    rows = predict(session, config, str(path), endpoint_name=results.endpoint_name, limit=_READ_ROWS, note=_note)
    good = [row for row in rows if row.score is not None][:_SHOWN_ROWS]
    if good:
        console.print(f"\nPredictions of the endpoint for the first rows of {path}:", markup=False)
        for line in _side_by_side(good, config.dataset.label):
            console.print(f"  {line}", markup=False)
    return [row.score for row in good if row.score is not None]


def _note(sentence: str) -> None:
    console.print(sentence, markup=False)


def _side_by_side(rows: Sequence[ScoredRow], label: str) -> list[str]:
    """Return a table of some columns of the rows, their predictions and their labels; the first line names them."""
    names = list(rows[0].file.layout.names)
    features = [position for position, name in enumerate(names) if name != label]
    shown = features[:_SHOWN_COLUMNS]
    columns = [[names[place], *(row.fields[place].strip() for row in rows)] for place in shown]
    if len(features) > len(shown):
        columns.append([f"({len(features) - len(shown)} more)", *("..." for _ in rows)])
    columns.append(["prediction", *(f"{row.score:,.2f}" for row in rows)])
    if label in names:
        columns.append([f"actual {label}", *(_amount(row.fields[names.index(label)]) for row in rows)])
    cut = [
        [text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..." for text in c] for c in columns
    ]
    widths = [max(map(len, column)) for column in cut]
    return ["  ".join(map(str.rjust, line, widths)) for line in zip(*cut, strict=True)]


def _amount(text: str) -> str:
    try:
        return f"{float(text):,.2f}"
    except ValueError:
        return text.strip()


def _save(
    config: Config, state: ExecutionState, reasons: list[str], results: Results, predictions: list[float]
) -> None:
    best, refit = results.best or {}, results.refit
    estimate = best.get("estimate")
    document = {
        "pipeline_name": config.pipeline.name,
        "pipeline_execution_arn": state.arn,
        "status": state.status,
        "failure_reason": "\n".join(reasons) or state.failure or None,
        "selection_rule": best.get("rule"),
        "estimate": estimate and {name: estimate[name] for name in ("mse", "low", "high")},
        "best_training_job": refit.training_job if refit else best.get("training_job_name"),
        "best_fold": best.get("fold"),
        "best_mse": refit.mse if refit else best.get("mse"),
        "best_mse_rows": ("training" if refit else "validation") if best else None,
        "best_hyperparameters": best.get("hyperparameters"),
        "baselines": best.get("baselines"),
        "out_of_fold": best.get("out_of_fold"),
        "warnings": best.get("warnings"),
        "model_package_arn": results.model_package_arn,
        "endpoint_name": results.endpoint_name,
        "predictions": predictions,
        "step_seconds": {step.name: round(step.seconds, 3) for step in state.steps if step.status != "Waiting"},
    }
    with replacing(LAST_RUN) as unfinished:
        unfinished.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    run(main)
