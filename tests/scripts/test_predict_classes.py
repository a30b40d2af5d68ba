"""``make predict`` for labels with classes: the class as the files have it, and its probabilities."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
import yaml

from local.algorithms.linear_learner import artifact, links
from local.app.server import LocalService
from local.core.settings import Settings
from tests.scripts.test_predict import BUCKET, IMAGE, Account

XGBOOST_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
TWO, THREE = ["no, never", "yes"], ["low", "middle", "high"]
ROWS = "size,risk\n-1,yes\n-0.5,\n2,unknown\n"
SIZES = (-1.0, -0.5, 2.0)
BOTH_WAYS = ["", pytest.param("1", marks=pytest.mark.slow)]
THRESHOLD = 0.3
"""Below one half, so that a class by probability alone would differ: -0.5 has the probability 0.38."""


def record(classes: list[str]) -> dict[str, Any]:
    return {
        "problem": "binary" if len(classes) == 2 else "multiclass",
        "classes": classes,
        "columns": {"label": "risk", "features": ["size"]},
        "feature_dim": 1,
        "encoding": {},
        "groups": None,
        "preparation": {"numeric": ["size"]},
    }


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    with LocalService(Settings(folder / ".local", port=0)) as service:
        account = Account(service.settings, folder)
        for bucket in (BUCKET, "risk-123456789012-us-east-1"):
            account.client("s3").create_bucket(Bucket=bucket)
        file = folder / "model_algo-1"
        artifact.write(file, np.ones(1, np.float32), np.float32(0), links.LOGISTIC, THRESHOLD)
        account.serve_file("two", file, record(TWO), IMAGE)
        weights = np.array([[-1], [0], [1]], np.float32)
        artifact.write(file, weights, np.zeros(3, np.float32), links.SOFTMAX)
        account.serve_file("three", file, record(THREE), IMAGE)
        yield account


def write_config(folder: Path, classes: list[str]) -> str:
    dataset = {"input": "rows.csv", "label": "risk", "classes": classes, "numeric": ["size"]}
    training = {"problem": record(classes)["problem"]}
    document = {"pipeline": {"name": "risk"}, "training": training, "dataset": dataset}
    path = folder / f"{len(classes)}-classes.yaml"
    path.write_text(yaml.safe_dump(document))
    return str(path)


@pytest.fixture
def config(tmp_path) -> str:
    (tmp_path / "rows.csv").write_text(ROWS)
    return write_config(tmp_path, TWO)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def sigmoid(size: float) -> float:
    return 1 / (1 + math.exp(-size))


def softmax(size: float) -> list[float]:
    powers = [math.exp(-size), 1, math.exp(size)]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("batch", BOTH_WAYS)
def test_two_classes_have_the_probability_of_the_second(account, config, tmp_path, batch) -> None:
    output = tmp_path / "scored.csv"
    finished = account.predict(
        CONFIG=config, INPUT=str(tmp_path / "rows.csv"), OUTPUT=str(output), ENDPOINT="two", BATCH=batch
    )
    assert finished.returncode == 0, finished.stderr
    assert output.read_text().splitlines()[0] == "size,risk,prediction,probability_yes"
    found = rows_of(output.read_text())
    assert [row["risk"] for row in found] == ["yes", "", "unknown"]
    # linear-learner's own class, by its threshold.
    assert [row["prediction"] for row in found] == ["no, never", "yes", "yes"]
    assert [float(row["probability_yes"]) for row in found] == pytest.approx([*map(sigmoid, SIZES)], abs=1e-6)
    assert "names no class" not in finished.stderr


@pytest.mark.parametrize("batch", BOTH_WAYS)
def test_each_of_more_classes_has_a_probability(account, config, tmp_path, batch) -> None:
    output = tmp_path / "scored.csv"
    other_order = write_config(tmp_path, THREE[::-1])
    finished = account.predict(
        CONFIG=other_order, INPUT=str(tmp_path / "rows.csv"), OUTPUT=str(output), ENDPOINT="three", BATCH=batch
    )
    assert finished.returncode == 0, finished.stderr
    assert "the model package's are used" in finished.stderr.lower(), "the configuration's classes have another order"
    found = rows_of(output.read_text())
    assert [row["prediction"] for row in found] == ["low", "low", "high"]
    for row, size in zip(found, SIZES, strict=True):
        assert [float(row[f"probability_{name}"]) for name in THREE] == pytest.approx(softmax(size), abs=1e-6)


@pytest.mark.parametrize("batch", ["", "1"])
def test_a_model_of_another_problem_scores_nothing(account, config, tmp_path, batch) -> None:
    finished = account.predict(CONFIG=config, INPUT=str(tmp_path / "rows.csv"), ENDPOINT="three", BATCH=batch)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert "and the model predicts risk (3 classes: low, middle, high). " in finished.stderr
    assert "It is the model of the endpoint three: arn:" in finished.stderr


def test_the_standard_output_has_the_class_and_its_probability(account, config, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("size\n-1\nlarge\n2\n")
    finished = account.predict(CONFIG=config, INPUT=str(path), ENDPOINT="two")
    assert finished.returncode == 1, "a row is bad"
    first, bad, last = csv.reader(io.StringIO(finished.stdout.replace("\n\n", '\n""\n')))
    assert first[0] == "no, never"
    assert float(first[1]) == pytest.approx(sigmoid(-1.0), abs=1e-6)
    assert bad == [""]
    assert last[0] == "yes"
    assert float(last[1]) == pytest.approx(sigmoid(2.0), abs=1e-6)


def test_a_bad_row_has_no_class(account, config, tmp_path) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    path.write_text("size\n-1\nlarge\n2\n")
    assert account.predict(CONFIG=config, INPUT=str(path), OUTPUT=str(output), ENDPOINT="two").returncode == 1
    found = rows_of(output.read_text())
    assert (found[1]["prediction"], found[1]["probability_yes"]) == ("", "")
    assert "a finite number is expected" in found[1]["error"]
    assert (found[2]["prediction"], found[2]["error"]) == ("yes", "")


def test_a_column_that_output_adds_has_another_name_if_the_input_has_it(account, config, tmp_path) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    path.write_text("size,probability_yes,probability_yes_2,error,prediction\n2,0.5,x,y,z\nlarge,1,2,3,4\n")
    finished = account.predict(CONFIG=config, INPUT=str(path), OUTPUT=str(output), ENDPOINT="two")
    good, bad = rows_of(output.read_text())
    assert (good["prediction_2"], good["error_2"]) == ("yes", "")
    assert float(good["probability_yes_3"]) == pytest.approx(sigmoid(2.0), abs=1e-6)
    assert (bad["prediction_2"], bad["probability_yes_3"]) == ("", "")
    assert "a finite number is expected" in bad["error_2"]
    # The input's own columns are as they were.
    assert [*good.values()][:5] == ["2", "0.5", "x", "y", "z"]
    assert [*bad.values()][:5] == ["large", "1", "2", "3", "4"]
    told = [line for line in finished.stderr.splitlines() if line.startswith("INPUT has a column ")]
    assert told == [
        "INPUT has a column 'prediction', so the one of OUTPUT is 'prediction_2'.",
        "INPUT has a column 'probability_yes', so the one of OUTPUT is 'probability_yes_3'.",
        "INPUT has a column 'error', so the one of OUTPUT is 'error_2'.",
    ]


def test_scores_of_the_hinge_loss_are_not_called_probabilities(account, config, tmp_path) -> None:
    document = yaml.safe_load(Path(config).read_text())
    document["quality"] = {"limit": 1.0}
    document["tuning"] = {"static_hyperparameters": {"loss": "hinge_loss"}}
    Path(config).write_text(yaml.safe_dump(document))
    output = tmp_path / "scored.csv"
    finished = account.predict(CONFIG=config, INPUT=str(tmp_path / "rows.csv"), OUTPUT=str(output), ENDPOINT="two")
    assert finished.returncode == 0, finished.stderr
    assert output.read_text().splitlines()[0] == "size,risk,prediction,score_yes"


@pytest.mark.slow
@pytest.mark.parametrize("classes", [TWO, THREE])
def test_xgboost_names_no_class_so_the_most_probable_one_is_given(account, tmp_path, classes) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    config = write_config(tmp_path, classes)
    many = len(classes) > 2
    sizes = np.linspace(-3, 3, 60).reshape(-1, 1)
    labels = np.digitize(sizes[:, 0], [-1, 1] if many else [0])
    parameters = {"objective": "multi:softprob", "num_class": 3} if many else {"objective": "binary:logistic"}
    booster = xgboost.train(parameters, xgboost.DMatrix(sizes, labels), 5)
    booster.save_model(tmp_path / "model.ubj")
    file = (tmp_path / "model.ubj").rename(tmp_path / "xgboost-model")
    name = f"trees-{len(classes)}"
    account.serve_file(name, file, record(classes), XGBOOST_IMAGE)
    expected = booster.predict(xgboost.DMatrix(np.array(SIZES).reshape(-1, 1)))
    for batch in ("", "1"):
        output = tmp_path / f"scored{batch}.csv"
        finished = account.predict(
            CONFIG=config, INPUT=str(tmp_path / "rows.csv"), OUTPUT=str(output), ENDPOINT=name, BATCH=batch
        )
        assert finished.returncode == 0, finished.stderr
        assert "The model names no class. It is the most probable one" in " ".join(finished.stderr.split())
        found = rows_of(output.read_text())
        scored = classes if many else classes[1:]
        scores = [[float(row[f"probability_{name}"]) for name in scored] for row in found]
        assert np.allclose(np.squeeze(scores), expected, atol=1e-6)
        assert [row["prediction"] for row in found] == ([*THREE[:2], "high"] if many else [TWO[0], TWO[0], "yes"])
