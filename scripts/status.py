"""make status: follow the execution EXECUTION, by default the latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.command_line import command, option
from scripts.console import aws_session, config_option, run
from scripts.executions import find_execution
from scripts.progress import follow

if TYPE_CHECKING:
    from pipeline.config.models import Config


@command("status")
@config_option
@option("--execution", variable="EXECUTION", metavar="arn", help="The execution, by default the latest.")
def main(config: Config, execution: str | None) -> int:
    """Follow an execution until it ends. The exit status is 1 if it did not succeed."""
    session = aws_session(config)
    return 0 if follow(session, find_execution(session, config, execution)).status == "Succeeded" else 1


if __name__ == "__main__":
    run(main)
