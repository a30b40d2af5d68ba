"""``make run`` runs each example as a person does after a clone: without its data, and with nothing published."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.references import reference_values
from pipeline.config.loading import load_config
from pipeline.config.models import Config

ROOT = Path(__file__).resolve().parents[2]
USED_ROWS = {
    "wages": 4360,
    "planes": 3322,
    "flights": 336_776 - 9430,
    "insurance-xgboost": 1338,
    "loans": 1989,
    "loans-xgboost": 1989,
    "happiness": 17_137,
}
QUICK = ("insurance-xgboost", "happiness")
"""Both algorithms, numbers and classes. The others are long tests."""

SHARES = {"happiness": 0.95}
"""What the loss is less than, as a share of that of predicting the same for every row. 0.8 is what it is for others."""

WARNINGS = {"loans": ["Out of line with the folds' median of "]}
"""How the warnings begin that a report is meant to have."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in USED_ROWS]
)
def test_make_runs_an_example(name, clone) -> None:
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    command = ["make", "--silent", "run", f"CONFIG=examples/{name}.yaml"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    last = json.loads((clone / ".local/last-run.json").read_text())
    config = load_config(ROOT / f"examples/{name}.yaml")
    assert last["status"] == "Succeeded"
    assert last["pipeline_name"] == f"example-{name}"
    assert last["rows"] == USED_ROWS[name]
    baselines = last["baselines"]
    reference = baselines["logistic_regression" if "logistic_regression" in baselines else "least_squares"]
    own, constant, linear = (
        1 - value if "auc" in last["metric"] else value
        for value in (last["estimate"]["value"], baselines["constant"], reference)
    )
    assert own < SHARES.get(name, 0.8) * constant
    assert own < 1.05 * linear
    expected = WARNINGS.get(name, [])
    assert len(last["warnings"]) == len(expected), last["warnings"]
    assert all(warning.startswith(beginning) for warning, beginning in zip(last["warnings"], expected, strict=True))
    assert last["endpoint_name"] == f"example-{name}"
    assert len(last["predictions"]) == 3
    if name.endswith("-xgboost"):
        assert_equal_to_the_library(clone, config)


def assert_equal_to_the_library(clone: Path, config: Config) -> None:
    """Compare the errors of the chosen point with those of scikit-learn's cross_validate on the same folds."""
    best = one_document(clone, "best/best.json")
    static = {key: str(value) for key, value in config.tuning.static_hyperparameters.items()}
    (folds,) = (clone / ".local/s3").rglob("folds/folds.json")
    values = reference_values(
        folds.parent,
        "xgboost",
        config.training.problem,
        best["metric"]["computed"],
        static | best["hyperparameters"],
    )
    assert best["objective_out_of_fold"]["fold_values"] == pytest.approx(values, rel=1e-6)
    # The training jobs log five decimals, and SageMaker keeps metrics as 32-bit numbers.
    assert chosen_errors(clone) == pytest.approx(values, rel=1e-6, abs=5.1e-6)


def chosen_errors(clone: Path) -> list[float]:
    (file,) = (clone / ".local/s3").rglob("evaluation/cv_results.csv")
    with file.open(newline="") as lines:
        (row,) = [row for row in csv.DictReader(lines) if row["chosen"] == "True"]
    return [float(value) for column, value in row.items() if column.startswith("split")]


def one_document(clone: Path, name: str) -> Any:
    (file,) = (clone / ".local/s3").rglob(name)
    return json.loads(file.read_text())
