"""Compares linear-learner with scikit-learn: training, memory, CSV reading and scoring in process.

The 60 trainings are the pipeline's: 5 folds by a grid of 12, at most 15 epochs. scikit-learn's GridSearchCV makes
the same 60 fits of an SGDRegressor with the same learning rates and penalties; it has neither Adam nor
mini-batches. All are given arrays that lie in memory and run on one thread; the turn with the least CPU time
counts, so that other programs on the machine favour nobody.

Run: ``python -m benchmarks.linear_learner``. The comparison at a million rows takes scikit-learn minutes;
``--quick`` leaves it out.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse  # noqa: E402
import csv  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tarfile  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from sklearn.linear_model import SGDRegressor  # noqa: E402
from sklearn.model_selection import GridSearchCV, PredefinedSplit  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from local.algorithms.linear_learner import artifact  # noqa: E402
from local.algorithms.linear_learner.channels import Channel  # noqa: E402
from local.algorithms.linear_learner.choices import Choices  # noqa: E402
from local.algorithms.linear_learner.fitting import Dataset, fit, fit_together  # noqa: E402
from local.algorithms.linear_learner.hyperparameters import Hyperparameters, parse  # noqa: E402
from local.algorithms.linear_learner.inference import Model  # noqa: E402
from local.algorithms.linear_learner.models import LinearModel, Outcome  # noqa: E402

Array = npt.NDArray[np.float64]

PROJECT = Path(__file__).parents[1]
FOLDS = 5
GRID = list(itertools.product((0.01, 0.03, 0.1), (1e-7, 1e-2), (1e-7, 1e-2)))
"""Combinations of learning rate, l1 and wd."""


def grid_jobs(mini_batch_size: int) -> list[Hyperparameters]:
    """Return the 12 training jobs of one fold."""
    return [parse(job_hyperparameters(point, mini_batch_size)) for point in GRID]


def job_hyperparameters(point: Sequence[float], mini_batch_size: int) -> dict[str, str]:
    """Return a training job's hyperparameters as a tuning job sends them."""
    values = dict(zip(("learning_rate", "l1", "wd"), map(str, point), strict=True))
    tuned = {"_tuning_objective_metric": "validation:mse", "mini_batch_size": str(mini_batch_size)}
    return {"predictor_type": "regressor"} | tuned | values


def insurance_rows() -> Array:
    """Return the insurance dataset as numbers, label first, shuffled."""
    with (PROJECT / "data/insurance.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    columns = [[float(record[name]) for record in records] for name in ("charges", "age", "bmi", "children")]
    for name in ("sex", "smoker", "region"):
        for value in sorted({record[name] for record in records}):
            columns.append([float(record[name] == value) for record in records])
    rows = np.array(columns).T
    return rows[np.random.default_rng(0).permutation(len(rows))]


def synthetic_rows(count: int) -> Array:
    """Return rows with eleven features, similar to those of the insurance dataset."""
    random = np.random.default_rng(0)
    rows = np.empty((count, 12))
    rows[:, 1] = random.integers(18, 65, count)
    rows[:, 2] = np.round(random.normal(30, 6, count), 2)
    rows[:, 3] = random.integers(0, 6, count)
    rows[:, 4:] = random.integers(0, 2, (count, 8))
    weights = np.array([250, 330, 470, 60, -60, 12_000, -12_000, 500, 150, -400, -500])
    rows[:, 0] = np.round(rows[:, 1:] @ weights + random.normal(0, 6000, count), 3)
    return rows


def split(rows: Array) -> list[Dataset]:
    """Return five folds of adjacent rows, each with the other rows for training."""
    folds = np.array_split(rows, FOLDS)
    return [Dataset(np.concatenate(folds[:k] + folds[k + 1 :]), folds[k]) for k in range(FOLDS)]


def mean_error(datasets: Sequence[Dataset], outcomes: Sequence[Outcome]) -> float:
    """Return the lowest mean over the folds of the validation mean squared error."""
    errors = np.empty((FOLDS, len(GRID)))
    for index, outcome in enumerate(outcomes):
        fold, point = divmod(index, len(GRID))
        validation = datasets[fold].validation
        assert isinstance(outcome, LinearModel)
        assert validation is not None
        predicted = validation[:, 1:] @ outcome.weights + outcome.bias
        errors[fold, point] = np.mean((predicted - validation[:, 0]) ** 2)
    return float(errors.mean(axis=0).min())


def grid_search(rows: Array) -> float:
    """Run scikit-learn's 60 fits and return the lowest mean squared error."""
    points = [
        {
            "sgdregressor__eta0": [rate],
            "sgdregressor__alpha": [(l1 + wd) / 2],
            "sgdregressor__l1_ratio": [l1 / (l1 + wd)],
        }
        for rate, l1, wd in GRID
    ]
    model = SGDRegressor(penalty="elasticnet", max_iter=15, n_iter_no_change=3, random_state=0)
    folds = np.concatenate([np.full(len(part), k) for k, part in enumerate(np.array_split(rows, FOLDS))])
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model),
        points,
        cv=PredefinedSplit(folds),
        scoring="neg_mean_squared_error",
        refit=False,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neither converges in fifteen epochs
        search.fit(rows[:, 1:], rows[:, 0])
    return float(-search.cv_results_["mean_test_score"].max())


