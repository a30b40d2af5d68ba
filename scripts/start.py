"""make start: start an execution, with parameters if any, after saying its cost and which quotas are too small."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate.parameter_values import check_values
from pipeline.operate.quotas import with_parameters
from scripts.command_line import command, option
from scripts.console import aws_session, config_option, console, is_local_service, run
from scripts.estimate import costs_in_short
from scripts.quotas import print_quota_warnings

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker.type_defs import ParameterTypeDef


class Parameter(click.ParamType["ParameterTypeDef", str]):
    """``Name=value``, a parameter of an execution. make's variable has several, quoted as in a shell."""

    name = "parameter"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ParameterTypeDef:
        """Return the parameter in the API's form.

        Raises:
            click.BadParameter: the text is not a pair.
        """
        name, equals, text = value.partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not Name=value, for example MaxMse=4e7.", param, ctx)
        return {"Name": name, "Value": text}

    def split_envvar_value(self, rv: str) -> list[str]:
        """Split make's variable at spaces, except in quotes.

        Raises:
            click.BadParameter: a quote is not closed.
        """
        try:
            return shlex.split(rv)
        except ValueError:
            raise click.BadParameter(f"{rv!r} has a quote without its end.") from None


param_option = option(
    "--param",
    "parameters",
    variable="PARAMS",
    type=Parameter(),
    multiple=True,
    metavar="Name=value",
    help="A parameter of the execution. Repeat the option for more; PARAMS has several, separated by spaces. Quote a "
    "value with spaces: PARAMS=\"'Name=two words' MaxMse=4e7\".",
)


@command("start")
@config_option
@param_option
def main(config: Config, parameters: tuple[ParameterTypeDef, ...]) -> int:
    """Start an execution of the published pipeline, after saying its cost and warning of quotas that are too small."""
    check_values(parameters)
    changed = with_parameters(config, parameters)
    if not is_local_service():
        console.print(costs_in_short(changed), markup=False)
    print_quota_warnings(changed)
    arn = start_execution(aws_session(config), config, parameters)
    console.print(f"Started {arn}")
    console.print("Follow it with: make status")
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
    check_values(parameters)
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
