"""make status: follow the execution EXECUTION, by default the latest."""

from __future__ import annotations

from pipeline.errors import UserError
from pipeline.operate.execution import latest_execution
from scripts.console import aws_session, load, option, run
from scripts.progress import follow


def main() -> int:
    """Follow the execution; return 0 if it succeeded."""
    config = load()
    session = aws_session(config)
    sagemaker = session.client("sagemaker")
    try:
        arn = option("EXECUTION") or latest_execution(sagemaker, config.pipeline.name)
    except sagemaker.exceptions.ResourceNotFound:
        raise UserError(f"There is no pipeline {config.pipeline.name}: publish it with 'make upsert'.") from None
    if not arn:
        raise UserError(f"The pipeline {config.pipeline.name} has not been executed yet: start it with 'make start'.")
    return 0 if follow(session, arn).status == "Succeeded" else 1


if __name__ == "__main__":
    run(main)
