"""Training as the service starts it: a process, folders, logs, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from definition_language.linear_learner_metrics import METRIC_DEFINITIONS, OBJECTIVES_BY_TYPE
from local.algorithms.linear_learner.inference import Model
from tests.local.algorithms.linear_learner.conftest import csv, write_root
from tests.local.algorithms.recordio_writer import dense_stream

PROJECT = Path(__file__).parents[4]
TUNED = {"mini_batch_size": "20", "_tuning_objective_metric": "validation:mse"}


def run(*roots: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.algorithms.linear_learner", *map(str, roots)]
    return subprocess.run(
        command, cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def log(root: Path) -> str:
    return (root / "output/log.txt").read_text()


def metrics(root: Path) -> dict[str, list[float]]:
    """What the service finds in the log: every metric's values, in order."""
    text = log(root)
    found = {name: re.findall(expression, text) for name, expression in METRIC_DEFINITIONS}
    return {name: [float(value) for value in values] for name, values in found.items() if values}


def load(root: Path, tmp_path: Path) -> Model:
    path = tmp_path / f"{root.name}.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(root / "model/model_algo-1", "model_algo-1")
    return Model.load(path)


def predictions(model: Model, rows: np.ndarray) -> np.ndarray:
    answer = json.loads(model.invoke(csv(rows[:, 1:]), "text/csv", "")[0])
    return np.array([row["score"] for row in answer["predictions"]])


@pytest.fixture
def data(rows):
    return {"train": {"files": {"a.csv": csv(rows[:80])}}, "validation": {"files": {"b.csv": csv(rows[80:])}}}


def test_a_job_leaves_a_model_whose_predictions_have_the_error_that_its_log_says(
    make_root, data, rows, tmp_path
) -> None:
    root = make_root(TUNED, **data)
    finished = run(root)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert [path.name for path in (root / "model").iterdir()] == ["model_algo-1"]
    assert not (root / "output/failure").exists()
    residual = predictions(load(root, tmp_path), rows[80:]) - rows[80:, 0]
    logged = metrics(root)
    assert logged["validation:mse"] == [pytest.approx(np.mean(residual**2), rel=1e-5)]
    assert logged["validation:rmse"] == [pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-5)]
    assert logged["validation:absolute_loss"] == [pytest.approx(np.mean(np.abs(residual)), rel=1e-5)]
    exact = LinearRegression().fit(rows[:80, 1:], rows[:80, 0])
    assert np.corrcoef(predictions(load(root, tmp_path), rows), exact.predict(rows[:, 1:]))[0, 1] > 0.98


def test_every_metric_is_found_in_the_log_in_its_documented_unit(make_root, data, rows) -> None:
    root = make_root(TUNED | {"epochs": "4"}, **data, test={"files": {"c.csv": csv(rows[100:])}})
    assert run(root).returncode == 0
    logged = metrics(root)
    others = set().union(*(OBJECTIVES_BY_TYPE[name] for name in ("binary_classifier", "multiclass_classifier")))
    names = {name.split(":", 1)[1] for name in others - set(OBJECTIVES_BY_TYPE["regressor"])}
    assert set(logged) == {name for name, _ in METRIC_DEFINITIONS if name.split(":", 1)[1] not in names}
    assert set(OBJECTIVES_BY_TYPE["regressor"]) <= set(logged)
    for name in ("train:objective_loss", "validation:objective_loss", "train:progress", "train:throughput"):
        assert len(logged[name]) == 4
    assert logged["train:progress"] == [25, 50, 75, 100]
    assert logged["train:objective_loss"][0] < 3, "normalised label units"
    raw_variance = rows[:80, 0].var()
    assert 0.01 * raw_variance < logged["validation:objective_loss"][-1], "raw label units"
    assert min(logged["validation:objective_loss"]) == pytest.approx(logged["validation:mse"][0], rel=1e-5)
    assert logged["validation:objective_loss:final"] == logged["validation:mse"]


