"""Run pipeline.py files as ``python pipeline.py`` does, each in a child of a process that has imported the SDK.

The import takes four seconds of a processor. Each line of the input names a folder and a file for what is printed; each
line of the output is the exit status.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from types import SimpleNamespace

import sagemaker.mlops.workflow.pipeline
import sagemaker.serve.model_builder
import sagemaker.train  # noqa: F401
from sagemaker.core.config import config_manager


def main() -> None:
    """Run what the lines of the input name."""
    # With a configuration file, the SDK checks it at each look-up of a default: ten seconds of a processor a pipeline.
    config_manager.jsonschema = SimpleNamespace(validate=lambda *_: None)
    for line in sys.stdin:
        folder, log = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(folder, log)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(folder: str, log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.path[0] = folder
    status = 0
    try:
        runpy.run_path("pipeline.py", run_name="__main__")
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
