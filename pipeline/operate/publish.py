"""Publishes the configuration on AWS: data, options and code, function, pipeline and triggers, in this order.

The order ensures that a definition never names code that is not uploaded yet, and that a pipeline never calls a
function older than itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from definition_language.documents import all_steps
from pipeline.config.models import Config
from pipeline.definition.assets import CODE, Upload, code_upload
from pipeline.definition.dataset import dataset_upload
from pipeline.definition.fold_options import fold_options_upload
from pipeline.definition.lint import lint
from pipeline.definition.resources import Resources, default_bucket, stack_name
from pipeline.errors import UserError, with_trust_hint
from pipeline.operate.bucket_checks import bucket_warnings
from pipeline.operate.changes import definition_changes
from pipeline.operate.encryption import encryption
from pipeline.operate.function import current_function, function_changes, publish_function
from pipeline.operate.function_log import retention_changes, set_retention
from pipeline.operate.requests import (
    INLINE_DEFINITION_BYTES,
    definition_json,
    pipeline_request,
    pipeline_tags,
    publishing_faults,
)
from pipeline.operate.role_checks import missing_role_faults, role_faults
from pipeline.operate.triggers import apply_triggers, trigger_changes

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import DescribePipelineResponseTypeDef


@dataclass(frozen=True)
class Plan:
    """The actions of a publication.

    Attributes:
        config: the configuration.
        resources: bucket, roles and function.
        definition: the definition to publish.
        uploads: files that are not in the bucket yet.
        exists: whether the pipeline exists already.
        changes: all changes, one line each; empty if AWS is up to date.
    """

    config: Config
    resources: Resources
    definition: dict[str, Any]
    uploads: list[Upload]
    exists: bool
    changes: list[str]


def require_valid_requests(config: Config, resources: Resources) -> None:
    """Check the requests of publishing, without sending any.

    Raises:
        UserError: AWS would refuse a request, or a role belongs to another account.
    """
    _require([*role_faults(config, resources), *publishing_faults(config, resources)])


def plan_publishing(
    config: Config, resources: Resources, session: Session, build: Callable[[], dict[str, Any]] | None = None
) -> Plan:
    """Compare the definition with the published one, without changing anything.

    Args:
        config: the configuration.
        resources: bucket, roles and function.
        session: a ``boto3.Session`` of the account.
        build: returns the configuration's definition for the resources; by default, it is built in this process.

    Raises:
        UserError: the bucket or a role does not exist, a role belongs to another account, or SageMaker would refuse
            the definition.
    """
    require_valid_requests(config, resources)
    _require_bucket(session.client("s3"), config, resources)
    _require(list(missing_role_faults(session, config, resources)))
    published = _published(session.client("sagemaker"), config.pipeline.name)
    changes_beside = [
        *function_changes(current_function(session.client("lambda"), resources), config, resources),
        *retention_changes(session.client("logs"), config, resources),
        *trigger_changes(config, resources, session.client("events")),
    ]
    # As late as possible: another process may still build it.
    definition = build() if build else _built(config, resources)
    _require(lint(definition))
    uploads = [
        upload for upload in _uploads(config, resources, definition) if not _is_there(session.client("s3"), upload)
    ]
    changes = [
        *(f"upload {upload.name} to {upload.uri}" for upload in uploads),
        *definition_changes(published and json.loads(published["PipelineDefinition"]), definition),
        *(_settings_changes(published, pipeline_request(config, resources)) if published else ()),
        *changes_beside,
    ]
    return Plan(config, resources, definition, uploads, published is not None, changes)


def publish(plan: Plan, session: Session, say: Callable[[str], None]) -> str:
    """Apply a plan.

    Args:
        plan: the plan.
        session: a ``boto3.Session`` of the account.
        say: called with a sentence after each action.

    Returns:
        The pipeline's ARN.

    Raises:
        UserError: somebody else is updating the pipeline, or its role cannot be assumed.
    """
    s3, encrypted = session.client("s3"), encryption(plan.config)
    for upload in plan.uploads:
        if isinstance(upload.content, bytes):
            s3.put_object(Bucket=upload.bucket, Key=upload.key, Body=upload.content, **encrypted)
        else:
            s3.upload_file(str(upload.content), upload.bucket, upload.key, ExtraArgs=dict(encrypted))
        say(f"uploaded {upload.uri}")
    set_retention(session.client("logs"), plan.config, plan.resources)
    publish_function(session.client("lambda"), plan.config, plan.resources)
    say(f"Lambda {plan.resources.deploy_function_name} is ready")
    arn = _publish_pipeline(plan, session)
    change = "up to date" if not plan.changes else "updated" if plan.exists else "created"
    say(f"pipeline {plan.config.pipeline.name} is {change}")
    for sentence in [
        *apply_triggers(plan.config, plan.resources, session),
        *bucket_warnings(s3, plan.config, plan.resources),
    ]:
        say(sentence)
    return arn


def _require(faults: list[str]) -> None:
    """Raise an error about what SageMaker would refuse, if there is anything."""
    if faults:
        raise UserError("\n".join(["AWS would refuse this configuration:", *faults]))


def _built(config: Config, resources: Resources) -> dict[str, Any]:
    from pipeline.definition.pipeline import build_definition  # noqa: PLC0415 - the SDK takes seconds to import

    return build_definition(config, resources)


def _settings_changes(published: DescribePipelineResponseTypeDef, request: dict[str, Any]) -> Iterator[str]:
    """Yield the changes of a published pipeline beside its definition."""
    if published["RoleArn"] != request["RoleArn"]:
        yield f"pipeline: role {published['RoleArn']} -> {request['RoleArn']}"
    if published.get("PipelineDescription") != request["PipelineDescription"]:
        yield "pipeline: its description changes"
    before, after = (_parallel_steps(settings) for settings in (published, request))
    if before != after:
        yield f"pipeline: at most {after} steps at once, before {before or 'any number'}"


def _parallel_steps(settings: Mapping[str, Any]) -> int | None:
    """Return how many steps of a pipeline may run at once; None for any number."""
    found: int | None = settings.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps")
    return found


def _publish_pipeline(plan: Plan, session: Session) -> str:
    sagemaker = session.client("sagemaker")
    settings = pipeline_request(plan.config, plan.resources) | _definition_argument(plan, session.client("s3"))
    tags = pipeline_tags(plan.config)
    try:
        if not plan.exists:
            return str(sagemaker.create_pipeline(**settings, Tags=tags)["PipelineArn"])
        arn = str(sagemaker.update_pipeline(**settings)["PipelineArn"])
        if tags:
            sagemaker.add_tags(ResourceArn=arn, Tags=tags)
    except ClientError as error:
        raise _explained(error, plan) from error
    return arn


def _definition_argument(plan: Plan, s3: S3Client) -> dict[str, Any]:
    text = definition_json(plan.definition)
    content = text.encode()
    if len(content) <= INLINE_DEFINITION_BYTES:
        return {"PipelineDefinition": text}
    key = f"{plan.config.pipeline.name}/definition/{hashlib.sha256(content).hexdigest()}.json"
    s3.put_object(Bucket=plan.resources.bucket, Key=key, Body=content, **encryption(plan.config))
    return {"PipelineDefinitionS3Location": {"Bucket": plan.resources.bucket, "ObjectKey": key}}


def _explained(error: ClientError, plan: Plan) -> Exception:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "ConflictException":
        return UserError(f"Somebody else is changing the pipeline {plan.config.pipeline.name}: {message} Try again.")
    if "assume" in message.lower() or "iam:PassRole" in message:
        return UserError(
            f"The role {plan.resources.pipeline_role_arn} cannot be used: {with_trust_hint(message)} "
            "'make bootstrap' makes one that can; or set aws.pipeline_role_arn."
        )
    return error


def _uploads(config: Config, resources: Resources, definition: dict[str, Any]) -> list[Upload]:
    """Return all uploads: the input if it is local, the fold options, and the files of steps/ in the definition."""
    data = dataset_upload(config, resources)
    prefix = f"{config.pipeline.name}/{CODE}"
    names = {
        uri.rpartition("/")[2]
        for step in all_steps(definition)
        for uri in _texts(step["Arguments"])
        if uri.startswith(f"s3://{resources.bucket}/{prefix}/")
    }
    code = [code_upload(name, config, resources.bucket) for name in sorted(names)]
    return [*([data] if data else []), fold_options_upload(config, resources), *code]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in items for text in _texts(item)]


def _require_bucket(s3: S3Client, config: Config, resources: Resources) -> None:
    try:
        s3.head_bucket(Bucket=resources.bucket)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            own = resources.bucket == default_bucket(config, resources.account_id)
            to_do = "run 'make bootstrap', or set aws.bucket" if own else "create it, or correct aws.bucket"
            reason = f"does not exist: {to_do}"
        elif status == 403:
            reason = "denies you access, or belongs to another account: check your credentials and aws.bucket"
        else:
            reason = f"is not in {resources.region}: check aws.region and aws.bucket"
        raise UserError(f"The bucket {resources.bucket} (stack {stack_name(config)}) {reason}.") from None


def _is_there(s3: S3Client, upload: Upload) -> bool:
    try:
        s3.head_object(Bucket=upload.bucket, Key=upload.key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _published(sagemaker: SageMakerClient, name: str) -> DescribePipelineResponseTypeDef | None:
    try:
        return sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        # The name matches the API's pattern already, so a ValidationException means that there is no such pipeline.
        if error.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException"):
            return None
        raise
