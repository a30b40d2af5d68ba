"""Finds the execution that a command is about, or says what is left of one that is gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.definition.resources import conventional_resources, find_resources
from pipeline.errors import UserError
from pipeline.operate.aws_errors import is_gone
from pipeline.operate.execution import latest_execution
from scripts.run_folders import RUNS, run_folder, run_folders

if TYPE_CHECKING:
    from boto3 import Session

    from pipeline.config.models import Config

_ID = re.compile("[a-z0-9]{12}")
_EXECUTION = re.compile(r"arn:[^:]+:sagemaker:[^:]+:\d+:pipeline/([^/]+)/execution/([^/]+)")


def find_execution(session: Session, config: Config, given: str | None) -> str:
    """Return the ARN of an execution.

    Args:
        session: a ``boto3.Session`` of the account.
        config: the configuration, which names the pipeline.
        given: the ARN or the id of the execution that the user names; None for the pipeline's latest.

    Raises:
        UserError: there is no such execution. The error says where its results are, if any are left.
    """
    name = config.pipeline.name
    if given:
        return _given_execution(session, config, _arn(session, config, given))
    try:
        latest = latest_execution(session.client("sagemaker"), name)
    except ClientError as error:
        if not is_gone(error):
            raise
        raise UserError(
            f"There is no pipeline {name} in {config.aws.region}: publish it with 'make upsert'. "
            f"{_left_of_pipeline(session, config)}".rstrip()
        ) from None
    if latest is None:
        raise UserError(f"The pipeline {name} has no execution: start one with 'make start'.")
    return latest


def left_of_execution(session: Session, config: Config, arn: str) -> str:
    """Return a sentence that says where results of an execution are, if any are left."""
    found = _EXECUTION.fullmatch(arn)
    assert found is not None
    pipeline, execution_id = found.groups()
    places = [uri] if (uri := _objects(session, config, f"{pipeline}/executions/{execution_id}/")) else []
    if run_folder(arn).is_dir():
        places.append(str(run_folder(arn)))
    return f"Still there: {' and '.join(places)}." if places else "Nothing of it is left in S3 or in .local/runs."


def _arn(session: Session, config: Config, given: str) -> str:
    if _EXECUTION.fullmatch(given):
        return given
    if not _ID.fullmatch(given):
        raise UserError(
            f"{given!r} is neither the ARN of an execution, which 'make start' prints, "
            "nor its id, which 'make runs' lists."
        )
    account = session.client("sts").get_caller_identity()["Account"]
    resource = f"pipeline/{config.pipeline.name}/execution/{given}"
    return conventional_resources(config, account).arn("sagemaker", resource)


def _given_execution(session: Session, config: Config, arn: str) -> str:
    try:
        session.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    except ClientError as error:
        if not is_gone(error):
            raise
        raise UserError(
            f"There is no execution {arn}: it was deleted with its pipeline, or EXECUTION or CONFIG is wrong. "
            f"{left_of_execution(session, config, arn)}"
        ) from None
    return arn


def _left_of_pipeline(session: Session, config: Config) -> str:
    """Return a sentence about the results of a pipeline that was deleted, empty if there are none."""
    places = []
    if uri := _objects(session, config, f"{config.pipeline.name}/executions/"):
        places.append(f"{uri} (a folder for each execution)")
    if run_folders():
        places.append(f"{RUNS} (see 'make runs')")
    return f"Results of earlier executions are still in {' and in '.join(places)}." if places else ""


def _objects(session: Session, config: Config, prefix: str) -> str:
    """Return the URI of a prefix of the pipeline's bucket, empty if there is nothing or it cannot be listed."""
    try:
        bucket = find_resources(config, session).bucket
        found = session.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except ClientError:
        return ""
    return f"s3://{bucket}/{prefix}" if found["KeyCount"] else ""
