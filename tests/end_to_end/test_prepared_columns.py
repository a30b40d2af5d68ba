"""A file with missing values, dates, decimal commas, open categories and a skewed label, from file to prediction."""

from __future__ import annotations

import json
import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from local.app.server import LocalService
from local.core.settings import Settings
from tests.end_to_end.test_run import run

pytestmark = pytest.mark.slow

HEADER = "id;price;area;rooms;sold;city;heating"
DATASET = {
    "input": "houses.csv",
    "delimiter": ";",
    "decimal": ",",
    "label": "price",
    "label_transform": "log1p",
    "numeric": ["area", "rooms"],
    "dates": {"sold": {"parts": ["year", "month"], "format": "%d.%m.%Y"}},
    "categorical": {"heating": "auto", "city": {"values": "auto", "other": True, "min_frequency": 30}},
    "missing": {"area": "median", "heating": "most_frequent", "rooms": "drop"},
    "missing_indicators": ["area"],
    "ignored": ["id"],
}


def houses(count: int) -> list[str]:
    generator, lines = random.Random(5), [HEADER]
    for number in range(count):
        area, rooms = generator.uniform(30, 250), generator.randrange(1, 9)
        sold = date(2015, 1, 1) + timedelta(days=generator.randrange(3000))
        city = generator.choice(["Rome"] * 20 + ["Oslo"] * 15 + ["Bern"] * 10 + [f"Village {number}"])
        log_price = 10 + area / 150 + 0.1 * rooms + {"Rome": 0.3, "Oslo": 0.8}.get(city, 0) + generator.gauss(0, 0.2)
        fields = [f"{math.exp(log_price):.2f}", f"{area:.1f}" if generator.random() > 0.05 else "NA"]
        fields += [str(rooms) if generator.random() > 0.02 else "", f"{sold:%d.%m.%Y}"]
        text = ";".join(field.replace(".", ",") for field in fields[:3])
        lines.append(f"{number};{text};{fields[3]};{city};{generator.choice(['gas', 'oil', ''])}")
    return lines


def write(folder: Path, lines: list[str], **sections: Any) -> None:
    (folder / "houses.csv").write_text("\n".join(lines) + "\n")
    tuning = {"learning_rate": [0.01, 0.1], "l1": [0.001]}
    document = {"pipeline": {"name": "houses"}, "dataset": DATASET, "tuning": tuning, **sections}
    (folder / "config.yaml").write_text(yaml.safe_dump(document))


@pytest.mark.parametrize("rule", ["lowest_mse", pytest.param("one_standard_error", marks=pytest.mark.long)])
def test_from_the_file_to_predictions_in_the_labels_unit(tmp_path, rule) -> None:
    lines = houses(900)
    dropped = sum(line.split(";")[3] == "" for line in lines[1:])
    write(tmp_path, lines, folds={"count": 3}, selection={"rule": rule})
    result = run(tmp_path, DATA="")
    assert result.returncode == 0, result.stdout + result.stderr
    last = json.loads((tmp_path / ".local/last-run.json").read_text())
    assert (last["rows"], last["rejected_rows"]) == (900 - dropped, 0)
    # Errors are in the label's unit, as the predictions of each row by its own fold's model show.
    (scores,) = (tmp_path / ".local/s3").rglob("out_of_fold.csv")
    table = np.loadtxt(scores, delimiter=",", skiprows=1)
    mse = np.mean((table[:, 2] - table[:, 3]) ** 2)
    assert last["estimate"]["mse"] == pytest.approx(mse, rel=1e-6)
    assert last["estimate"]["mse"] < 0.8 * last["baselines"]["least_squares"] < last["baselines"]["mean"]
    assert sorted(table[:, 2]) == pytest.approx(
        sorted(float(line.split(";")[1].replace(",", ".")) for line in lines[1:] if line.split(";")[3])
    )
    assert last["best_mse_scale"] == ("label" if rule == "lowest_mse" else "log1p")
    assert "of log1p(label) on the held-out folds" in result.stdout

    # The package's record counts, whatever the configuration says today.
    (tmp_path / "new.csv").write_text(
        "\n".join(
            ["city;area;sold;rooms;heating", "Rome;100,0;01.02.2020;3;gas", "New;;01.02.2020;3;", "Rome;1;x;;gas"]
        )
    )
    document = yaml.safe_load((tmp_path / "config.yaml").read_text())
    document["dataset"] |= {"numeric": ["rooms"], "missing": {}, "missing_indicators": [], "label_transform": None}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**document, "quality": {}}))
    with LocalService(Settings(tmp_path / ".local", port=0)) as service:
        predicted = run(tmp_path, "predict", INPUT="new.csv", **service.settings.client_environment())
    good, unknown, bad = predicted.stdout.split("\n")[:3]
    assert float(good) == pytest.approx(math.exp(10 + 100 / 150 + 0.3 + 0.3), rel=0.3)
    assert float(unknown) == pytest.approx(math.exp(10 + 140 / 150 + 0.3), rel=0.4)
    assert bad == ""
    assert "new.csv:4: rooms is missing" in predicted.stderr
