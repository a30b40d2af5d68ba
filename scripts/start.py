"""make start: start an execution, with parameters if any, after saying its cost and which quotas are too small."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate.parameter_values import check_values, with_parameters
from scripts.command_line import command
from scripts.console import aws_session, config_option, console, is_local_service, run, with_config
from scripts.estimate import costs_in_short
from scripts.parameter_option import param_option
from scripts.quotas import print_quota_warnings

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker.type_defs import ParameterTypeDef


@command("start")
@config_option
@param_option
def main(config: Config, parameters: tuple[ParameterTypeDef, ...]) -> int:
    """Start an execution of the published pipeline, after saying its cost and warning of quotas that are too small."""
    changed = with_parameters(config, parameters)
    if not is_local_service():
        console.print(with_config(costs_in_short(changed)), markup=False)
    print_quota_warnings(changed)
    arn = start_execution(aws_session(config), config, parameters)
    console.print(f"Started {arn}")
    console.print(with_config("Follow it with: make status"), markup=False)
    return 0


def start_execution(session: Session, config: Config, parameters: Sequence[ParameterTypeDef]) -> str:
    """Start an execution.

    Args:
        session: a ``boto3.Session`` of the account.
        config: the configuration, which names the pipeline.
        parameters: the values of the pipeline's parameters that are not the defaults.

    Returns:
        The execution's ARN.

    Raises:
        UserError: a value is not valid, or the pipeline does not exist.
    """
    check_values(config, parameters)
    sagemaker = session.client("sagemaker")
    try:
        response = sagemaker.start_pipeline_execution(
            PipelineName=config.pipeline.name, PipelineParameters=parameters, ClientRequestToken=str(uuid.uuid4())
        )
    except sagemaker.exceptions.ResourceNotFound:
        name, region = config.pipeline.name, config.aws.region
        raise UserError(f"There is no pipeline {name} in {region}: publish it with 'make upsert'.") from None
    return str(response["PipelineExecutionArn"])


if __name__ == "__main__":
    run(main)