def best_of(turns: int, *actions: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Return the shortest time of each action, in seconds. The actions run in turns."""
    times = np.empty((turns, len(actions)))
    for turn, (index, action) in itertools.product(range(turns), enumerate(actions)):
        start = clock()
        action()
        times[turn, index] = clock() - start
    return [float(value) for value in times.min(axis=0)]


def compare_training(console: Console, rows: Array, mini_batch_size: int, turns: int, name: str) -> None:
    """Print the time of the 60 training jobs, computed in three ways."""
    datasets, jobs, choices = split(rows), grid_jobs(mini_batch_size), Choices()

    def lockstep() -> list[Outcome]:
        return fit_together(datasets, [jobs] * FOLDS, choices)

    def one_by_one() -> list[Outcome]:
        return [outcome for data in datasets for outcome in fit(data, jobs, choices)]

    errors: list[float] = []
    ours = [mean_error(datasets, lockstep()), mean_error(datasets, one_by_one())]  # and warm
    seconds = best_of(turns, lockstep, one_by_one, clock=time.process_time)
    theirs = best_of(min(turns, 5), lambda: errors.append(grid_search(rows)), clock=time.process_time)[0]
    table = Table(title=f"60 trainings, {name}, mini_batch_size {mini_batch_size}")
    for column in ("", "CPU seconds", "times faster", "best mean MSE"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row(
        "five tuning jobs in one process", f"{seconds[0]:.4f}", f"{theirs / seconds[0]:.0f}x", f"{ours[0]:.4g}"
    )
    table.add_row("one tuning job after another", f"{seconds[1]:.4f}", f"{theirs / seconds[1]:.0f}x", f"{ours[1]:.4g}")
    table.add_row("GridSearchCV of SGDRegressor", f"{theirs:.4f}", "1x", f"{errors[0]:.4g}")
    console.print(table)


def measure_memory(folder: Path) -> None:
    """Print as JSON the megabytes that a fit needs in addition to its data; runs in its own process."""
    data = Dataset(np.load(folder / "train.npy"), np.load(folder / "validation.npy"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fit(data, grid_jobs(1000), Choices())
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = (data.train.nbytes + (data.validation.nbytes if data.validation is not None else 0)) / 1e6
    json.dump({"data": megabytes, "process": before / 1e3, "added": (after - before) / 1e3}, sys.stdout)


def compare_reading_and_memory(console: Console, rows: Array, folder: Path) -> None:
    """Print the time and memory of a tuning job with 12 training jobs: reading, training, the whole process."""
    fold = split(rows)[0]
    assert fold.validation is not None
    np.save(folder / "train.npy", fold.train)
    np.save(folder / "validation.npy", fold.validation)
    command = [sys.executable, "-m", "benchmarks.linear_learner", "--memory", str(folder)]
    memory = json.loads(subprocess.run(command, cwd=PROJECT, check=True, capture_output=True).stdout)
    roots = write_roots(folder, fold)
    channel = Channel.from_config(roots[0] / "input/data/train", "train", {"ContentType": "text/csv"})
    path = channel.files()[0]
    train = [sys.executable, "-m", "local.algorithms.linear_learner", *map(str, roots)]
    reading, numpy_reading, training, process = best_of(
        5,
        channel.read,
        lambda: np.loadtxt(path, delimiter=","),
        lambda: fit(fold, grid_jobs(1000), Choices()),
        lambda: subprocess.run(train, cwd=PROJECT, check=True),
    )
    table = Table(
        title=f"One tuning job of 12 models, {len(rows):,} rows x 11 ({path.stat().st_size / 1e6:.0f} MB of CSV)"
    )
    for column in ("", "", "beside"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row("reading the train channel", f"{reading:.2f} s", f"np.loadtxt {numpy_reading / reading:.1f}x")
    table.add_row("training 12 models", f"{training:.2f} s", f"reading {reading / training:.1f}x")
    table.add_row("the whole process", f"{process:.2f} s", f"training {training / process:.0%}")
    table.add_row("memory that training adds", f"{memory['added']:.0f} MB", f"data {memory['data']:.0f} MB")
    console.print(table)


def write_roots(folder: Path, fold: Dataset) -> list[Path]:
    """Return the folders of a fold's 12 training jobs."""
    assert fold.validation is not None
    for name, rows in (("train", fold.train), ("validation", fold.validation)):
        np.savetxt(folder / f"{name}.csv", rows, fmt=["%.3f", "%d", "%.2f", "%d", *["%d"] * 8], delimiter=",")
    channel = {"ContentType": "text/csv", "TrainingInputMode": "File"}
    roots = [folder / f"job-{index}" for index in range(len(GRID))]
    for root, point in zip(roots, GRID, strict=True):
        config = root / "input/config"
        config.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(job_hyperparameters(point, 1000)))
        (config / "inputdataconfig.json").write_text(json.dumps({"train": channel, "validation": channel}))
        for name in ("train", "validation"):
            (root / "input/data" / name).mkdir(parents=True)
            os.link(folder / f"{name}.csv", root / "input/data" / name / "part-0.csv")
    return roots


