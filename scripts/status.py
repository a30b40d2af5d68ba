"""make status: follow the execution EXECUTION, by default the latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.operate.execution import latest_execution
from scripts.command_line import command, option
from scripts.console import aws_session, config_option, run
from scripts.progress import follow

if TYPE_CHECKING:
    from pipeline.config.models import Config


@command("status")
@config_option
@option("--execution", variable="EXECUTION", metavar="arn", help="The execution, by default the latest.")
def main(config: Config, execution: str | None) -> int:
    """Follow an execution until it ends. The exit status is 1 if it did not succeed."""
    session = aws_session(config)
    sagemaker = session.client("sagemaker")
    try:
        arn = execution or latest_execution(sagemaker, config.pipeline.name)
    except sagemaker.exceptions.ResourceNotFound:
        raise UserError(f"There is no pipeline {config.pipeline.name}: publish it with 'make upsert'.") from None
    if not arn:
        raise UserError(f"The pipeline {config.pipeline.name} has not been executed yet: start it with 'make start'.")
    return 0 if follow(session, arn).status == "Succeeded" else 1


if __name__ == "__main__":
    run(main)
