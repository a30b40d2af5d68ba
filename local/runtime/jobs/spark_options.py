"""The command line of ``smspark-submit``, the entrypoint of SageMaker's Spark container."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from local.runtime.jobs.failures import JobFailedError


@dataclass(frozen=True)
class SubmitOptions:
    """What ``smspark-submit`` is told; paths are those of the job's folder.

    Attributes:
        main_class: ``--class``, the main class of an application in a jar.
        jars, py_files, files: paths and S3 URIs, directories taken apart into their files.
        event_logs: folder to which Spark writes its event log, or None.
        verbose: ``-v``.
        application: the script or the jar.
        arguments: the application's own.
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


def parse(command_line: list[str]) -> SubmitOptions:
    """Read the arguments that follow ``smspark-submit``.

    The options are those of ``smspark/cli.py`` in aws/sagemaker-spark-container; whatever follows the
    application is the application's.

    Raises:
        JobFailedError: an option that the container does not have, or files that are not there.
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
        _files(options.jars, "--jars"),
        _files(options.py_files, "--py-files"),
        _files(options.files, "--files"),
        Path(event_logs) if event_logs else None,
        options.verbose,
        options.application,
        options.arguments,
    )


def _files(value: str | None, option: str) -> list[str]:
    """Return a comma-separated list, each directory in it replaced by the files that it holds."""
    found: list[str] = []
    for item in value.split(",") if value else []:
        path = Path(item.removeprefix("file://"))
        if item.startswith(("s3://", "s3a://")):
            found.append(item)
        elif path.is_dir() and (files := sorted(str(file) for file in path.iterdir() if file.is_file())):
            found.extend(files)
        elif path.is_file():
            found.append(str(path))
        else:
            what = "found zero files in" if path.is_dir() else "there is no file"
            raise JobFailedError(f"ClientError: smspark-submit: {option}: {what} {item}")
    return found
