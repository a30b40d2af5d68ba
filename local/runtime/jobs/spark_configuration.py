"""Spark's properties for a job on this machine: S3 as folders, and the user's own configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.runtime.jobs.failures import JobFailedError

NO_SCHEME = "path-without-scheme"
"""The scheme of paths that have none. No file system has it, so that such a path is an error here too: in the
container it would be HDFS, and what is written there is gone when the job ends."""

ON_THIS_MACHINE = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
}
"""Properties of every Spark session that this project starts on one machine: other machines cannot reach it."""

_LOG4J = {
    "rootLogger.level": "warn",
    "rootLogger.appenderRef.stderr.ref": "console",
    "appender.console.type": "Console",
    "appender.console.name": "console",
    "appender.console.target": "SYSTEM_ERR",
    "appender.console.layout.type": "PatternLayout",
    "appender.console.layout.pattern": "%d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex",
    # Says at every start that Hadoop's native code is not there, which is so on every laptop.
    "logger.native.name": "org.apache.hadoop.util.NativeCodeLoader",
    "logger.native.level": "error",
}
_VIEW = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
_COMMITTER = "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory"
# Programs of the cluster that do not run on one machine.
_WITHOUT_EFFECT = ("yarn-site", "yarn-env", "hadoop-env", "hive-env", "spark-metrics", "hive-exec-log4j", "hive-log4j")
_OURS = ("spark.master", "spark.submit.deployMode", "spark.hadoop.fs.s3.impl", "spark.hadoop.fs.s3a.impl")


@dataclass
class Configuration:
    """A job's Spark configuration.

    Attributes:
        properties: what spark-defaults.conf holds.
        environment: environment variables.
        logging: lines for log4j.
        remarks: what the job's log says about it.
    """

    properties: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    logging: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def object_store(buckets: Path) -> dict[str, str]:
    """Properties by which ``s3://`` and ``s3a://`` are the folder of the buckets.

    Hadoop's ViewFileSystemOverloadScheme maps each bucket to its folder. The raw file system underneath keeps
    checksum files away, the committer's setting _SUCCESS; the committer of s3a itself needs classes that a
    Spark without hadoop-aws does not have.
    """
    tables = {
        f"spark.hadoop.fs.viewfs.mounttable.{bucket.name}.linkFallback": f"rawlocal://{quote(str(bucket))}"
        for bucket in sorted(buckets.iterdir())
        if bucket.is_dir() and not bucket.name.startswith(".")
    }
    return tables | {
        "spark.hadoop.fs.s3.impl": _VIEW,
        "spark.hadoop.fs.s3a.impl": _VIEW,
        "spark.hadoop.fs.rawlocal.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3": _COMMITTER,
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": _COMMITTER,
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        "spark.hadoop.fs.defaultFS": f"{NO_SCHEME}:///",
    }


def of_user(file: Path) -> Configuration:
    """Return the user's configuration: EMR's list of classifications, as ``configuration.json`` holds it.

    Args:
        file: the file, there or not.

    Raises:
        JobFailedError: the file is not such a list.
    """
    configuration = Configuration()
    if not file.exists():
        return configuration
    try:
        content = json.loads(file.read_bytes())
        for entry in content if isinstance(content, list) else [content]:
            _apply(configuration, entry["Classification"], entry)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JobFailedError(f"ClientError: {file.name} is not a list of classifications: {error!r}") from None
    return configuration


def _apply(configuration: Configuration, classification: str, entry: dict[str, Any]) -> None:
    properties = {str(key): str(value) for key, value in (entry.get("Properties") or {}).items()}
    if classification == "spark-defaults":
        for key in sorted(properties.keys() & set(_OURS)):
            configuration.remarks.append(f"{key} has no effect: Spark runs on this machine alone")
            del properties[key]
        configuration.properties |= properties
    elif classification in ("core-site", "hive-site", "spark-hive-site"):
        configuration.properties |= {f"spark.hadoop.{key}": value for key, value in properties.items()}
    elif classification in ("spark-log4j", "hadoop-log4j"):
        configuration.logging |= properties
    elif classification == "spark-env":
        for nested in entry.get("Configurations") or []:
            configuration.environment |= {
                str(key): str(value) for key, value in (nested.get("Properties") or {}).items()
            }
    elif classification in _WITHOUT_EFFECT:
        configuration.remarks.append(f"the classification {classification} has no effect on one machine")
    else:
        raise JobFailedError(f"ClientError: configuration.json: unknown classification {classification!r}")


def write_properties(file: Path, properties: dict[str, str]) -> None:
    """Write a ``spark-defaults.conf``."""
    file.write_text("".join(f"{key} {value}\n" for key, value in properties.items()))


def write_logging(file: Path, own: dict[str, str]) -> None:
    """Write a ``log4j2.properties``: warnings and errors, and what ``own`` adds or changes."""
    file.write_text("".join(f"{key}={value}\n" for key, value in (_LOG4J | own).items()))
