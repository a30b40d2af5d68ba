"""Training of classifiers: its limits, its tuning jobs, and which epoch, model and threshold it chooses."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.linear_model import LogisticRegression

from local.algorithms.errors import AlgorithmError, ClientError
from local.algorithms.linear_learner import fitting
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.classification_losses import row_loss
from local.algorithms.linear_learner.fitting import Dataset, Epoch
from local.algorithms.linear_learner.hyperparameters import parse
from local.algorithms.linear_learner.links import scores_of
from local.algorithms.linear_learner.models import LinearModel
from local.algorithms.linear_learner.selection import Selection
from tests.local.algorithms.linear_learner.narrowing import trained_model
from tests.local.algorithms.linear_learner.reference import classifier

LONG = {
    "epochs": 1500,
    "early_stopping_patience": 1500,
    "learning_rate": 0.05,
    "bias_lr_mult": 1,
    "lr_scheduler_step": 20,
    "lr_scheduler_factor": 0.97,
    "lr_scheduler_minimum_lr": 1e-7,
    "binary_classifier_model_selection_criteria": "loss_function",
}


@pytest.fixture(scope="module")
def binary_rows() -> np.ndarray:
    """Rows of a label and three features in very different units. Three in ten labels are 1."""
    random = np.random.default_rng(7)
    features = random.normal(size=(300, 3)) * [1, 20, 0.1] + [0, 50, -1]
    sums = (features - [0, 50, -1]) @ [1.5, -0.05, 8] - 1.2
    labels = random.random(300) < 1 / (1 + np.exp(-sums))
    return np.column_stack([labels, features]).astype(float)


@pytest.fixture(scope="module")
def multiclass_rows() -> np.ndarray:
    random = np.random.default_rng(8)
    features = random.normal(size=(400, 3)) * [1, 20, 0.1] + [0, 50, -1]
    sums = ((features - [0, 50, -1]) / [1, 20, 0.1]) @ random.normal(size=(3, 4)) + [1.0, 0, 0, -0.5]
    return np.column_stack([(sums + random.gumbel(size=(400, 4))).argmax(axis=1), features]).astype(float)


def standardised(rows: np.ndarray) -> np.ndarray:
    """The features with mean 0 and deviation 1, with which the solvers of others converge fast."""
    return (rows[:, 1:] - rows[:, 1:].mean(axis=0)) / rows[:, 1:].std(axis=0)


def predicted_labels(model: LinearModel, rows: np.ndarray) -> np.ndarray:
    assert model.threshold is not None
    return scores_of(model.output, model.sums(rows)) >= model.threshold


def fit(dataset: Dataset, *jobs: Any, **more: Any) -> list[LinearModel]:
    return [trained_model(outcome) for outcome in fitting.fit(dataset, jobs, Choices("keep"), **more)]


def train_long(rows: np.ndarray, **values: Any) -> LinearModel:
    settings = LONG | {"mini_batch_size": len(rows)} | values
    if "num_classes" in values:
        del settings["binary_classifier_model_selection_criteria"]
    (model,) = fit(Dataset(rows, rows), classifier(**settings))
    return model


@pytest.mark.parametrize("weight", [1.0, pytest.param("balanced", marks=pytest.mark.slow)])
def test_the_logistic_loss_converges_to_logistic_regression(binary_rows, weight) -> None:
    model = train_long(binary_rows, positive_example_weight_mult=weight)
    labels = binary_rows[:, 0]
    factor = 1.0 if weight == 1.0 else (labels == 0).sum() / labels.sum()
    exact = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000, class_weight={0: 1.0, 1: factor})
    exact.fit(standardised(binary_rows), labels)
    weights = exact.coef_[0] / binary_rows[:, 1:].std(axis=0)
    np.testing.assert_allclose(model.weights, weights, rtol=2e-3)
    bias = exact.intercept_[0] - weights @ binary_rows[:, 1:].mean(axis=0)
    assert float(model.bias) == pytest.approx(bias, rel=2e-3)


@pytest.mark.slow
def test_weight_decay_converges_to_regularised_logistic_regression(binary_rows) -> None:
    """Our objective is the mean of the losses + wd / 2 * w^2; scikit-learn's is C * their sum + w^2 / 2."""
    rows = np.column_stack([binary_rows[:, 0], standardised(binary_rows)])
    wd = 0.05
    hyperparameters = classifier(**(LONG | {"mini_batch_size": 300, "wd": wd}))
    exact = LogisticRegression(C=1 / (wd * 300), tol=1e-10, max_iter=10_000).fit(rows[:, 1:], rows[:, 0])
    # The best epoch has the lowest loss without the decay, so only the last one is the regularised optimum.
    last: list[np.ndarray] = []

    class Recording(Selection):
        def observe(self, losses: Any, values: Any = None) -> Any:
            last[:] = [self._weights[0, :, 0].copy()]
            return super().observe(losses, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "Selection", Recording)
        fit(Dataset(rows, rows), hyperparameters)
    np.testing.assert_allclose(last[0], [*exact.coef_[0], exact.intercept_[0]], rtol=2e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("balanced", [False, True])
def test_the_softmax_loss_converges_to_multinomial_logistic_regression(multiclass_rows, balanced) -> None:
    model = train_long(multiclass_rows, num_classes=4, balance_multiclass_weights=balanced)
    exact = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000, class_weight="balanced" if balanced else None)
    features = standardised(multiclass_rows)
    exact.fit(features, multiclass_rows[:, 0])
    probabilities = scores_of(model.output, model.sums(multiclass_rows))
    np.testing.assert_allclose(probabilities, exact.predict_proba(features), atol=1e-3)
    # A constant that is added to the weights of all classes changes nothing.
    weights = model.weights * multiclass_rows[:, 1:].std(axis=0)
    np.testing.assert_allclose(weights - weights.mean(axis=0), exact.coef_ - exact.coef_.mean(axis=0), atol=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("margin", [1.0, 0.4])
def test_the_hinge_loss_converges_to_its_exact_minimum(binary_rows, margin) -> None:
    """The minimum is a linear program: one slack variable per row, at least 0 and at least the row's hinge."""
    model = train_long(binary_rows, loss="hinge_loss", margin=margin)
    count = len(binary_rows)
    signs = 1 - 2 * binary_rows[:, :1]
    design = signs * np.column_stack([standardised(binary_rows), np.ones(count)])
    bounds = [(None, None)] * 4 + [(0, None)] * count
    exact = linprog(
        np.append(np.zeros(4), np.ones(count) / count),
        A_ub=np.column_stack([design, -np.eye(count)]),
        b_ub=signs[:, 0] / 2 - margin / 2,
        bounds=bounds,
    )
    loss = model.row_loss.total(model.sums(binary_rows)[:, None], binary_rows[:, :1])[0] / count
    assert exact.fun <= loss + 1e-9
    assert loss == pytest.approx(exact.fun, rel=2e-3)


def settings_of_a_grid() -> list[dict[str, Any]]:
    points = itertools.product((0.01, 0.1), (0.0, 0.02), (1.0, 3.0, "balanced"))
    return [{"learning_rate": rate, "l1": l1, "positive_example_weight_mult": weight} for rate, l1, weight in points]


@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
def test_the_jobs_of_a_tuning_job_train_as_they_do_alone(binary_rows, loss) -> None:
    dataset = Dataset(binary_rows[:200], binary_rows[200:])
    jobs = [classifier(mini_batch_size=30, loss=loss, **values) for values in settings_of_a_grid()]
    together = fit(dataset, *jobs)
    for job, model in zip(jobs, together, strict=True):
        (alone,) = fit(dataset, job)
        np.testing.assert_allclose(model.weights, alone.weights, rtol=1e-6)
        assert model.threshold == pytest.approx(alone.threshold, rel=1e-6)
        assert model.hyperparameters == job


def test_the_jobs_of_a_multiclass_tuning_job_train_as_they_do_alone(multiclass_rows) -> None:
    dataset = Dataset(multiclass_rows[:300], multiclass_rows[300:])
    jobs = [
        classifier(num_classes=5, mini_batch_size=30, learning_rate=rate, l1=l1, wd=wd, optimizer="sgd", momentum=0.5)
        for rate, l1, wd in ((0.1, 0, 0), (0.03, 0.01, 0), (0.03, 0, 0.1))
    ]
    together = fit(dataset, *jobs)
    assert len({model.weights.tobytes() for model in together}) == 3
    for job, model in zip(jobs, together, strict=True):
        (alone,) = fit(dataset, job)
        np.testing.assert_allclose(model.weights, alone.weights, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(model.bias, alone.bias, rtol=1e-5, atol=1e-7)
        assert model.weights.shape == (5, 3)
        assert model.threshold is None


def test_the_criterion_chooses_the_epoch_and_the_threshold(binary_rows) -> None:
    """The reported value is that of the labels which the chosen model predicts for the validation rows."""
    held_out = binary_rows[200:]
    for criterion in ("accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision"):
        epochs: list[Epoch] = []
        job = classifier(
            mini_batch_size=20,
            learning_rate=0.3,
            binary_classifier_model_selection_criteria=criterion,
            target_recall=0.5,
        )
        (model,) = fit(Dataset(binary_rows[:200], held_out), job, listener=epochs.append)
        assert {epoch.criterion_name for epoch in epochs} == {f"sampled_{criterion}"}
        predicted = predicted_labels(model, held_out)
        hits = (predicted & (held_out[:, 0] == 1)).sum()
        precision, recall = hits / predicted.sum(), hits / held_out[:, 0].sum()
        reached = {
            "accuracy": (predicted == held_out[:, 0]).mean(),
            "f_beta": 2 * precision * recall / (precision + recall),
            "precision_at_target_recall": precision,
            "recall_at_target_precision": recall,
        }
        assert reached[criterion] == pytest.approx(max(epoch.criterion[0] for epoch in epochs))


def test_the_loss_function_as_criterion_leaves_the_threshold_at_a_half(binary_rows) -> None:
    epochs: list[Epoch] = []
    job = classifier(mini_batch_size=20, binary_classifier_model_selection_criteria="loss_function")
    (model,) = fit(Dataset(binary_rows[:200], binary_rows[200:]), job, listener=epochs.append)
    assert model.threshold == 0.5
    assert epochs[0].criterion_name is None
    best = min(epochs, key=lambda epoch: epoch.criterion[0])
    assert best.validation_loss is not None
    loss = model.row_loss.total(model.sums(binary_rows[200:])[:, None], binary_rows[200:, :1])[0] / 100
    assert loss == pytest.approx(best.validation_loss[0], rel=1e-5)


def test_without_validation_the_training_rows_calibrate_and_the_loss_stops(binary_rows) -> None:
    epochs: list[Epoch] = []
    (model,) = fit(Dataset(binary_rows), classifier(mini_batch_size=20), listener=epochs.append)
    assert epochs[0].criterion_name is None
    scores = scores_of(model.output, model.sums(binary_rows))
    accuracies = [((scores >= threshold) == binary_rows[:, 0]).mean() for threshold in (*scores, 0.5, model.threshold)]
    assert accuracies[-1] == max(accuracies)


def test_only_the_first_rows_calibrate_if_so_asked(binary_rows) -> None:
    """In the sample all labels are 0, so that the best model predicts no 1; the other rows would disagree."""
    held_out = binary_rows[200:]
    held_out = held_out[np.argsort(held_out[:, 0], kind="stable")]
    job = classifier(mini_batch_size=20, num_calibration_samples=40)
    epochs: list[Epoch] = []
    (model,) = fit(Dataset(binary_rows[:200], held_out), job, listener=epochs.append)
    assert {epoch.criterion[0] for epoch in epochs} == {1.0}
    assert not predicted_labels(model, held_out[:40]).any()
    (other,) = fit(Dataset(binary_rows[:200], held_out), classifier(mini_batch_size=20))
    assert other.threshold != model.threshold


def test_of_models_with_equal_criteria_the_one_with_the_lowest_loss_is_the_best(binary_rows) -> None:
    rows = binary_rows.copy()
    rows[:, 0] = rows[:, 1] > 0
    rows[:, 1] += np.where(rows[:, 0], 2, -2)
    dataset = Dataset(rows[:200], rows[200:])
    raw = {"predictor_type": "binary_classifier", "mini_batch_size": "20", "l1": "0", "wd": "0", "epochs": "3"}
    job = parse(raw)
    assert job.num_models == 4
    (model,) = fit(dataset, job)
    candidates = fit(dataset, *job.models())
    perfect = [each for each in candidates if (predicted_labels(each, rows[200:]) == rows[200:, 0]).all()]
    assert len(perfect) > 1
    losses = [each.row_loss.total(each.sums(rows[200:])[:, None], rows[200:, :1])[0] for each in perfect]
    np.testing.assert_allclose(model.weights, perfect[int(np.argmin(losses))].weights, rtol=1e-6)


def test_an_automatic_positive_weight_is_that_of_the_better_model(binary_rows) -> None:
    dataset = Dataset(binary_rows[:200], binary_rows[200:])
    common = {"mini_batch_size": 20, "binary_classifier_model_selection_criteria": "f_beta", "f_beta": 2}
    (model,) = fit(dataset, classifier(**common, positive_example_weight_mult="auto"))
    candidates = fit(dataset, *(classifier(**common, positive_example_weight_mult=each) for each in (1.0, "balanced")))
    (index,) = [n for n, each in enumerate(candidates) if np.allclose(each.weights, model.weights, rtol=1e-6)]
    assert model.hyperparameters.positive_example_weight_mult == (1.0, "balanced")[index]


def observe_all(losses: list[float], values: list[float]) -> tuple[list[bool], Selection]:
    """Show epochs to a selection. In each, the weights are the epoch's number."""
    weights = np.zeros((1, 2, 1))
    selection = Selection(weights, np.array([0]), classifier())
    improved = []
    with np.errstate(all="ignore"):
        for number, (loss, value) in enumerate(zip(losses, values, strict=True)):
            weights[:] = number
            improved.append(bool(selection.observe(np.array([loss]), np.array([value]))[1][0]))
    return improved, selection


def test_the_highest_criterion_is_the_best_epoch_and_of_equal_ones_the_lowest_loss() -> None:
    _, selection = observe_all([0.5, 0.4, 0.3, 0.2], [0.8, 0.9, 0.9, 0.7])
    assert selection.best_weights[0, 0, 0] == 2
    assert selection.best_loss[0] == 0.3


def test_an_epoch_improves_by_its_criterion_or_by_its_loss() -> None:
    improved, selection = observe_all([0.5, 0.6, 0.4, 0.4, 0.4, 0.4], [0.8, 0.9, 0.9, 0.9004, 0.9, 0.9])
    assert improved == [True, True, True, False, False, False]
    assert not selection.running[0], "after three epochs without improvement"


def test_a_loss_that_is_not_finite_is_never_the_best_whatever_the_criterion() -> None:
    _, selection = observe_all([0.5, np.nan], [0.6, 0.9])
    assert selection.best_weights[0, 0, 0] == 0
    _, selection = observe_all([np.nan, np.inf], [0.6, 0.9])
    assert np.isinf(selection.best_loss[0])


def test_training_that_diverges_is_an_error_of_its_job_only(binary_rows) -> None:
    dataset = Dataset(binary_rows[:200], binary_rows[200:])
    jobs = [classifier(mini_batch_size=20, optimizer="sgd", learning_rate=rate) for rate in ("0.01", "1e300")]
    good, wild = fitting.fit(dataset, jobs, Choices())
    assert isinstance(good, LinearModel)
    assert isinstance(wild, AlgorithmError)


def test_more_classes_than_half_of_the_memory_holds_are_refused(binary_rows, monkeypatch) -> None:
    most = classifier(num_classes=999, mini_batch_size=100, epochs=1)
    monkeypatch.setattr(fitting, "half_of_memory", lambda: 999 * (4 * 80 + 100 * 24))
    fit(Dataset(binary_rows), most)
    for more in (replace(most, num_classes=1000), replace(most, mini_batch_size=101)):
        with pytest.raises(ClientError, match=r"classes in all models need .* bytes.*lower mini_batch_size"):
            fit(Dataset(binary_rows), more)


def test_a_hinge_at_its_kink_has_no_slope() -> None:
    loss = row_loss([classifier(loss="hinge_loss")], np.array([0.0, 1.0]))
    _, slopes = loss.step(np.array([[1.0], [0.0]]), np.array([[1.0], [0.0]]))
    np.testing.assert_array_equal(slopes, 0)
