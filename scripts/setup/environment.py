"""Installs the packages of uv.lock into ``.venv``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.setup.messages import NO_ROOM, SetupError, network_remedy, say, signs_of_life

ENVIRONMENT = Path(".venv")
PYTHON = ENVIRONMENT / "bin" / "python"
# Exists while uv writes into the environment.
_INSTALLING = Path(".uv/installing")

# A connection that stands still is given up after a minute, and retried five times. Few files at a time: what has
# arrived whole when the network breaks is kept.
_NETWORK = {"UV_HTTP_TIMEOUT": "60", "UV_HTTP_RETRIES": "5", "UV_CONCURRENT_DOWNLOADS": "8"}
# A user's settings that would install something else, or somewhere else.
_NOT_INHERITED = (
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_FROZEN",
    "UV_NO_DEV",
    "UV_NO_DEFAULT_GROUPS",
    "VIRTUAL_ENV",
)

# Files of 10 MB and more, what is built, and the sums
_SHOWN = re.compile(r"\s*(Downloading \S+ \(\d\d|Building |Prepared |Installed )")
# Python 3.12 warns of escape sequences in these packages when it compiles them.
_COMPILED_QUIETLY = ("pyspark", "sagemaker", "smdebug_rulesconfig")
MODULES_OF_A_RUN = (
    "scripts.run",
    "scripts.whole_run",
    *("pipeline.config.loading", "pipeline.config.preflight"),
    "pipeline.definition.pipeline",
    "pipeline.report.page",
    *("make_folds", "select_best", "verify_endpoint", "deploy_endpoint"),
    "local.algorithms.linear_learner.__main__",
    "local.algorithms.xgboost.__main__",
)
"""The modules of this repository that import what a run of the pipeline imports."""

# uv draws its errors in two ways: "error: what / cause: why", and as a tree.
_ERROR = re.compile("error: |\u00d7 ")
_ORNAMENT = re.compile("^(error:|\u00d7|cause:|Caused by:|[\u251c\u2570]\u2500\u25b6) *")
_HALF_WRITTEN = re.compile(r"Failed to (un)?install")
_NO_NETWORK = re.compile(
    r"client error|error sending request|request failed|dns error|timed? ?out|connection|status server error",
    re.IGNORECASE,
)


def discard_unfinished() -> None:
    """Delete the environment if an installation into it was interrupted, or its Python is gone.

    uv takes a package for installed that it has written in part. uv's cache keeps what was fetched.
    """
    if ENVIRONMENT.exists() and (_INSTALLING.exists() or not PYTHON.exists()):
        say("An earlier set-up was interrupted, or its Python is gone: starting .venv anew. Fetched packages are kept.")
        shutil.rmtree(ENVIRONMENT)


def install(uv: Path, lock: int) -> None:
    """Install the packages.

    Args:
        uv: The program.
        lock: The descriptor of the folder's lock, for uv.

    Raises:
        SetupError: uv failed.
    """
    _INSTALLING.parent.mkdir(exist_ok=True)
    _INSTALLING.touch()
    command = [str(uv), "sync", "--locked", "--inexact", "--no-progress", "--color", "never"]
    if not ENVIRONMENT.exists():
        command += ["--python", sys.executable]
    say("Installing the packages (of the largest, Spark with 320 MB, uv says nothing until it is there)")
    said = []
    with (
        signs_of_life(),
        subprocess.Popen(
            command, stderr=subprocess.PIPE, encoding="utf-8", errors="replace", env=_settings(), pass_fds=[lock]
        ) as process,
    ):
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if _SHOWN.match(line):
                say(f"  {line.strip()}")
    _check(process.returncode, "".join(said))


def compile_modules() -> None:
    """Compile the modules that a run imports. The first run would otherwise do that, and jobs in each run again.

    The jobs' Python writes no compiled modules, like that of SageMaker's containers.
    """
    quiet: list[str | Path] = [PYTHON, "-W", "ignore"]
    folders = [folder for name in _COMPILED_QUIETLY for folder in ENVIRONMENT.glob(f"lib/python*/site-packages/{name}")]
    subprocess.run([*quiet, "-m", "compileall", "-q", *folders], check=False, stdout=sys.stderr)
    writes = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # What cannot be imported is said by the command that needs it.
    subprocess.run(
        [*quiet, "-c", f"import {', '.join(MODULES_OF_A_RUN)}"],
        env=writes | {"PYTHONPATH": "steps"},
        check=False,
        capture_output=True,
    )


def _settings() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return _NETWORK | inherited | {"UV_PYTHON_DOWNLOADS": "never"}


def _check(status: int, said: str) -> None:
    """Say in a sentence why uv failed, if it did."""
    # uv fetches everything before it writes into the environment.
    if status >= 0 and not _HALF_WRITTEN.search(said):
        _INSTALLING.unlink()
    if status == 0:
        return
    if NO_ROOM.search(said):
        raise SetupError("A disk is full, this folder's or that of uv's cache. Free some, then repeat the command.")
    if _NO_NETWORK.search(said):
        raise SetupError(f"The packages could not be fetched: {_cause(said)}\n{_remedy(said)}")
    raise SetupError(f"uv could not install the packages:\n{said.strip()[-3000:]}")


def _remedy(said: str) -> str:
    if "invalid peer certificate" in said:
        return (
            "A network that replaces certificates needs its own: set SSL_CERT_FILE and PIP_CERT to their path (PEM), "
            "or UV_SYSTEM_CERTS=1 if this machine trusts them, then repeat the command."
        )
    return network_remedy()


def _cause(said: str) -> str:
    """Return what failed and why: the first line of uv's error, and its innermost cause."""
    lines = [line.strip() for line in said.partition("\nhint: ")[0].splitlines() if line.strip()]
    first = next((number for number, line in enumerate(lines) if _ERROR.match(line)), 0)
    what, *causes = [_ORNAMENT.sub("", line) for line in lines[first:]]
    return f"{what} ({causes[-1]})" if causes else what
