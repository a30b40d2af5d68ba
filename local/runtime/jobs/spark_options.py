"""The command line of ``smspark-submit``, the entrypoint of SageMaker's Spark container."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from local.runtime.containers.container import Container
from local.runtime.errors import JobFailedError


@dataclass(frozen=True)
class SubmitOptions:
    """The options of ``smspark-submit``. Paths are as the program sees them.

    Attributes:
        main_class: ``--class``, the main class of an application in a jar.
        jars, py_files, files: Paths and S3 URIs. Directories are replaced by their files.
        event_logs: The folder to which Spark writes its event log, or None.
        verbose: ``-v``.
        application: The script or the jar.
        arguments: The application's arguments.
    """

    main_class: str | None
    jars: list[str]
    py_files: list[str]
    files: list[str]
    event_logs: Path | None
    verbose: bool
    application: str
    arguments: list[str]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise JobFailedError(f"ClientError: smspark-submit: {message}")


def parse(command_line: list[str], container: Container) -> SubmitOptions:
    """Parse the arguments of ``smspark-submit``.

    The options are those of ``smspark/cli.py`` in aws/sagemaker-spark-container. Arguments after the application belong
    to the application.

    Args:
        command_line: The arguments, with paths as the program sees them.
        container: The job's folder.

    Raises:
        JobFailedError: An option is unknown or not implemented, or a file does not exist.
    """
    parser = _Parser(prog="smspark-submit", add_help=False, allow_abbrev=False)
    parser.add_argument("--class", dest="main_class")
    parser.add_argument("--jars")
    parser.add_argument("--py-files")
    parser.add_argument("--files")
    parser.add_argument("--spark-event-logs-s3-uri")
    parser.add_argument("--local-spark-event-logs-dir")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("application")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(command_line)
    if options.spark_event_logs_s3_uri:
        raise JobFailedError(
            "ClientError: smspark-submit: --spark-event-logs-s3-uri is not implemented by the local service; "
            "--local-spark-event-logs-dir with a processing output does the same"
        )
    event_logs = options.local_spark_event_logs_dir
    return SubmitOptions(
        options.main_class,
        _files(options.jars, "--jars", container),
        _files(options.py_files, "--py-files", container),
        _files(options.files, "--files", container),
        Path(event_logs) if event_logs else None,
        options.verbose,
        options.application,
        options.arguments,
    )


def _files(value: str | None, option: str, container: Container) -> list[str]:
    """Split a comma-separated list, and replace each directory by its files."""
    found: list[str] = []
    for item in value.split(",") if value else []:
        seen = item.removeprefix("file://")
        path = container.path(seen)
        if item.startswith(("s3://", "s3a://")):
            found.append(item)
        elif path.is_dir() and (files := sorted(file.name for file in path.iterdir() if file.is_file())):
            found.extend(str(Path(seen, name)) for name in files)
        elif path.is_file():
            found.append(seen)
        else:
            what = "found zero files in" if path.is_dir() else "there is no file"
            raise JobFailedError(f"ClientError: smspark-submit: {option}: {what} {item}")
    return found
