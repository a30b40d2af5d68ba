"""A pipeline: its steps, parameters and versions, and what changed between them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.aws import Aws
from studio.definitions import changes, read_definition
from studio.graph import draw
from studio.web import page, studio

_VERSIONS = 50


def pipeline(request: Request) -> Response:
    """Show a pipeline; ``?version=`` shows an earlier version."""
    aws, name = studio(request).aws, request.path_params["pipeline"]
    number = request.query_params.get("version", "")
    version: Any = {"PipelineVersionId": int(number)} if number.isdecimal() else {}
    described = aws.sagemaker.describe_pipeline(PipelineName=name, **version)
    definition = read_definition(described["PipelineDefinition"])
    return page(
        request,
        "pipeline.html",
        pipeline=described,
        name=described["PipelineName"],
        version=number,
        definition=definition,
        parameters=definition.parameters(described.get("PipelineDescription", "")),
        graph=draw(definition),
        versions=_versions(aws, name),
    )


def pipeline_changes(request: Request) -> Response:
    """Show what changed from one version to another."""
    aws, name = studio(request).aws, request.path_params["pipeline"]
    old, new = request.path_params["old"], request.path_params["new"]
    texts = [
        aws.sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=each)["PipelineDefinition"]
        for each in (old, new)
    ]
    return page(request, "changes.html", name=name, old=old, new=new, lines=changes(*texts))


def _versions(aws: Aws, name: str) -> list[Any]:
    """Return the newest versions; none where the endpoint does not know them."""
    try:
        answer = aws.sagemaker.list_pipeline_versions(PipelineName=name, SortOrder="Descending", MaxResults=_VERSIONS)
    except ClientError:
        return []
    return list(answer.get("PipelineVersionSummaries", []))


routes = [
    Route("/pipelines/{pipeline}", pipeline),
    Route("/pipelines/{pipeline}/changes/{old:int}/{new:int}", pipeline_changes),
]
