"""Measures make_folds.py, and compares it with the notebook's method, other engines and a copy of its output.

Every method runs as a process of its own on two cores, its input in the page cache, in turns with the others; the
fastest of its turns counts. Time and memory are of the process with all that it starts, Java and executors
included, and all that use Spark run as the local service runs a long job, with the same session. The notebook's method
takes minutes at ten million rows: it has one turn there.

Run: ``python -m benchmarks.folds [--rows 1e5 1e6 1e7] [--turns 4] [--only manifest polars ...]``.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from benchmarks.rows import COLUMNS, RAW_DATASET, write_raw_rows, write_rows
from local.runtime.jobs import spark_java
from local.runtime.jobs.spark_configuration import ON_THIS_MACHINE, write_logging
from pipeline.definition.assets import STEPS

_CORES = 2
_HEAP = "1g"
_NOTEBOOK_HEAP = "2g"
"""With less, ten million rows in one window failed."""

_METHODS = (
    "notebook",
    "folders",
    "folders, unchecked",
    "manifest",
    "manifest, unchecked",
    "raw",
    "raw, unchecked",
    "polars",
    "polars, typed",
    "duckdb",
    "copy",
)
"""``raw`` is the manifest layout for a dataset with text categories; all others use numbers."""

_LONG = 5e6
"""From this many rows on, the notebook's method runs once."""


@dataclass(frozen=True)
class Measured:
    """The time and memory of a process and its children.

    Attributes:
        seconds: from start to end.
        cpu_seconds: of all its threads, those of processes that ended before it not counted to their very end.
        megabytes: resident memory at its highest, all processes together.
        written: bytes of output.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float
    written: int


def main() -> int:
    """Run the benchmark and print the tables."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rows", type=float, nargs="+", default=[1e5, 1e6, 1e7])
    parser.add_argument("--only", nargs="+", choices=_METHODS, help="methods to measure")
    parser.add_argument("--turns", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="folds-benchmark-") as name:
        folder = Path(name)
        session = folder / "start.py"
        session.write_text("from pyspark.sql import SparkSession as s; s.builder.getOrCreate().stop()")
        write_logging(folder / "log4j2.properties", {"rootLogger.level": "error"})
        start = _measure(_spark(folder, session), folder / "none", folder)
        print(f"{_CORES} cores; a heap of {_HEAP}, and of {_NOTEBOOK_HEAP} for the notebook's method.")
        print(f"A Spark session that does nothing: {start.seconds:.1f} s.\n")
        results = {int(rows): _compare(int(rows), folder, given.only, given.turns) for rows in given.rows}
        for rows, measured in results.items():
            _print_table(rows, measured)
        _print_growth(results, start)
    return 0


def _compare(rows: int, folder: Path, only: Sequence[str] | None, turns: int) -> dict[str, Measured]:
    source = write_rows(folder / f"rows-{rows}" / "rows.csv", rows)
    raw = write_raw_rows(folder / f"raw-{rows}" / "raw.csv", rows)
    target = folder / "output"
    every = _commands(source, raw, target, folder)
    commands = {name: command for name, command in every.items() if not only or name in only}
    best: dict[str, Measured] = {}
    for turn in range(turns):
        for name, command in commands.items():
            if name == "notebook" and rows >= _LONG and turn:
                continue
            (raw if "raw" in name else source).read_bytes()
            measured = _measure(command, target, folder)
            print(f"  {rows:>10,} {name:<20} {measured.seconds:7.1f} s", file=sys.stderr, flush=True)
            if name not in best or measured.seconds < best[name].seconds:
                best[name] = measured
    source.unlink()
    raw.unlink()
    return best


def _commands(source: Path, raw: Path, target: Path, folder: Path) -> dict[str, list[str]]:
    here = Path(__file__).parent
    dataset = {"header": False, "label": COLUMNS[0], "numeric": COLUMNS[1:]}

    def ours(script: Path, layout: str, file: Path = source, dataset: Mapping[str, Any] = dataset) -> list[str]:
        options = folder / f"{file.stem}-{layout}.json"
        options.write_text(json.dumps({"dataset": dataset, "folds": {"layout": layout}}))
        places = ["--input", f"file://{file}", "--output", f"file://{target}", "--options", str(options)]
        return _spark(folder, script, *places)

    checked, unchecked = STEPS / "make_folds.py", here / "unchecked_folds.py"
    uris = (f"file://{source}", f"file://{target}")
    engines = [sys.executable, "-m", "benchmarks.table_engines"]
    commands = [
        _spark(folder, here / "notebook_folds.py", *uris, heap=_NOTEBOOK_HEAP),
        ours(checked, "folders"),
        ours(unchecked, "folders"),
        ours(checked, "manifest"),
        ours(unchecked, "manifest"),
        ours(checked, "manifest", raw, RAW_DATASET),
        ours(unchecked, "manifest", raw, RAW_DATASET),
        [*engines, "polars", str(source), str(target)],
        [*engines, "polars-typed", str(source), str(target)],
        [*engines, "duckdb", str(source), str(target)],
        # The same bytes as the folders layout, each row five times.
        ["sh", "-c", 'mkdir "$1"; for i in 1 2 3 4 5; do cp "$0" "$1/$i"; done', str(source), str(target)],
    ]
    return dict(zip(_METHODS, commands, strict=True))


