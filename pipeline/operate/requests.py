"""The requests of publishing, so that all can be checked before the first is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from definition_language.requests import Request, request_faults
from pipeline.config.models import Config
from pipeline.definition.parameter_descriptions import described
from pipeline.definition.resources import Resources
from pipeline.operate.deployment_requests import deployment_requests
from pipeline.operate.function import creation_request, function_package, function_settings
from pipeline.operate.triggers import permission_request, rule_request, targets_request, wanted_rules

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import TagTypeDef

INLINE_DEFINITION_BYTES = 100 * 1024
"""The longest definition that SageMaker Pipelines takes in a request. A longer one goes through S3."""


def publishing_faults(config: Config, resources: Resources) -> list[str]:
    """Return the faults of the requests of publishing, and of those of the deploying function.

    The definition has its own: ``pipeline.definition.lint``.
    """
    requests = publishing_requests(config, resources)
    return list(dict.fromkeys(fault for request in requests for fault in request_faults(request)))


def publishing_requests(config: Config, resources: Resources) -> Iterator[Request]:
    """Yield the requests with which publishing and the deploying function change AWS, without the definition."""
    yield from _of_pipeline(config, resources)
    yield from _of_function(config, resources)
    yield from _of_triggers(config, resources)
    yield from deployment_requests(config, resources)


def pipeline_request(config: Config, resources: Resources) -> dict[str, Any]:
    """Return the members of CreatePipeline and UpdatePipeline, without the definition."""
    return {
        "PipelineName": config.pipeline.name,
        "PipelineDescription": described(config),
        "RoleArn": resources.pipeline_role_arn,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": config.pipeline.max_parallel_steps},
    }


def pipeline_tags(config: Config) -> list[TagTypeDef]:
    """Return the pipeline's tags, in the form of AWS's API."""
    return [{"Key": key, "Value": value} for key, value in config.pipeline.tags.items()]


def definition_json(definition: dict[str, Any]) -> str:
    """Return a definition as compact JSON for a request."""
    return json.dumps(definition, separators=(",", ":"), ensure_ascii=False)


def _of_pipeline(config: Config, resources: Resources) -> Iterator[Request]:
    settings = pipeline_request(config, resources)
    token = {"ClientRequestToken": "x" * 32}  # boto3 fills it in
    yield Request("sagemaker", "CreatePipeline", settings | token | {"Tags": pipeline_tags(config)})
    yield Request("sagemaker", "UpdatePipeline", settings)
    arn = resources.arn("sagemaker", f"pipeline/{config.pipeline.name}")
    yield Request("sagemaker", "AddTags", {"ResourceArn": arn, "Tags": pipeline_tags(config)})


def _of_function(config: Config, resources: Resources) -> Iterator[Request]:
    yield Request("lambda", "CreateFunction", creation_request(config, resources))
    members = {"FunctionName": resources.deploy_function_name, **function_settings(config, resources)}
    yield Request("lambda", "UpdateFunctionConfiguration", members)
    code = {"FunctionName": resources.deploy_function_name, "ZipFile": function_package()}
    yield Request("lambda", "UpdateFunctionCode", code)


def _of_triggers(config: Config, resources: Resources) -> Iterator[Request]:
    for rule in wanted_rules(config, resources):
        yield Request("events", "PutRule", rule_request(rule))
        yield Request("events", "PutTargets", targets_request(rule))
        yield Request("lambda", "AddPermission", permission_request(resources, rule))
