"""make predict INPUT=rows.csv [OUTPUT=scored.csv ENDPOINT=name]: score the rows of files with the endpoint."""

from __future__ import annotations

import csv
import gc
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate.batch_prediction import predict_in_batch
from pipeline.operate.estimate import DEFAULT_PRICES, load_prices
from pipeline.operate.prediction import Predictions, ScoredRow, predict
from pipeline.operate.scored_file import ScoredFile
from pipeline.operate.transform_job import charge
from pipeline.text import number_of
from scripts.command_line import command, flag, option
from scripts.console import aws_session, config_option, errors, is_local_service, run

BY_PROBABILITY = "The model names no class. It is the most probable one: of two classes, the one above one half."
_REPORTED_ROWS = 5
_LARGE_INPUT = 5_000_000
"""Bytes; an input of this size takes a second or more."""

_ROWS_BETWEEN_UPDATES = 1000


@command("predict")
@config_option
@option(
    "--input",
    "source",
    variable="INPUT",
    type=click.Path(),
    metavar="rows.csv",
    required=True,
    help="A CSV file, a folder of CSV files, or the S3 URI of an object or a prefix; with a header or with encoded "
    "features.",
)
@option(
    "--output",
    variable="OUTPUT",
    type=click.Path(),
    default="",
    metavar="scored.csv",
    help="The file for the rows with their scores, instead of the standard output.",
)
@option(
    "--endpoint", variable="ENDPOINT", default="", metavar="name", help="The endpoint, by default the configuration's."
)
@flag("--batch", variable="BATCH", help="Score with a batch transform job, which needs no endpoint.")
def main(config: Config, source: str, output: str, endpoint: str, *, batch: bool) -> int:
    """Score the rows of files with the endpoint.

    Without OUTPUT, the standard output gets one prediction a line, and an empty line for a bad row. If the label has
    classes, a line has the class and its scores, separated by commas. Everything else goes to the standard error. The
    exit status is 1 if a row is bad.
    """
    # Rows are lists without cycles: at the usual rate, looking for cycles among them takes a fifth of the CPU time.
    gc.set_threshold(100_000)
    if output.startswith("s3://"):
        raise UserError(f"OUTPUT={output}: a file on this machine is expected. Copy it afterwards with 'aws s3 cp'")
    way = _batch_predictions if batch else _endpoint_predictions
    predictions = way(config, source, endpoint)
    with _writer(output, predictions, config) as write:
        rows, bad = _score(predictions, write, draw=_is_drawn(predictions, output) and not batch)
    if bad:
        _note(f"{bad:,} of {number_of(rows, 'row', form=',')} could not be scored.")
    if predictions.has_probabilities_only:
        _note(BY_PROBABILITY)
    if output:
        _note(f"{output} has the predictions of {number_of(rows - bad, 'row', form=',')}.")
    return 1 if bad else 0


def _endpoint_predictions(config: Config, source: str, endpoint: str) -> Predictions:
    return predict(aws_session(config), config, source, endpoint_name=endpoint, note=_note)


def _batch_predictions(config: Config, source: str, endpoint: str) -> Predictions:
    predictions = predict_in_batch(
        aws_session(config),
        config,
        source,
        endpoint_name=endpoint,
        note=_note,
        pause=0.3 if is_local_service() else 10.0,
    )
    _note(charge(config, None if is_local_service() else load_prices(DEFAULT_PRICES)))
    return predictions


def _score(predictions: Predictions, write: Callable[[ScoredRow], None], *, draw: bool) -> tuple[int, int]:
    """Score and write all rows, and report the first bad ones; return the numbers of all and of the bad rows."""
    bad = number = 0
    with _progress(predictions, draw=draw) as update:
        for number, row in enumerate(predictions, start=1):
            write(row)
            if row.error is not None:
                bad += 1
                if bad <= _REPORTED_ROWS:
                    _note(f"{row.place}: {row.error}")
            if number % _ROWS_BETWEEN_UPDATES == 0:
                update(number)
    return number, bad


@contextmanager
def _writer(output: str, predictions: Predictions, config: Config) -> Iterator[Callable[[ScoredRow], None]]:
    if not output:
        scores: list[str] = []

        def write(row: ScoredRow) -> None:
            scores.append(_line(row))
            if len(scores) == _ROWS_BETWEEN_UPDATES:
                flush()

        def flush() -> None:
            # Many rows at once: each system call lets another thread take the interpreter's lock for milliseconds.
            sys.stdout.write("".join(scores))
            sys.stdout.flush()
            scores.clear()

        try:
            yield write
        finally:
            flush()
        return
    encoding, decimal = config.dataset.encoding, predictions.decimal
    with ScoredFile(Path(output), predictions.files, predictions.score_columns, encoding, decimal) as file:
        yield file.write
    for name, own in file.renamed.items():
        _note(f"INPUT has a column {name!r}, so the one of OUTPUT is {own!r}.")


def _line(row: ScoredRow) -> str:
    """Return the line of the standard output: a class may hold a comma or a quote, as in a CSV file."""
    if not row.scores:
        return "\n" if row.prediction is None else f"{row.prediction}\n"
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([row.prediction, *row.scores])
    return line.getvalue()


def _is_drawn(predictions: Predictions, output: str) -> bool:
    """Return whether to draw the progress: a small input needs none, and scores on the same terminal would break it."""
    return predictions.bytes >= _LARGE_INPUT and errors.is_terminal and (bool(output) or not sys.stdout.isatty())


@contextmanager
def _progress(predictions: Predictions, *, draw: bool) -> Iterator[Callable[[int], None]]:
    if not draw:
        yield lambda _: None
        return
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.fields[rows]:,} rows"))
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("", total=predictions.bytes, rows=0)
        yield lambda rows: bar.update(task, completed=predictions.bytes_scored, rows=rows)


def _note(sentence: str) -> None:
    errors.print(sentence, markup=False)


if __name__ == "__main__":
    run(main)