def _spark(folder: Path, script: Path, *arguments: str, heap: str = _HEAP) -> list[str]:
    java, *options = spark_java.command(folder, heap, small=False)
    properties = ON_THIS_MACHINE | {"spark.master": f"local[{_CORES}]"}
    settings = [part for name, value in properties.items() for part in ("--conf", f"{name}={value}")]
    return [java, *options, *settings, str(script), *arguments]


def _measure(command: Sequence[str], target: Path, folder: Path) -> Measured:
    shutil.rmtree(target, ignore_errors=True)
    # Unwritten data of earlier turns would slow this one down.
    os.sync()
    began = time.perf_counter()
    said = folder / "stderr"
    # A file, because a pipe is read only at the end, and the program would block when it is full.
    with said.open("wb") as errors:
        process = psutil.Popen(command, env=_environment(folder), stdout=subprocess.DEVNULL, stderr=errors)
    cpu: dict[int, float] = {}
    most = 0.0
    while process.poll() is None:
        resident = 0
        for member in _tree(process):
            try:
                times = member.cpu_times()
                resident += member.memory_info().rss
            except psutil.Error:
                continue
            cpu[member.pid] = times.user + times.system
        most = max(most, resident / 1e6)
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{shlex.join(command)} failed: {said.read_text()[-2000:]}")
    inodes = {(file.stat().st_ino, file.stat().st_size) for file in target.rglob("*") if file.is_file()}
    return Measured(seconds, sum(cpu.values()), most, sum(size for _, size in inodes))


def _tree(process: psutil.Popen) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _environment(folder: Path) -> dict[str, str]:
    # On SageMaker, Spark's Python workers get the modules from the job's --py-files.
    modules = {"PYTHONPATH": str(STEPS)}
    return {**os.environ, **spark_java.environment(folder), **modules, "POLARS_MAX_THREADS": str(_CORES)}


def _print_table(rows: int, measured: Mapping[str, Measured]) -> None:
    print(f"{rows:,} rows\n")
    print("| method | seconds | CPU seconds | peak MB | MB on disk | notebook / it | it / Polars | it / copy |")
    print("|---|---|---|---|---|---|---|---|")
    for name, own in measured.items():
        ratios = [
            _ratio(measured.get("notebook"), own),
            _ratio(own, measured.get("polars")),
            _ratio(own, measured.get("copy")),
        ]
        cells = [f"{own.seconds:.1f}", f"{own.cpu_seconds:.1f}", f"{own.megabytes:.0f}", f"{own.written / 1e6:.0f}"]
        print(f"| {name} | {' | '.join([*cells, *ratios])} |")
    for name in ("folders", "manifest", "raw"):
        if {name, f"{name}, unchecked"} <= measured.keys():
            share = measured[name].seconds / measured[f"{name}, unchecked"].seconds - 1
            print(f"\nThe checks take {share:+.0%} with {name}.")
    print()


def _print_growth(results: Mapping[int, Mapping[str, Measured]], start: Measured) -> None:
    sizes = sorted(results)
    for smaller, larger in pairwise(sizes):
        for name in ("folders", "manifest"):
            if name in results[smaller] and name in results[larger]:
                costs = [(results[rows][name].seconds - start.seconds) / rows for rows in (larger, smaller)]
                print(
                    f"{name}: a row at {larger:,} takes {costs[0] * 1e6:.2f} µs, "
                    f"{costs[0] / costs[1]:.2f} times that at {smaller:,}, Spark's start taken off"
                )


def _ratio(one: Measured | None, other: Measured | None) -> str:
    return f"{one.seconds / other.seconds:.1f}" if one and other else ""


if __name__ == "__main__":
    sys.exit(main())
