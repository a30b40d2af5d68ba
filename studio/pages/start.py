"""Start an execution: the parameters as a form, and the same as a command to copy."""

from __future__ import annotations

import json
import secrets
import shlex
from typing import Any

from botocore.exceptions import ClientError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.definitions import Parameter, read_definition
from studio.executions import arn_of, parameters_of
from studio.faults import fault_of
from studio.web import Form, action, go, page, studio

_PREFIX = "parameter:"
_BOOLEANS = ("true", "false")


def start_form(request: Request) -> Response:
    """Show the form; ``?like=`` fills in the parameters of an execution."""
    aws, like = studio(request).aws, request.query_params.get("like", "")
    name = request.path_params["pipeline"]
    given = parameters_of(aws, arn_of(aws, name, like)) if like else {}
    return _form(request, given, {"once": secrets.token_hex(16)})


def start_command(request: Request, form: Form) -> Response:
    """Show the command that does the same as the form. It changes nothing, but forms do not belong in addresses."""
    given = _given(form)
    return page(
        request, "_command.html", command=_command(request.path_params["pipeline"], given, _parameters(request))
    )


def start(request: Request, form: Form) -> Response:
    """Start the execution, or show the form again with what is wrong."""
    aws, name, given = studio(request).aws, request.path_params["pipeline"], _given(form)
    faults = {each.name: fault_in(each, given.get(each.name, "")) for each in _parameters(request)}
    faults = {key: fault for key, fault in faults.items() if fault}
    if not aws.is_local and form.get("agreed") != "yes":
        faults["agreed"] = "Say that you know that the execution costs money."
    if faults:
        return _form(request, given, form, faults)
    options: Any = {
        member: form[field]
        for field, member in (("name", "PipelineExecutionDisplayName"), ("description", "PipelineExecutionDescription"))
        if form.get(field)
    }
    try:
        started = aws.sagemaker.start_pipeline_execution(
            PipelineName=name,
            PipelineParameters=[{"Name": key, "Value": value} for key, value in given.items()],
            # The same form sent twice starts one execution.
            ClientRequestToken=form.get("once") or secrets.token_hex(16),
            **options,
        )
    except ClientError as error:
        return _form(request, given, form, {"": fault_of(error).sentence})
    return go(request, "execution", pipeline=name, execution=started["PipelineExecutionArn"].rpartition("/")[2])


def fault_in(parameter: Parameter, value: str) -> str:
    """Return what is wrong with a parameter's value; empty if nothing is."""
    if parameter.choices:
        return "" if value in parameter.choices else f"Choose one of {', '.join(parameter.choices)}."
    if value == "":
        return "" if parameter.type == "String" and parameter.default == "" else "A value is needed."
    if parameter.type == "Boolean":
        return "" if value in _BOOLEANS else "Choose true or false."
    kinds: Any = {"Integer": (int, "a whole number, such as 3"), "Float": (float, "a number, such as 0.5")}
    convert, words = kinds.get(parameter.type, (str, "a text"))
    try:
        convert(value)
    except ValueError:
        return f"{value!r} is not {words}."
    return ""


def _form(request: Request, given: dict[str, str], form: Form, faults: dict[str, str] | None = None) -> Response:
    name, parameters = request.path_params["pipeline"], _parameters(request)
    values = {each.name: given.get(each.name, each.default or "") for each in parameters}
    return page(
        request,
        "start.html",
        422 if faults else 200,
        name=name,
        parameters=parameters,
        values=values,
        form=form,
        faults=faults or {},
        command=_command(name, values, parameters),
        booleans=_BOOLEANS,
    )


def _parameters(request: Request) -> list[Parameter]:
    described = studio(request).aws.sagemaker.describe_pipeline(PipelineName=request.path_params["pipeline"])
    definition = read_definition(described["PipelineDefinition"])
    return definition.parameters(described.get("PipelineDescription", ""))


def _given(form: Form) -> dict[str, str]:
    return {key.removeprefix(_PREFIX): value.strip() for key, value in form.items() if key.startswith(_PREFIX)}


def _command(name: str, values: dict[str, str], parameters: list[Parameter]) -> str:
    """Return the command with the parameters that differ from their defaults."""
    changed = [
        {"Name": each.name, "Value": values[each.name]}
        for each in parameters
        if each.name in values and values[each.name] != each.default
    ]
    words = ["aws", "sagemaker", "start-pipeline-execution", "--pipeline-name", name]
    if changed:
        words += ["--pipeline-parameters", json.dumps(changed, ensure_ascii=False)]
    return shlex.join(words)


routes = [
    Route("/pipelines/{pipeline}/start", start_form, methods=["GET"]),
    action("/pipelines/{pipeline}/start/command", start_command),
    action("/pipelines/{pipeline}/start", start),
]
