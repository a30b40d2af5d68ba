"""Try an endpoint: a form with its model's raw columns, or several rows as CSV; the answer, and the request as code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import UserError
from pipeline.operate.answers import AnswerError, answer_in
from pipeline.operate.model_columns import ModelColumns
from studio.invocation import Answer, ask_endpoint, curl_command, python_code
from studio.registry import place_of_package
from studio.scoring import Row, Served, encode_record, encode_rows, fields_of, served_by
from studio.web import Form, action, page, studio

_PREFIX = "column:"


class Result(NamedTuple):
    """The result of a row.

    Attributes:
        line: its line in the box.
        label: the prediction, in the label's unit or as a class; empty if there is none.
        fault: what is wrong; empty if nothing is.
        scores: with classes, those that have a score, and the scores.
    """

    line: int
    label: str
    fault: str
    scores: Sequence[tuple[str, str]] = ()


def try_form(request: Request) -> Response:
    """Show the form."""
    return _shown(request, _served(request), {})


def try_endpoint(request: Request, form: Form) -> Response:
    """Ask the endpoint and show its answer, or show what is wrong."""
    served = _served(request)
    columns = served.columns
    if "rows" not in form and columns is not None:
        features, faults = encode_record(columns, _values(form))
        return _shown(request, served, form, faults) if faults else _asked(request, served, form, [Row(1, features)])
    # A browser ends the lines of a form with CR and LF.
    form = form | {"rows": form.get("rows", "").replace("\r\n", "\n")}
    try:
        rows = encode_rows(columns, form["rows"]) if columns else _as_given(form["rows"])
    except UserError as error:
        return _shown(request, served, form, {"": str(error)})
    return _asked(request, served, form, rows)


def _served(request: Request) -> Served:
    return served_by(studio(request).aws, request.path_params["endpoint"])


def _asked(request: Request, served: Served, form: Form, rows: list[Row]) -> Response:
    """Send the rows that are right, and show the answer."""
    aws, name = studio(request).aws, request.path_params["endpoint"]
    body = "\n".join(row.features for row in rows if not row.fault)
    answer = ask_endpoint(aws, name, body) if body else None
    return _shown(
        request,
        served,
        form,
        results=_results(rows, answer, served.columns),
        answer=answer,
        body=body,
        curl=curl_command(aws, name, body),
        code=python_code(aws, name, body, served.columns),
    )


def _results(rows: list[Row], answer: Answer | None, columns: ModelColumns | None) -> list[Result]:
    """Return each row's result."""
    right = [row for row in rows if not row.fault]
    predictions = dict(zip((row.line for row in right), answer.predictions if answer else (), strict=False))
    return [_result(row, predictions.get(row.line), columns) for row in rows]


def _result(row: Row, prediction: Any, columns: ModelColumns | None) -> Result:
    if row.fault or prediction is None:
        return Result(row.line, "", row.fault)
    try:
        if columns is None:
            return Result(row.line, _as_answered(prediction), "")
        value, scores = columns.prediction_of(answer_in(prediction, columns.answer_length))
    except (AnswerError, UserError) as error:
        return Result(row.line, "", str(error))
    label = value if isinstance(value, str) else f"{value:.10g}"
    return Result(row.line, label, "", list(zip(columns.scored_classes, map(_short, scores), strict=False)))


def _as_answered(prediction: Any) -> str:
    """Return the prediction of a model of which nothing else is known."""
    score = prediction.get("score") if isinstance(prediction, dict) else prediction
    return f"{score:.10g}" if isinstance(score, float) else json.dumps(prediction)


def _short(score: float) -> str:
    return f"{score:.4g}"


def _shown(
    request: Request, served: Served, form: Form, faults: dict[str, str] | None = None, **values: Any
) -> Response:
    return page(
        request,
        "try.html",
        422 if faults else 200,
        name=request.path_params["endpoint"],
        served=served,
        columns=served.columns,
        scored=() if served.columns is None else served.columns.scored_classes,
        fields=[] if served.columns is None else fields_of(served.columns),
        package=place_of_package(served.package),
        given=_values(form),
        rows=form.get("rows", ""),
        faults=faults or {},
        prefix=_PREFIX,
        **({"answer": None, "results": []} | values),
    )


def _values(form: Form) -> dict[str, str]:
    return {key.removeprefix(_PREFIX): value for key, value in form.items() if key.startswith(_PREFIX)}


def _as_given(text: str) -> list[Row]:
    """Return rows of features as they are: nothing tells what the model expects.

    Raises:
        UserError: there are none.
    """
    rows = [Row(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not rows:
        raise UserError("There are no rows.")
    return rows


_PATH = "/endpoints/{endpoint}/try"
routes = [Route(_PATH, try_form, methods=["GET"]), action(_PATH, try_endpoint)]
