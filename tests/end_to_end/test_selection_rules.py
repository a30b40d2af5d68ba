"""Rules over the folds' means on the local service: a model of all rows is trained, registered, served and verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.test_run import ROOT, run

pytestmark = pytest.mark.slow


def write_config(folder: Path, rule: str, **sections: dict[str, Any]) -> None:
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["tuning"].update(learning_rate=[0.01, 0.1], l1=[0.01], max_jobs=2, max_parallel_jobs=2)
    document["selection"] = {"rule": rule}
    for section, values in sections.items():
        document[section].update(values)
    (folder / "config.yaml").write_text(yaml.safe_dump(document))


def last_run(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / ".local/last-run.json").read_text())
    return document


@pytest.mark.parametrize(
    ("rule", "layout"),
    [
        # test_after_deletion.py runs it too.
        pytest.param("lowest_mean_mse", "folders", marks=pytest.mark.long),
        ("one_standard_error", "manifest"),
    ],
)
def test_a_model_of_all_rows_is_registered_and_served(tmp_path, rule, layout) -> None:
    write_config(
        tmp_path,
        rule,
        folds={"layout": layout, "count": 3},
        caching={"enabled": False},
        tuning={"static_hyperparameters": {}},
    )
    first = run(tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    last = last_run(tmp_path)
    assert "RefitModel" in last["best_training_job"]
    assert (last["best_fold"], last["selection_rule"]) == (None, rule)
    assert last["estimate"]["low"] < last["best_mse"] < last["estimate"]["high"]
    assert f"{last['best_training_job']} (all rows)" in first.stdout

    # Nothing is cached, so all is trained again; the same data and settings give no new version.
    second = run(tmp_path)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "unchanged: registered by an earlier execution" in second.stdout
    assert "(verified)" in second.stdout
    for name in ("model_package_arn", "best_training_job", "best_mse", "predictions"):
        assert last_run(tmp_path)[name] == last[name]


@pytest.mark.long
def test_the_estimate_hardly_depends_on_the_number_of_folds(tmp_path) -> None:
    estimates = []
    for folds in (5, 10, 20):
        write_config(tmp_path, "lowest_mean_mse", folds={"count": folds})
        result = run(tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
        estimates.append(last_run(tmp_path)["estimate"]["mse"])
    assert max(estimates) < 1.02 * min(estimates)


@pytest.mark.long
def test_the_gate_can_be_on_the_upper_end_of_the_interval(tmp_path) -> None:
    write_config(tmp_path, "lowest_mse", folds={"count": 3})
    within = run(tmp_path)
    estimate = last_run(tmp_path)["estimate"]
    assert within.returncode == 0, within.stdout + within.stderr
    limit = (estimate["mse"] + estimate["high"]) / 2
    assert run(tmp_path, PARAMS=f"MaxMse={limit}").returncode == 0
    rejected = run(tmp_path, PARAMS=f"MaxMse={limit} MaxMseAppliesTo=UpperEnd")
    assert rejected.returncode == 1
    assert "MaxMseAppliesTo is UpperEnd" in last_run(tmp_path)["failure_reason"]
