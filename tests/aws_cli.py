"""Runs the AWS CLI in this process: each start of its own program takes half a second of CPU time.

tests/local/api/s3/test_s3.py and the README's commands in tests/end_to_end/test_pipeline.py run the program itself.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

from tests.commands import ROOT

_MODELS = {"AWS_DATA_PATH": os.environ.pop("AWS_DATA_PATH")}
"""The CLI's own models. Its import sets the variable."""
_one_at_a_time = threading.Lock()


def run_aws(environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run ``aws`` with nothing but this environment, in the project's folder.

    The environment is the process's, so no two threads may call this at once.

    Returns:
        The exit status, and what it printed on the standard output and for errors.
    """
    assert _one_at_a_time.acquire(blocking=False), "boto3 makes calls at the same moment"
    printed, kept, folder = io.BytesIO(), dict(os.environ), Path.cwd()
    out, err = io.TextIOWrapper(printed, encoding="utf-8"), io.StringIO()
    os.environ.clear()
    os.environ.update({**_MODELS, **environment})
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = create_clidriver().main(list(arguments))
        out.flush()
        return status, printed.getvalue().decode(), err.getvalue()
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(kept)
        _one_at_a_time.release()
