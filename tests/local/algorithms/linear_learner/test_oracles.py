"""Training against implementations that are not ours: MXNet's optimizers and scikit-learn's solvers."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression

from local.algorithms.linear_learner.batches import GramBatches, RowBatches
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.fitting import Dataset, fit
from local.algorithms.linear_learner.losses import loss_of
from local.algorithms.linear_learner.optimizers import optimizer_for
from local.algorithms.linear_learner.scaling import Scaling
from tests.local.algorithms.linear_learner.narrowing import trained_model
from tests.local.algorithms.linear_learner.reference import job

ORACLE = json.loads((Path(__file__).parent / "data/mxnet_optimizers.json").read_text())
SCHEDULER = ORACLE["scheduler"]


@pytest.mark.parametrize("run", ORACLE["runs"], ids=lambda run: json.dumps(run["setting"]))
@pytest.mark.parametrize("through_grams", [True, False])
def test_an_optimizer_takes_the_steps_of_mxnet(run, through_grams) -> None:
    """MXNet rounds an optimizer's parameters to float32, which moves Adam's default betas most."""
    scheduler = {
        "lr_scheduler_step": SCHEDULER["step"],
        "lr_scheduler_factor": SCHEDULER["factor"],
        "lr_scheduler_minimum_lr": SCHEDULER["stop_factor_lr"],
    }
    plain = {"use_lr_scheduler": False, "bias_lr_mult": 1.0, **scheduler}
    hyperparameters = job(**(plain | run["setting"]))
    rows, batch_size = np.array(ORACLE["rows"]), ORACLE["mini_batch_size"]
    identity = Scaling(np.zeros(rows.shape[1]), np.ones(rows.shape[1]))
    batches: GramBatches | RowBatches
    if through_grams:
        batches = GramBatches([rows], [identity], batch_size)
    else:
        batches = RowBatches(rows, identity, loss_of(hyperparameters), batch_size)
    optimizer = optimizer_for(np.array(ORACLE["start"])[None, :, None], [[hyperparameters]], "proximal")
    default_adam = run["setting"]["optimizer"] == "adam" and "beta_2" not in run["setting"]
    tolerance = 2e-5 if default_adam else 2e-6
    for expected in run["weights"]:
        batches.run_epoch(optimizer)
        np.testing.assert_allclose(optimizer.weights[0, :, 0], expected, rtol=tolerance, atol=tolerance)


def standardised(rows):
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


def long_run(rows, **values):
    """The weights after training to convergence, in standardised units."""
    settings = {
        "mini_batch_size": len(rows),
        "epochs": 4000,
        "early_stopping_patience": 4000,
        "learning_rate": 0.05,
        "lr_scheduler_step": 20,
        "lr_scheduler_factor": 0.97,
        "lr_scheduler_minimum_lr": 1e-7,
    }
    (outcome,) = fit(Dataset(rows, rows), [job(**(settings | values))], Choices())
    model = trained_model(outcome)
    return model.weights * rows[:, 1:].std(axis=0) / rows[:, 0].std(), model


def test_without_regularisation_training_converges_to_least_squares(rows) -> None:
    _, model = long_run(rows, l1=0, wd=0)
    exact = LinearRegression().fit(rows[:, 1:], rows[:, 0])
    np.testing.assert_allclose(model.weights, exact.coef_, rtol=1e-4, atol=1e-5)
    assert float(model.bias) == pytest.approx(exact.intercept_, rel=1e-4)


def test_with_regularisation_training_converges_to_elastic_net(rows) -> None:
    """The best epoch is chosen by the unregularised loss, so the regularised optimum is compared as a limit."""
    l1, wd = 0.05, 0.1
    z = standardised(rows)
    # scikit-learn's objective is half of ours: mean(r^2)/2 + alpha*ratio*|w| + alpha*(1-ratio)/2*w^2.
    exact = ElasticNet(alpha=(l1 + wd) / 2, l1_ratio=l1 / (l1 + wd), tol=1e-12, max_iter=100_000, fit_intercept=False)
    exact.fit(z[:, 1:], z[:, 0])
    weights = last_weights(z, l1=l1, wd=wd)
    np.testing.assert_allclose(weights, exact.coef_, rtol=1e-4, atol=1e-5)


def last_weights(z, epochs=1500, mini_batch_size=None, **values):
    """The weights after the last epoch on rows that are already standardised."""
    settings = {
        "learning_rate": 0.05,
        "lr_scheduler_step": 20,
        "lr_scheduler_factor": 0.97,
        "lr_scheduler_minimum_lr": 1e-7,
        "use_bias": False,
    }
    hyperparameters = job(**(settings | values))
    identity = Scaling(np.zeros(z.shape[1]), np.ones(z.shape[1]))
    batches = GramBatches([z], [identity], mini_batch_size or len(z))
    start = np.append(np.full(z.shape[1] - 1, 0.05), 0.0)
    optimizer = optimizer_for(start[None, :, None], [[hyperparameters]], "proximal")
    for _ in range(epochs):
        batches.run_epoch(optimizer)
    return optimizer.weights[0, :-1, 0]


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("l1", [0.1, 0.3])
def test_l1_reaches_the_exact_objective_and_its_exact_zeros(optimizer, l1) -> None:
    random = np.random.default_rng(17)
    features = random.normal(size=(400, 12))
    label = features @ [1, -0.8, 0.6, 0.5, *[0.0] * 8] + 0.3 * random.normal(size=400)
    z = standardised(np.column_stack([label, features]))

    def objective(w):
        return np.mean((z[:, 1:] @ w - z[:, 0]) ** 2) + l1 * np.abs(w).sum()

    exact = Lasso(alpha=l1 / 2, tol=1e-12, max_iter=100_000, fit_intercept=False).fit(z[:, 1:], z[:, 0]).coef_
    weights = last_weights(z, epochs=600, l1=l1, wd=0, optimizer=optimizer, momentum=0.5)
    assert objective(weights) <= objective(exact) * (1 + 1e-3)
    assert 0 < np.count_nonzero(exact) < 12
    np.testing.assert_array_equal(weights == 0, exact == 0)


def test_fifteen_epochs_reach_the_error_of_least_squares(insurance) -> None:
    folds = np.array_split(insurance, 5)
    ratios = []
    for index, held_out in enumerate(folds):
        train = np.concatenate(folds[:index] + folds[index + 1 :])
        exact = LinearRegression().fit(train[:, 1:], train[:, 0])
        (outcome,) = fit(Dataset(train, held_out), [job(mini_batch_size=100, learning_rate=0.01)], Choices())
        model = trained_model(outcome)
        errors = [held_out[:, 1:] @ model.weights + model.bias, exact.predict(held_out[:, 1:])]
        ratios.append(np.divide(*[np.mean((predicted - held_out[:, 0]) ** 2) for predicted in errors]))
    assert np.mean(ratios) == pytest.approx(1, abs=0.01)


def test_the_default_mini_batch_size_makes_a_bad_model_of_a_thousand_rows(insurance) -> None:
    train, held_out = insurance[:1070], insurance[1070:]

    def error(size):
        (outcome,) = fit(Dataset(train, held_out), [job(mini_batch_size=size, learning_rate=0.01)], Choices())
        model = trained_model(outcome)
        return np.mean((held_out[:, 1:] @ model.weights + model.bias - held_out[:, 0]) ** 2)

    assert error(1000) > 1.5 * error(100)
