"""Runs a Spark application on this machine as ``smspark-submit`` runs it in SageMaker's Spark container."""

from __future__ import annotations

import os
import re
import resource
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.core.settings import Settings
from local.runtime.containers.container import Container, environment
from local.runtime.errors import JobFailedError
from local.runtime.jobs import spark_java
from local.runtime.jobs.spark_configuration import (
    ON_THIS_MACHINE,
    object_store,
    of_user,
    write_logging,
    write_properties,
)
from local.runtime.jobs.spark_options import SubmitOptions, parse
from local.storage.objects import Objects, S3Uri

if TYPE_CHECKING:
    from local.runtime.jobs.log import JobLog

_SLASHES = re.compile("/+")
_PATTERN = re.compile(r"[*?\[{]")
"""The beginning of a pattern of paths in Hadoop."""

_SLASHES_OF_BUCKET = "s3://bucket/".count("/")
SMALL_INPUT = 32 * 1024 * 1024
"""Bytes of input up to which the start dominates a run."""

_OPEN_FILES = 1024
_LONGEST_MESSAGE = 1024


@dataclass(frozen=True)
class SparkProgram:
    """The command that runs a Spark application.

    Attributes:
        command: The Java program and its arguments.
        environment: All environment variables of the program.
    """

    command: list[str]
    environment: dict[str, str]


def prepare(  # noqa: PLR0913 - each argument comes from another part of the job
    settings: Settings,
    container: Container,
    command_line: list[str],
    *,
    credentials_path: str,
    own_environment: dict[str, str],
    input_bytes: int,
    log: JobLog,
) -> SparkProgram:
    """Convert a ``smspark-submit`` command line to a Java command, and write Spark's configuration files.

    The command runs Spark's class SparkSubmit directly. This saves the shell script and the extra Java process of
    ``spark-submit``. Runs with small inputs get settings that shorten the start.

    Args:
        settings: The service's settings.
        container: The job's folder, with all inputs.
        command_line: The arguments of ``smspark-submit``, with paths as the program sees them.
        credentials_path: The path at which the service returns the job's credentials.
        own_environment: The environment variables of the image and of the request.
        input_bytes: The size of the job's inputs and of the S3 data that its arguments name.
        log: The job's log.

    Raises:
        JobFailedError: The command line or the user's configuration is not valid, or Spark cannot open its files.
    """
    _check_open_files()
    options = parse(command_line, container)
    user = of_user(container.root / "processing" / "input" / "conf" / "configuration.json")
    for remark in [spark_java.versions(), *user.remarks]:
        log.note(remark)
    small = input_bytes <= SMALL_INPUT
    folder, seen = container.root / "spark", container.seen / "spark"
    (folder / "conf").mkdir(parents=True)
    if options.event_logs:
        container.path(str(options.event_logs)).mkdir(parents=True, exist_ok=True)
    properties = _properties(settings, seen, options) | user.properties
    write_properties(folder / "spark-defaults.conf", properties)
    write_logging(folder / "log4j2.properties", user.logging)
    variables = spark_java.environment(seen) | user.environment | own_environment
    return SparkProgram(
        [*spark_java.command(seen, _heap(properties, small), small=small), *_submit(seen, options)],
        environment(settings, container.seen, credentials_path, variables),
    )


def input_size(objects: Objects, arguments: list[str], folder: Path) -> int:
    """Return the size of a job's input in bytes.

    Args:
        objects: The buckets.
        arguments: The application's arguments. The objects under ``s3://`` URIs in them count.
        folder: A folder whose files count.
    """
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    for uri in _uris(arguments):
        # Hadoop treats repeated slashes as one.
        parsed = S3Uri.parse(f"s3://{_SLASHES.sub('/', uri.removeprefix('s3://'))}")
        keys = objects.keys(str(parsed))
        size += sum(objects.path(str(S3Uri(parsed.bucket, key))).stat().st_size for key in keys)
    return size


def check_input(objects: Objects, arguments: list[str]) -> None:
    """Check that Spark, which reads buckets as folders here, finds all objects that the arguments name.

    Args:
        objects: The buckets.
        arguments: The application's arguments. The objects at and under ``s3://`` URIs in them are checked.

    Raises:
        JobFailedError: An object is not a file at its key's path.
    """
    for uri in _uris(arguments):
        # The keys that match a pattern begin with the text before the pattern.
        fixed = _PATTERN.split(uri, maxsplit=1)[0]
        parsed = S3Uri.parse(fixed.rstrip("/") if fixed.count("/") > _SLASHES_OF_BUCKET else fixed)
        for key in objects.keys_without_path(str(parsed)):
            if fixed != uri or parsed.key == "" or f"{key}/".startswith(f"{parsed.key}/"):
                raise JobFailedError(
                    f"ClientError: {uri}: Spark reads a bucket as a folder in the local service, and cannot read the "
                    f"object {str(S3Uri(parsed.bucket, key))!r}: its key cannot be the path of a file, or other keys "
                    "begin with this key and a slash"
                )


def _uris(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        start = argument.find("s3://")
        if start >= 0 and len(argument) > start + len("s3://"):
            yield argument[start:]


def failure_message(status: int, arguments: list[str]) -> str:
    """Return the text that ``smspark-submit`` writes to ``/opt/ml/output/message`` when an application fails.

    The text contains the command line, cut to 1024 characters, and none of the application's output.
    Source: https://github.com/aws/sagemaker-spark-container/blob/master/src/smspark/errors.py

    Args:
        status: The application's exit status. A negative status is the number of the signal that ended it.
        arguments: The arguments of ``smspark-submit`` in the request.
    """
    code = status if status >= 0 else 128 - status
    command = shlex.join(["spark-submit", "--master", "yarn", "--deploy-mode", "client", *arguments])
    return (
        "Algorithm Error: (caused by CalledProcessError): spark failed with a non-zero exit code: "
        f"Command '{command}' returned non-zero exit status {code}."
    )[:_LONGEST_MESSAGE]


def _check_open_files() -> None:
    """Refuse to start Java where it cannot open Spark's libraries. Java raises the soft limit itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _OPEN_FILES:
        raise JobFailedError(
            f"ClientError: Spark needs {_OPEN_FILES} open files, and this machine's hard limit is {hard}:"
            f" raise it (ulimit -Hn {_OPEN_FILES}), and start the local service again"
        )


def _submit(folder: Path, options: SubmitOptions) -> list[str]:
    lists = {"--jars": options.jars, "--py-files": options.py_files, "--files": options.files}
    return [
        "--properties-file",
        str(folder / "spark-defaults.conf"),
        *(["--class", options.main_class] if options.main_class else []),
        *(part for option, files in lists.items() if files for part in (option, ",".join(files))),
        *(["--verbose"] if options.verbose else []),
        options.application,
        *options.arguments,
    ]


def _properties(settings: Settings, folder: Path, options: SubmitOptions) -> dict[str, str]:
    cores = os.cpu_count() or 1
    properties = object_store(settings.buckets) | ON_THIS_MACHINE
    properties |= {
        # As in the container: twice as many partitions as cores.
        "spark.default.parallelism": str(2 * cores),
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
    }
    if options.event_logs:
        properties |= {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": options.event_logs.as_uri(),
        }
    return properties


def _heap(properties: dict[str, str], small: bool) -> str:
    if "spark.driver.memory" in properties:
        return properties["spark.driver.memory"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2
    return "1g" if small else f"{max(1024, memory // 4)}m"
