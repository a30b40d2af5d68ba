"""``make run`` with a configuration of its own: what it prints, what it leaves, and how it ends."""

from __future__ import annotations

import json
import math
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.config.loading import load_config
from tests.pipeline.report.document import figures, read, tables
from tests.processes import commands_with

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a small configuration: two folds, one combination of hyperparameters."""
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["folds"]["count"] = 2
    document["tuning"].update(learning_rate=[0.1], l1=[0.001], max_jobs=1, max_parallel_jobs=1)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


def run(folder: Path, command: str = "run", **options: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", f"scripts.{command}"],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "DATA": str(ROOT / "data/insurance.csv"), **options},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_run_leaves_its_results_and_nothing_running(folder) -> None:
    result = run(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    last = json.loads((folder / ".local/last-run.json").read_text())
    assert last["status"] == "Succeeded"
    assert last["pipeline_name"] == "insurance-cross-validation"
    assert last["pipeline_execution_arn"].startswith("arn:aws:sagemaker:")
    assert last["best_training_job"] in result.stdout
    assert "/evaluation/cv_results.csv" in result.stdout
    assert last["best_hyperparameters"] == {"learning_rate": "0.1", "l1": "0.001"}
    assert 2e7 < last["best_mse"] < 6e7
    assert last["estimate"]["low"] < last["estimate"]["mse"] < last["estimate"]["high"]
    assert last["best_mse"] < last["estimate"]["mse"]
    assert last["baselines"]["least_squares"] < last["baselines"]["mean"]
    assert last["warnings"]
    assert last["model_package_arn"].endswith(":model-package/insurance-cross-validation/1")
    assert last["endpoint_name"] == "insurance-cross-validation"
    assert len(last["predictions"]) == 3
    assert all(math.isfinite(score) for score in last["predictions"])
    header, first = result.stdout.partition("Predictions of the endpoint")[2].splitlines()[1:3]
    assert header.split() == ["age", "sex", "bmi", "children", "smoker", "region", "prediction", "actual", "charges"]
    assert first.split() == [
        *("19", "female", "27.9", "0", "yes", "southwest"),
        *(f"{last['predictions'][0]:,.2f}", "16,884.92"),
    ]
    assert commands_with(str(folder)) == []
    own = folder / ".local/runs" / last["pipeline_execution_arn"].rpartition("/")[2]
    assert (own / "last-run.json").read_text() == (folder / ".local/last-run.json").read_text()
    assert load_config(own / "config.yaml").dataset.input == str(ROOT / "data/insurance.csv")
    assert (last["rows"], last["rejected_rows"], last["parameters"]) == (1338, 0, {})
    assert last["started"] < last["ended"]
    assert f"{own.relative_to(folder)}/report.html" in result.stdout
    page = read((own / "report.html").read_text())
    shown = figures(page)
    assert len(shown) == 10
    assert all(all(tables(figure)) for figure in shown.values())
    assert {row["fold"] for row in tables(shown["Loss by epoch and fold"])[0]} == {"1", "2"}
    assert tables(shown["Permutation importance"])[0][0]["variable"] == "smoker"
    assert tables(shown["SHAP values"])[0][0]["feature"] in ("smoker_no", "smoker_yes")
    assert not page.all("script")

    again = run(folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "unchanged: registered by an earlier execution" in again.stdout
    repeated = json.loads((folder / ".local/last-run.json").read_text())
    assert repeated["pipeline_execution_arn"] != last["pipeline_execution_arn"]
    for name in ("status", "model_package_arn", "endpoint_name", "predictions", "best_training_job"):
        assert repeated[name] == last[name]

    rejected = run(folder, PARAMS="MaxMse=1")
    assert rejected.returncode == 1
    last = json.loads((folder / ".local/last-run.json").read_text())
    assert (last["status"], last["predictions"], last["model_package_arn"]) == ("Failed", [], None)
    assert "MaxMse is 1" in last["failure_reason"] + rejected.stdout
    assert last["parameters"] == {"MaxMse": "1"}
    assert len(list((folder / ".local/runs").iterdir())) == 3


@pytest.mark.slow
def test_without_a_limit_a_model_that_is_worse_than_the_mean_is_rejected(tmp_path) -> None:
    noise = random.Random(1)
    names = [f"x{number}" for number in range(20)]
    rows = [",".join(str(noise.random()) for _ in range(21)) for _ in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join([",".join(["y", *names]), *rows]))
    (tmp_path / "config.yaml").write_text(
        "pipeline: {name: noise}\n"
        f"dataset: {{input: rows.csv, label: y, numeric: [{', '.join(names)}]}}\n"
        "tuning: {learning_rate: [0.1], l1: [0.001]}\n"
        "folds: {count: 2}\n"
    )
    result = run(tmp_path, DATA="")
    assert result.returncode == 1
    last = json.loads((tmp_path / ".local/last-run.json").read_text())
    assert last["estimate"]["mse"] > last["baselines"]["mean"]
    assert "It must be below that of always predicting the mean, " in last["failure_reason"]
    assert ", and it is not. " in last["failure_reason"]
    assert (last["status"], last["model_package_arn"]) == ("Failed", None)


@pytest.mark.long
@pytest.mark.slow
def test_old_runs_can_be_deleted_and_later_runs_do_not_miss_them(folder) -> None:
    first = run(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    scores = json.loads((folder / ".local/last-run.json").read_text())["predictions"]
    assert run(folder, PARAMS="DataVersion=2").returncode == 0
    before = sum(path.stat().st_size for path in (folder / ".local").rglob("*") if path.is_file())
    cleaned = run(folder, "clean_local", KEEP="1")
    after = sum(path.stat().st_size for path in (folder / ".local").rglob("*") if path.is_file())
    assert re.fullmatch(r"Deleted 1 run and freed \d+\.\d MB; 1 run kept\.\n", cleaned.stdout), cleaned.stderr
    assert after < before
    listed = run(folder, "runs").stdout.splitlines()
    assert len([line for line in listed if not line.startswith(" ")]) == 1
    # Its steps are run again, and the model of the deleted run, which is still registered, is the same.
    again = run(folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads((folder / ".local/last-run.json").read_text())["predictions"] == scores


@pytest.mark.slow
def test_a_bad_cell_is_told_by_its_file_line_and_column(folder) -> None:
    lines = (ROOT / "data/insurance.csv").read_text().splitlines()
    lines[4] = "19,female,heavy,0,yes,southwest,16884.9"
    (folder / "rows.csv").write_text("\n".join(lines))
    result = run(folder, DATA=str(folder / "rows.csv"))
    assert result.returncode == 1
    place = "rows.csv, line 5: not a number: '19,female,heavy,0,yes,southwest,16884.9' (column 'bmi': 'heavy')"
    told = f"{place}. 1 of 1338 rows cannot be used: 1 not a number"
    assert f"MakeFolds failed: AlgorithmError: make_folds: error: {told}" in result.stdout
    assert "the end of its log, /aws/sagemaker/ProcessingJobs pipelines-" in result.stdout
    assert told in json.loads((folder / ".local/last-run.json").read_text())["failure_reason"]


@pytest.mark.long
@pytest.mark.slow
def test_quarantine_is_one_key_and_its_rows_are_counted_with_reason_and_place(folder) -> None:
    document = yaml.safe_load((folder / "config.yaml").read_text())
    document["folds"]["on_bad_rows"] = "quarantine"
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    lines = (ROOT / "data/insurance.csv").read_text().splitlines()
    lines[4] = "19,female,heavy,0,yes,southwest,16884.9"
    lines[5:7] = ["19,female", "19"]
    (folder / "rows.csv").write_text("\n".join(lines))
    result = run(folder, DATA=str(folder / "rows.csv"))
    assert result.returncode == 0, result.stdout + result.stderr
    said = re.search(r"Rows set aside: 3 of 1,338 \((.+)\): (s3:\S+/rejected/) \((\S+)\)", result.stdout)
    assert said is not None, result.stdout
    assert said[1] == "2 wrong number of columns, 1 not a number"
    aside = [json.loads(line) for file in (folder / said[3]).iterdir() for line in file.read_text().splitlines()]
    assert sorted(row["line"] for row in aside) == [5, 6, 7]


def test_data_that_is_not_there_is_a_sentence(folder) -> None:
    result = run(folder, DATA="nowhere.csv")
    assert result.returncode == 2
    assert result.stderr.startswith("DATA: File 'nowhere.csv' does not exist. See: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_wrong_configuration_is_told_by_its_keys(folder) -> None:
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("count: 2", "count: 1"))
    result = run(folder)
    assert result.returncode == 1
    assert result.stderr.startswith("config.yaml: folds.count:")
    assert not (folder / ".local").exists()
