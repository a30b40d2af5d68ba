"""``make init`` for labels with classes, then ``make run`` of the draft, with two folds and a grid of one point."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.test_run import run


def flowers(folder: Path, rows: int, labels: list[str]) -> Path:
    """Write a file whose classes overlap a little, with a class that has a comma in its name."""
    noise = random.Random(1)
    lines = ["length,width,soil,kind"]
    for number in range(rows):
        place = number % len(labels)
        length, width = place + noise.gauss(0, 0.4), noise.gauss(0, 1)
        lines.append(f'{length:.3f},{width:.3f},{"wet" if noise.random() < 0.5 else "dry"},"{labels[place]}"')
    path = folder / "flowers.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "algorithm", "tuning"),
    [
        (["common", "rare, red"], "linear-learner", {"learning_rate": [0.1], "l1": [0.001]}),
        pytest.param(["1", "2", "3"], "xgboost", {"grid": {"num_round": [20]}}, marks=pytest.mark.long),
    ],
)
def test_a_draft_for_classes_runs(tmp_path, labels, algorithm, tuning) -> None:
    path = flowers(tmp_path, 90, labels)
    drafted = run(tmp_path, "init", DATA=str(path), LABEL="kind", ALGORITHM=algorithm, CONFIG="config.yaml")
    assert drafted.returncode == 0, drafted.stderr
    document = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert document["dataset"]["classes"] == labels
    document["folds"]["count"] = 2
    document["tuning"] |= tuning
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))

    result = run(tmp_path, DATA="")
    assert result.returncode == 0, result.stdout + result.stderr
    last = json.loads((tmp_path / ".local/last-run.json").read_text())
    assert set(last["predictions"]) <= set(labels)
    scored = labels[1:] if len(labels) == 2 else labels
    for scores in last["prediction_scores"]:
        assert list(scores) == [f"probability_{name}" for name in scored]
        assert all(0 <= score <= 1 for score in scores.values())
        assert len(labels) == 2 or math.fsum(scores.values()) == pytest.approx(1, abs=1e-5)
    assert last["metric"] in ("validation:objective_loss", "validation:mlogloss")
    assert last["estimate"]["value"] < last["baselines"]["constant"]
    table = result.stdout.partition("Predictions of the endpoint")[2]
    assert "actual kind" in table
    assert "prediction" in table