def test_log_lines_have_sagemakers_form(make_root, data) -> None:
    root = make_root(TUNED | {"epochs": "1"}, **data)
    run(root)
    lines = log(root).splitlines()
    assert all(re.match(r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] ", line) for line in lines)
    bodies = [line.split("] ", 1)[1] for line in lines]
    for expected in (
        r"#quality_metric: host=algo-1, epoch=0, train mse_objective <loss>=\d\S*",
        r"#quality_metric: host=algo-1, epoch=0, validation mse_objective <loss>=\d\S*",
        r"#early_stopping_criteria_metric: host=algo-1, epoch=0, criteria=mse_objective, value=\d\S*",
        r"Epoch 0: Loss improved. Updating best model",
        r"#progress_metric: host=algo-1, completed 100 % of epochs",
        r"#throughput_metric: host=algo-1, train throughput=\d\S* records/second",
        r"#validation_score \(algo-1\) : \('mse', \d\S*\)",
        r"#quality_metric: host=algo-1, validation mse <loss>=\d\S*",
        r"Best model found for hyperparameters: {.*}",
        r'Saved checkpoint to ".*mx-mod-0000.params"',
        r"Test data is not provided.",
    ):
        assert any(re.fullmatch(expected, body) for body in bodies), expected
    documents = [json.loads(body.removeprefix("#metrics ")) for body in bodies if body.startswith("#metrics ")]
    assert documents[0]["Dimensions"]["epoch"] == 0
    assert documents[0]["Metrics"]["validation_mse_objective"]["count"] == 1


def test_the_jobs_of_a_tuning_job_train_as_they_do_alone(make_root, data, tmp_path, rows) -> None:
    def make(rate, **more):
        return make_root(TUNED | {"learning_rate": rate} | more, **data)

    settings = [{"rate": "0.01"}, {"rate": "0.1", "l1": "0.01"}, {"rate": "0.1", "mini_batch_size": "10"}]
    together, alone = [make(**setting) for setting in settings], [make(**setting) for setting in settings]
    for other in together[1:]:
        for name in ("train/a.csv", "validation/b.csv"):
            (other / "input/data" / name).unlink()
            os.link(together[0] / "input/data" / name, other / "input/data" / name)
    assert run(*together).returncode == 0
    for root, single in zip(together, alone, strict=True):
        assert run(single).returncode == 0
        np.testing.assert_allclose(
            predictions(load(root, tmp_path), rows), predictions(load(single, tmp_path), rows), rtol=1e-6
        )
        assert metrics(root)["validation:mse"] == pytest.approx(metrics(single)["validation:mse"], rel=1e-6)


@pytest.mark.parametrize("loss", ["squared_loss", "huber_loss"])
def test_jobs_with_different_data_may_be_trained_by_one_process(make_root, rows, loss) -> None:
    """In lockstep through Gram matrices, one after the other through rows; also on a few validation rows."""

    def make(start):
        validation = {"files": {"0.csv": csv(rows[start : start + 4])}}
        train = {"files": {"0.csv": csv(np.delete(rows, slice(start, start + 4), axis=0))}}
        return make_root(TUNED | {"loss": loss}, train=train, validation=validation)

    together, alone = [make(start) for start in (0, 30, 60)], [make(start) for start in (0, 30, 60)]
    assert run(*together).returncode == 0
    for root, single in zip(together, alone, strict=True):
        assert run(single).returncode == 0
        assert metrics(root)["validation:mse"] == pytest.approx(metrics(single)["validation:mse"], rel=1e-5)
    assert len({metrics(root)["validation:mse"][0] for root in together}) == 3


def test_a_job_that_fails_does_not_stop_the_others(make_root, data, tmp_path) -> None:
    good = make_root(TUNED, **data)
    wrong = make_root(TUNED | {"learning_rate": "fast"}, **data)
    broken = make_root(TUNED, train={"files": {"a.csv": b"1,2,3\n1,x,3\n"}})
    wide = make_root(TUNED | {"feature_dim": "9"}, **data)
    few = make_root(TUNED | {"mini_batch_size": "1000"}, **data)
    wild = make_root(TUNED | {"optimizer": "sgd", "learning_rate": "1e200"}, **data)
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    assert run(good, wrong, broken, wide, few, wild, nothing).returncode == 1
    assert (good / "model/model_algo-1").exists()
    reasons = {root: (root / "output/failure").read_text() for root in (wrong, broken, wide, few, wild, nothing)}
    assert reasons[wrong].startswith("ClientError: learning_rate: 'fast' is not 'auto' or a number greater than 0")
    assert reasons[broken].startswith(
        "ClientError: Unable to parse csv: rows 2-2, file /opt/ml/input/data/train/a.csv: field 2 'x'"
    )
    assert reasons[wide] == "ClientError: feature_dim: 9 does not match the 4 features of the train channel"
    assert reasons[few].startswith("ClientError: The train channel has 80 rows, fewer than one mini-batch of 1000")
    assert reasons[wild].startswith("AlgorithmError: Training diverged")
    assert reasons[nothing].startswith("ClientError: No value(s) were specified for 'predictor_type'")
    for root, reason in reasons.items():
        assert not (root / "model/model_algo-1").exists()
        assert reason in log(root)
        assert "Traceback" not in log(root)


def test_channels_that_linear_learner_does_not_have_are_refused(make_root, data) -> None:
    extra = make_root(TUNED, **data, holdout={"files": {"0.csv": b"1,2\n"}})
    missing = make_root(TUNED, validation=data["validation"])
    assert run(extra, missing).returncode == 1
    assert "channel holdout is unknown: linear-learner has the channels" in (extra / "output/failure").read_text()
    assert "The train channel is missing" in (missing / "output/failure").read_text()


def test_recordio_and_csv_of_the_same_numbers_make_the_same_model(make_root, rows) -> None:
    single = rows.astype(np.float32).astype(float)
    recordio = {"ContentType": "application/x-recordio-protobuf"}
    roots = [
        make_root(TUNED, train={"files": {"0": csv(single)}}),
        make_root(TUNED, train={"files": {"0": dense_stream(single)}} | recordio),
    ]
    assert run(*roots).returncode == 0
    assert len({(root / "model/model_algo-1").read_bytes() for root in roots}) == 1


def test_several_models_are_searched_outside_a_tuning_job(make_root, data) -> None:
    root = make_root({"mini_batch_size": "20", "optimizer": "sgd"}, **data)
    single = make_root({"mini_batch_size": "20", "optimizer": "sgd", "num_models": "1"}, **data)
    assert run(root, single).returncode == 0
    assert metrics(root)["validation:mse"] <= metrics(single)["validation:mse"]


def test_the_choices_of_this_machine_are_taken_from_the_environment(make_root, data) -> None:
    roots = [make_root(TUNED | {"mini_batch_size": "1000"}, **data) for _ in range(2)]
    assert run(roots[0], LINEAR_LEARNER_TAIL_BATCH="keep").returncode == 0
    assert run(roots[1], LINEAR_LEARNER_TAIL_BATCH="pad").returncode == 1
    assert "LINEAR_LEARNER_TAIL_BATCH: 'pad' is not one of drop, keep" in (roots[1] / "output/failure").read_text()


def test_rows_that_are_left_out_are_said(make_root, data) -> None:
    root = make_root(TUNED | {"mini_batch_size": "30"}, **data)
    run(root)
    assert "The last 20 of 80 train rows do not fill a mini-batch and are left out" in log(root)


def test_sigterm_stops_at_the_next_epoch_with_the_best_model_so_far(make_root, rows) -> None:
    endless = TUNED | {"epochs": "100000000", "early_stopping_patience": "100000001", "loss": "huber_loss"}
    root = make_root(endless, train={"files": {"0.csv": csv(rows)}})
    process = subprocess.Popen([sys.executable, "-m", "local.algorithms.linear_learner", str(root)], cwd=PROJECT)
    try:
        deadline = time.monotonic() + 30
        while "Epoch 2:" not in (log(root) if (root / "output/log.txt").exists() else ""):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
    finally:
        process.kill()
        process.wait()
    assert (root / "model/model_algo-1").exists()
    assert not (root / "output/failure").exists()
    assert "train:mse" in metrics(root)


def test_a_folder_that_does_not_exist_is_a_usage_error(tmp_path) -> None:
    finished = run(tmp_path / "absent")
    assert finished.returncode == 2
    assert "absent is not a folder" in finished.stderr
    assert not (tmp_path / "absent").exists()


CLASSIFIERS = {
    "binary_classifier": {"f_beta": "0.5", "normalize_label": "true"},
    "multiclass_classifier": {"num_classes": "3", "accuracy_top_k": "2"},
}
COMMON = {"mini_batch_size": "16", "epochs": "4", "num_models": "1"}


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory) -> dict[str, tuple[Path, np.ndarray]]:
    """A job of each kind, trained by one process, and its rows. The label is the side of a plane, or the slice."""
    random = np.random.default_rng(5)
    features = random.normal(size=(120, 4)) * [1, 10, 0.1, 3] + [0, 50, 2, -4]
    order = (features @ [3.0, -0.2, 5.0, 0.0] + random.normal(size=120)).argsort().argsort()
    made = {}
    for predictor_type, labels in {"binary_classifier": order >= 70, "multiclass_classifier": order // 40}.items():
        rows = np.column_stack([labels, features]).astype(float)
        channels = {"train": rows[:80], "validation": rows[80:110], "test": rows[100:]}
        files = {name: {"files": {"a.csv": csv(part)}} for name, part in channels.items()}
        given = {"predictor_type": predictor_type} | COMMON | CLASSIFIERS[predictor_type]
        made[predictor_type] = write_root(tmp_path_factory.mktemp(predictor_type), given, files), rows
    finished = run(*(root for root, _ in made.values()))
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    return made


@pytest.mark.parametrize("predictor_type", CLASSIFIERS)
def test_a_classifier_predicts_with_the_accuracy_that_its_log_says(classifiers, predictor_type, tmp_path) -> None:
    root, rows = classifiers[predictor_type]
    logged = metrics(root)
    assert set(OBJECTIVES_BY_TYPE[predictor_type]) <= set(logged)
    assert not set(logged) & (set(OBJECTIVES_BY_TYPE["regressor"]) - set(OBJECTIVES_BY_TYPE[predictor_type]))
    held_out = rows[80:110]
    answers = json.loads(load(root, tmp_path).invoke(csv(held_out[:, 1:]), "text/csv", "")[0])["predictions"]
    right = [answer["predicted_label"] == label for answer, label in zip(answers, held_out[:, 0], strict=True)]
    accuracy = "binary_classification_accuracy" if predictor_type == "binary_classifier" else "multiclass_accuracy"
    assert logged[f"validation:{accuracy}"] == [np.mean(right)]
    assert np.mean(right) > 0.7
    assert len(logged["validation:objective_loss"]) == 4
    assert len(logged["validation:objective_loss:final"]) == len(logged["test:objective_loss"]) == 1


@pytest.mark.parametrize(
    ("predictor_type", "lines"),
    [
        (
            "binary_classifier",
            [
                r"normalize_label is ignored: predictor_type is 'binary_classifier'",
                r"#quality_metric: host=algo-1, epoch=0, train binary_classification_cross_entropy_objective "
                r"<loss>=0\.\d+",
                r"#early_stopping_criteria_metric: host=algo-1, epoch=0, criteria=sampled_accuracy, value=0\.\S+",
                r"#validation_score \(algo-1\) : \('binary_f_0.500', [01]\.\d+\)",
                r"#quality_metric: host=algo-1, validation binary_classification_accuracy <score>=[01]\.\d+",
                r"#quality_metric: host=algo-1, validation binary_f_0.500 <score>=[01]\.\d+",
                r"#quality_metric: host=algo-1, test roc_auc_score <score>=[01]\.\d+",
                r"The threshold of the predicted label 1 is 0\.\d+",
            ],
        ),
        (
            "multiclass_classifier",
            [
                r"#early_stopping_criteria_metric: host=algo-1, epoch=0, "
                r"criteria=multiclass_cross_entropy_objective, value=\S+",
                r"#quality_metric: host=algo-1, validation multiclass_accuracy <score>=0\.\d+",
                r"#quality_metric: host=algo-1, validation multiclass_top_k_accuracy_2 <score>=[01]\.\d+",
                r"#quality_metric: host=algo-1, validation macro_f_1.000 <score>=0\.\d+",
            ],
        ),
    ],
)
def test_a_classifiers_log_lines_have_sagemakers_form(classifiers, predictor_type, lines) -> None:
    bodies = [line.split("] ", 1)[1] for line in log(classifiers[predictor_type][0]).splitlines()]
    for line in lines:
        assert any(re.fullmatch(line, body) for body in bodies), line


def test_a_label_that_is_no_class_is_refused_with_its_row_and_fails_no_other_job(make_root, tmp_path) -> None:
    binary = {"predictor_type": "binary_classifier"}
    multiclass = {"predictor_type": "multiclass_classifier", "num_classes": "3"}
    reasons = {}
    for given, channel, label, valid in (
        (binary, "train", "2", "0 and 1"),
        (binary, "train", "-1", "0 and 1"),
        (binary, "validation", "0.5", "0 and 1"),
        (multiclass, "test", "3", "0 to 2 with num_classes 3"),
    ):
        contents = dict.fromkeys(("train", "validation", "test"), b"0,1\n1,2\n0,3\n")
        contents[channel] = b"0,1\n" + label.encode() + b",2\n0,3\n"
        files = {name: {"files": {"a.csv": content}} for name, content in contents.items()}
        root = make_root({"mini_batch_size": "3"} | given, **files)
        reasons[root] = (
            f"ClientError: The {channel} channel has the label {label} in row 2; "
            f"the labels of a {given['predictor_type']} are {valid}"
        )
    regressor = make_root({"mini_batch_size": "3"}, **files)
    # The same file, so that the jobs could train together.
    (tmp_path / "one-label.csv").write_bytes(b"0,1\n0,2\n0,3\n0,5\n")
    one_label = {"train": {"files": {"a.csv": tmp_path / "one-label.csv"}}}
    weighted = [
        make_root(binary | {"mini_batch_size": "2", "positive_example_weight_mult": weight}, **one_label)
        for weight in ("1", "balanced", "auto", "2")
    ]
    assert run(*reasons, regressor, *weighted).returncode == 1
    assert {root: (root / "output/failure").read_text() for root in reasons} == reasons
    assert (regressor / "model/model_algo-1").exists(), "a regressor takes the same file"
    assert [(root / "model/model_algo-1").exists() for root in weighted] == [True, False, False, True]
    assert "'balanced' needs rows of both labels" in (weighted[1] / "output/failure").read_text()
