"""make status: follow the execution EXECUTION, by default the latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.operate.results import find_rejected_rows
from scripts.command_line import command, option
from scripts.console import aws_session, config_option, run
from scripts.executions import find_execution
from scripts.progress import follow
from scripts.rejected_rows import print_rejected_rows

if TYPE_CHECKING:
    from pipeline.config.models import Config


@command("status")
@config_option
@option("--execution", variable="EXECUTION", metavar="arn-or-id", help="The execution, by default the latest.")
def main(config: Config, execution: str | None) -> int:
    """Follow an execution until it ends. The exit status is 1 if it did not succeed."""
    session = aws_session(config)
    state = follow(session, find_execution(session, config, execution))
    print_rejected_rows(find_rejected_rows(session, state))
    return 0 if state.status == "Succeeded" else 1


if __name__ == "__main__":
    run(main)
