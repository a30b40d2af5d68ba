"""make start: start an execution, with parameters if any, after warning of quotas that are too small."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate.parameter_values import check_values
from pipeline.operate.quotas import with_parameters
from scripts.console import aws_session, console, load, option, run
from scripts.quotas import print_quota_warnings

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker.type_defs import ParameterTypeDef


def main() -> int:
    """Start an execution of the published pipeline."""
    config = load()
    parameters = option("PARAMS")
    values = parsed_parameters(parameters)
    check_values(values)
    print_quota_warnings(with_parameters(config, values))
    arn = start_execution(aws_session(config), config, parameters)
    console.print(f"Started {arn}")
    console.print("Follow it with: make status")
    return 0


def start_execution(session: Session, config: Config, parameters: str) -> str:
    """Start an execution.

    Args:
        session: a ``boto3.Session`` of the account.
        config: the configuration, which names the pipeline.
        parameters: ``Name=value`` pairs, separated by spaces.

    Returns:
        The execution's ARN.

    Raises:
        UserError: the parameters cannot be read, a value is not valid, or the pipeline does not exist.
    """
    values = parsed_parameters(parameters)
    check_values(values)
    sagemaker = session.client("sagemaker")
    try:
        response = sagemaker.start_pipeline_execution(
            PipelineName=config.pipeline.name, PipelineParameters=values, ClientRequestToken=str(uuid.uuid4())
        )
    except sagemaker.exceptions.ResourceNotFound:
        raise UserError(f"There is no pipeline {config.pipeline.name}: publish it with 'make upsert'.") from None
    return str(response["PipelineExecutionArn"])


def parsed_parameters(text: str) -> list[ParameterTypeDef]:
    """Parse ``Name=value`` pairs, separated by spaces, into the API's form of parameters.

    Raises:
        UserError: a part is not a pair.
    """
    parameters: list[ParameterTypeDef] = []
    for part in text.split():
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise UserError(f'PARAMS: {part!r} is not Name=value, for example PARAMS="MaxMse=4e7 EndpointName=trial"')
        parameters.append({"Name": name, "Value": value})
    return parameters


if __name__ == "__main__":
    run(main)