def measure_scoring(console: Console, rows: Array, folder: Path) -> None:
    """Print the time of requests that are answered in process, without HTTP."""
    (model,) = fit(Dataset(rows), grid_jobs(100)[:1], Choices())
    assert isinstance(model, LinearModel)
    artifact.write(folder / "model_algo-1", model.weights, model.bias)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(folder / "model_algo-1", "model_algo-1")
    served = Model.load(folder / "model.tar.gz")
    features = rows[:1000, 1:].tolist()
    bodies = {
        "text/csv": "\n".join(",".join(map(str, row)) for row in features).encode(),
        "application/json": json.dumps({"instances": [{"features": row} for row in features]}).encode(),
    }
    table = Table(title="Requests answered in process, microseconds")
    for column in ("content type", "1 row", "1000 rows"):
        table.add_column(column, justify="right")
    for content_type, body in bodies.items():
        one = (
            body.split(b"\n")[0]
            if content_type == "text/csv"
            else json.dumps({"instances": [{"features": features[0]}]}).encode()
        )
        times = [
            best_of(turns, lambda body=body, kind=content_type: served.invoke(body, kind, ""))[0]  # type: ignore[misc]
            for body, turns in ((one, 2000), (body, 200))
        ]
        table.add_row(content_type, *(f"{seconds * 1e6:.0f}" for seconds in times))
    console.print(table)


def main() -> None:
    """Run the benchmarks and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large dataset")
    parser.add_argument("--quick", action="store_true", help="leave out scikit-learn on the large dataset")
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        measure_memory(arguments.memory)
        return
    console = Console()
    insurance = insurance_rows()
    compare_training(console, insurance, 100, 40, f"insurance.csv, {len(insurance):,} rows x 11")
    large = synthetic_rows(arguments.rows)
    with tempfile.TemporaryDirectory() as folder:
        measure_scoring(console, insurance, Path(folder))
        compare_reading_and_memory(console, large, Path(folder))
    if not arguments.quick:
        compare_training(console, large, 1000, 1, f"{len(large):,} rows x 11")


if __name__ == "__main__":
    main()
