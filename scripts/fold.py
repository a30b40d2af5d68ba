"""make fold INPUT=folder OUTPUT=folder: split local files into folds, without SageMaker."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from local.runtime.jobs import spark_java
from local.runtime.jobs.spark import SMALL_INPUT
from local.runtime.jobs.spark_configuration import ON_THIS_MACHINE, write_logging
from pipeline.config.models import Config
from pipeline.definition.assets import STEPS
from pipeline.definition.fold_options import FILE, fold_options
from pipeline.errors import UserError
from scripts.command_line import Number, command, option
from scripts.console import config_option, run

_SPARK = ON_THIS_MACHINE | {
    "spark.ui.showConsoleProgress": "true",
    # Draws the progress bar every 200 ms for stages longer than half a second, so that short inputs show progress too.
    "spark.ui.consoleProgress.update.interval": "200",
}
_HEAP = "2g"


@command("fold")
@config_option
@option(
    "--input",
    "source",
    variable="INPUT",
    type=click.Path(exists=True),
    metavar="folder",
    required=True,
    help="The folder or file to split.",
)
@option(
    "--output",
    "target",
    variable="OUTPUT",
    type=click.Path(file_okay=False),
    metavar="folder",
    required=True,
    help="The folder for the folds.",
)
@option(
    "--folds",
    variable="FOLDS",
    type=Number(min=2, max=20),
    metavar="number",
    help="The number of folds, by default the configuration's.",
)
@option(
    "--layout",
    variable="LAYOUT",
    type=click.Choice(["folders", "manifest"]),
    help="The layout of the folds, by default the configuration's.",
)
def main(config: Config, source: str, target: str, folds: int | None, layout: str | None) -> int:
    """Split local files into folds as the pipeline does, on all cores of this machine."""
    config = _with_options(config, folds, layout)
    with tempfile.TemporaryDirectory(prefix="make-fold-") as name:
        options = Path(name, FILE)
        options.write_bytes(fold_options(config))
        places = ["--input", _uri(source), "--output", _uri(target), "--options", str(options)]
        command = _spark(Path(name), small=_size(Path(source)) <= SMALL_INPUT)
        # On SageMaker, Spark's Python workers have the modules from the job's --py-files.
        environment = {**os.environ, **spark_java.environment(Path(name)), "PYTHONPATH": str(STEPS)}
        status = _run([*command, str(STEPS / "make_folds.py"), *places], environment)
    if status is None:
        raise UserError(f"Stopped. If {target} has no folds.json, its folds are incomplete; the next run removes them.")
    return status


def _with_options(config: Config, folds: int | None, layout: str | None) -> Config:
    update = {"count": folds or config.folds.count, "layout": layout or config.folds.layout}
    return config.model_copy(update={"folds": config.folds.model_copy(update=update)})


def _uri(path: str) -> str:
    # Not percent-encoded: Hadoop takes the characters of a path as they are.
    return f"file://{Path(path).resolve()}"


def _size(source: Path) -> int:
    files = source.rglob("*") if source.is_dir() else [source]
    return sum(file.stat().st_size for file in files if file.is_file())


def _run(command: list[str], environment: Mapping[str, str]) -> int | None:
    """Run a program and return its exit status, or None when the user has stopped it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    # Own process group: Ctrl-C prints no JVM or Python traces.
    process = subprocess.Popen(command, env=environment, process_group=0)
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _spark(folder: Path, *, small: bool) -> list[str]:
    """Return the command that starts Spark as the local service does, but with other output."""
    write_logging(folder / "log4j2.properties", {"rootLogger.level": "error"})
    settings = [part for name, value in _SPARK.items() for part in ("--conf", f"{name}={value}")]
    return [*spark_java.command(folder, _HEAP, small=small), *settings]


if __name__ == "__main__":
    run(main)
