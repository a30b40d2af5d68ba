"""Tables with thousands of columns, and columns with thousands of values, through the whole pipeline."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def table(columns: int, values: int) -> tuple[str, dict]:
    """Sixty rows of pixels, with a category of so many values; and the section of the configuration."""
    rng = random.Random(columns)
    numeric = [f"pixel {number}" for number in range(columns)]
    kinds = [f"kind number {number}" for number in range(values)]
    rows = [",".join([*numeric, "kind", "digit"])]
    for number in range(60):
        pixels = [str(rng.randrange(17)) for _ in range(columns)]
        rows.append(",".join([*pixels, kinds[number * 7 % values], str(number % 10)]))
    return "\n".join(rows) + "\n", {"label": "digit", "numeric": numeric, "categorical": {"kind": kinds}}


@pytest.mark.parametrize(
    ("columns", "values"), [pytest.param(64, 500, marks=pytest.mark.long), (2000, 10), (5, 10_000)]
)
def test_a_wide_table_is_split_trained_on_and_served(tmp_path, columns, values) -> None:
    text, dataset = table(columns, values)
    (tmp_path / "digits.csv").write_text(text)
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["dataset"] = {"input": str(tmp_path / "digits.csv"), **dataset}
    document["folds"]["count"] = 2
    document["tuning"].update(learning_rate=[0.01], l1=[0.001], max_jobs=1, max_parallel_jobs=1)
    document["tuning"]["static_hyperparameters"].update(epochs=2, mini_batch_size=10)
    document["quality"]["max_mse"] = 1e9
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
    result = subprocess.run(
        [sys.executable, "-m", "scripts.run"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    last = json.loads((tmp_path / ".local/last-run.json").read_text())
    assert (last["status"], len(last["predictions"])) == ("Succeeded", 3)
    assert max(map(len, result.stdout.splitlines())) < 300
    (report,) = (tmp_path / ".local/s3").rglob("folds/folds.json")
    assert json.loads(report.read_text())["feature_dim"] == columns + values
