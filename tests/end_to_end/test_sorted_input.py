"""A sorted dataset trains as well as a shuffled one: linear-learner trains in the order of the files."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from definition_language.linear_learner_metrics import METRIC_DEFINITIONS
from tests.commands import ROOT
from tests.local.algorithms.linear_learner.conftest import write_root
from tests.steps.folds.conftest import Folds, folding, in_this_process

MSE = re.compile(dict(METRIC_DEFINITIONS)["validation:mse"])
GRID = list(itertools.product(["0.0001", "0.001", "0.01", "0.1"], ["0.001", "0.01", "0.1"]))
"""Learning rates and L1 of the project's own configuration."""


@pytest.mark.slow
def test_every_grid_point_is_as_good_on_a_sorted_input_as_on_a_shuffled_one(tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    features = random.normal(size=(100_000, 2)) * [10, 1] + [40, 5]
    label = features @ [250.0, 1000.0] + random.normal(size=100_000) * 2000
    rows = np.column_stack([label, features])
    errors = {}
    for order, given in {"shuffled": rows, "sorted": rows[np.argsort(rows[:, 1])]}.items():
        text = "".join(f"{a:.6g},{b:.6g},{c:.6g}\n" for a, b, c in given.tolist())
        (tmp_path / order).mkdir()
        folds = folding(tmp_path / order / "folds", in_this_process)(text, count=5, shuffle=True)
        # Each row is held out once, so both orders are judged by the same rows.
        by_fold = [train(tmp_path / order, folds, number) for number in range(1, 6)]
        errors[order] = np.mean(by_fold, axis=0).tolist()
    assert len(errors["sorted"]) == 12
    for point, shuffled, by_feature in zip(GRID, errors["shuffled"], errors["sorted"], strict=True):
        assert by_feature == pytest.approx(shuffled, rel=0.02), point


def train(folder: Path, folds: Folds, fold: int) -> list[float]:
    """Train the grid on a fold in one program; return each point's validation:mse."""
    channels = {
        name: {"files": {file.name: file for file in sorted((folds.folder / f"vc{fold}" / part).iterdir())}}
        for name, part in (("train", "train"), ("validation", "test"))
    }
    roots = []
    for number, (rate, l1) in enumerate(GRID):
        parameters = {"learning_rate": rate, "l1": l1, "mini_batch_size": "100", "epochs": "15", "num_models": "1"}
        copies = {name: {"files": dict(channel["files"])} for name, channel in channels.items()}
        roots.append(write_root(folder / f"fold-{fold}-point-{number}", parameters, copies))
    command = [sys.executable, "-m", "local.algorithms.linear_learner", *map(str, roots)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    found = (MSE.search((root / "output/log.txt").read_text()) for root in roots)
    return [float(match[1]) for match in found if match]
