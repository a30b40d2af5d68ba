"""Spark's configuration for a job: buckets as folders, and the user's own configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.runtime.errors import JobFailedError

NO_SCHEME = "path-without-scheme"
"""The name of Spark's default file system, in which paths without a scheme are.

In the container, such a path would be in HDFS, which is deleted when the job ends. Here, it is in a file system that
has no files and takes none, so that reading or writing there is an error. There must be one: Hadoop asks the default
file system for its working directory, even when it reads s3:// URIs.
"""

ON_THIS_MACHINE = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
}
"""Properties of every local Spark session. Other machines cannot connect to it."""

_LOG4J = {
    "rootLogger.level": "warn",
    "rootLogger.appenderRef.stderr.ref": "console",
    "appender.console.type": "Console",
    "appender.console.name": "console",
    "appender.console.target": "SYSTEM_ERR",
    "appender.console.layout.type": "PatternLayout",
    "appender.console.layout.pattern": "%d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex",
    # Without this, each start logs a warning that Hadoop's native library is missing.
    "logger.native.name": "org.apache.hadoop.util.NativeCodeLoader",
    "logger.native.level": "error",
}
_VIEW = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
_COMMITTER = "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory"
# Classifications for programs of a cluster, which do not run here.
_WITHOUT_EFFECT = ("yarn-site", "yarn-env", "hadoop-env", "hive-env", "spark-metrics", "hive-exec-log4j", "hive-log4j")
_OURS = ("spark.master", "spark.submit.deployMode", "spark.hadoop.fs.s3.impl", "spark.hadoop.fs.s3a.impl")


@dataclass
class Configuration:
    """The user's Spark configuration.

    Attributes:
        properties: Properties for spark-defaults.conf.
        environment: Environment variables.
        logging: Properties for log4j.
        remarks: Notes about the configuration for the job's log.
    """

    properties: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    logging: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def object_store(buckets: Path) -> dict[str, str]:
    """Return properties that map ``s3://`` and ``s3a://`` URIs to the folders of the buckets.

    Hadoop's ViewFileSystemOverloadScheme maps each bucket to its folder. The raw local file system writes no checksum
    files. The default committer of s3a would need hadoop-aws. As on AWS, a finished output has an empty _SUCCESS.

    Args:
        buckets: The folder that has a subfolder for each bucket.
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
        "spark.hadoop.fs.defaultFS": f"viewfs://{NO_SCHEME}/",
        f"spark.hadoop.fs.viewfs.mounttable.{NO_SCHEME}.link./nothing": "file:///nothing",
    }


def of_user(file: Path) -> Configuration:
    """Return the user's configuration from ``configuration.json``, which has EMR's list of classifications.

    Args:
        file: The file. It need not exist.

    Raises:
        JobFailedError: The file is not a list of classifications, or a classification is unknown.
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
            configuration.remarks.append(f"{key} has no effect, because Spark runs on this machine only")
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
    """Write a ``log4j2.properties`` that logs warnings and errors.

    Args:
        file: The file to write.
        own: Properties that are added or override the defaults.
    """
    file.write_text("".join(f"{key}={value}\n" for key, value in (_LOG4J | own).items()))
