"""``make run`` runs each example as a person does after a clone: without its data, and with nothing published."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

USED_ROWS = {"wages": 4360, "planes": 3322, "flights": 336_776 - 9430, "insurance-xgboost": 1338}


@pytest.mark.slow
@pytest.mark.parametrize("name", USED_ROWS)
def test_make_runs_an_example(name, clone) -> None:
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    command = ["make", "--silent", "run", f"CONFIG=examples/{name}.yaml"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    last = json.loads((clone / ".local/last-run.json").read_text())
    assert last["status"] == "Succeeded"
    assert last["pipeline_name"] == f"example-{name}"
    assert last["rows"] == USED_ROWS[name]
    assert last["estimate"]["mse"] < 0.8 * last["baselines"]["mean"]
    assert last["estimate"]["mse"] < 1.05 * last["baselines"]["least_squares"]
    assert last["warnings"] == []
    assert last["endpoint_name"] == f"example-{name}"
    assert len(last["predictions"]) == 3
