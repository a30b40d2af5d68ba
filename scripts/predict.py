"""make predict INPUT=file.csv: print the endpoint's score for every row of a file, one per line."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.errors import UserError
from pipeline.operate.encoding import encoded_file
from pipeline.operate.prediction import predict
from scripts.console import aws_session, load, option, run


def main() -> int:
    """Print the scores and nothing else."""
    config = load()
    path = option("INPUT")
    if not path:
        raise UserError("INPUT is missing: make predict INPUT=file.csv, with a header or with encoded features")
    lines = encoded_file(Path(path), config.dataset)
    runtime = aws_session(config).client("sagemaker-runtime")
    for score in predict(runtime, option("ENDPOINT", config.deploy.endpoint_name), lines):
        sys.stdout.write(f"{score}\n")
    return 0


if __name__ == "__main__":
    run(main)
