import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definition_language.linear_learner import REGRESSION_LOSSES
from local.algorithms.errors import AlgorithmError, ClientError
from local.algorithms.linear_learner import fitting
from local.algorithms.linear_learner.batches import GramBatches, RowBatches
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.fitting import Dataset, Epoch, fit_together, lockstep_key, rows_used
from local.algorithms.linear_learner.hyperparameters import parse
from local.algorithms.linear_learner.losses import loss_of
from local.algorithms.linear_learner.models import LinearModel
from local.algorithms.linear_learner.optimizers import initial_weights, optimizer_for
from local.algorithms.linear_learner.scaling import Scaling
from tests.local.algorithms.linear_learner.narrowing import trained_model, validation_loss
from tests.local.algorithms.linear_learner.reference import job, train

GRID = list(itertools.product((0.01, 0.03, 0.1), (1e-7, 1e-2), (1e-7, 1e-2)))


def fit(*given: Any) -> Any:
    """Return the outcome of each job, untyped: most tests read the attributes of a model at once."""
    return fitting.fit(*given)


def _validation(data: Dataset) -> np.ndarray:
    assert data.validation is not None
    return data.validation


def grid(**values: object) -> list:
    return [job(learning_rate=lr, l1=l1, wd=wd, **values) for lr, l1, wd in GRID]


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


class Recorder:
    def __init__(self) -> None:
        self.epochs: list[Epoch] = []

    def __call__(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("l1_method", ["proximal", "subgradient"])
@pytest.mark.parametrize("tail_batch", ["drop", "keep"])
def test_the_three_evaluation_orders_agree(rows, monkeypatch, optimizer, l1_method, tail_batch) -> None:
    choices = Choices(tail_batch, l1_method)
    data = Dataset(rows[:95], rows[95:])
    jobs = grid(optimizer=optimizer, mini_batch_size=20, momentum=0.5, bias_wd_mult=0.1, lr_scheduler_step=3)
    through_grams, through_rows = Recorder(), Recorder()
    fit(data, jobs, choices, through_grams)
    monkeypatch.setattr(fitting, "uses_grams", lambda *_: False)
    fit(data, jobs, choices, through_rows)
    for index, hyperparameters in enumerate(jobs):
        reference = train(data.train, _validation(data), hyperparameters, choices)
        for recorder in (through_grams, through_rows):
            epochs = [epoch for epoch in recorder.epochs if epoch.running[index]]
            assert_close([epoch.train_loss[index] for epoch in epochs], reference.train_losses)
            assert_close([validation_loss(epoch)[index] for epoch in epochs], reference.validation_losses)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_every_loss_trains_as_the_reference_does(rows, loss) -> None:
    hyperparameters = job(loss=loss, mini_batch_size=20, quantile=0.8, huber_delta=0.3, learning_rate=0.05, l1=0.01)
    data, choices, recorder = Dataset(rows[:100], rows[100:]), Choices(), Recorder()
    (model,) = fit(data, [hyperparameters], choices, recorder)
    reference = train(data.train, _validation(data), hyperparameters, choices)
    assert_close([epoch.train_loss[0] for epoch in recorder.epochs], reference.train_losses)
    assert_close([validation_loss(epoch)[0] for epoch in recorder.epochs], reference.validation_losses)
    assert_close(model.weights, reference.weights, 1e-6)
    assert_close(model.bias, reference.bias, 1e-6)


@given(
    values=st.fixed_dictionaries(
        {
            "normalize_data": st.booleans(),
            "normalize_label": st.booleans(),
            "unbias_data": st.booleans(),
            "unbias_label": st.booleans(),
            "use_lr_scheduler": st.booleans(),
            "init_method": st.sampled_from(["uniform", "normal"]),
            # Not 0: where the first gradient of the bias is rounding only, Adam makes a step of it.
            "init_bias": st.sampled_from([-0.5, 1.5]),
            "num_point_for_scaler": st.sampled_from([5, 50, 10000]),
            "mini_batch_size": st.sampled_from([1, 7, 30, 95]),
            "early_stopping_patience": st.sampled_from([1, 30]),
        }
    )
)
@settings(max_examples=25, deadline=None)
def test_every_documented_hyperparameter_means_what_the_reference_says(values) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(120, 4)) * [2, 1, 3, 0.5] + [5, 0, 2, 1]
    hyperparameters = job(epochs=4, learning_rate=0.02, **values)
    choices, recorder = Choices(), Recorder()
    fit(Dataset(rows[:95], rows[95:]), [hyperparameters], choices, recorder)
    reference = train(rows[:95], rows[95:], hyperparameters, choices)
    assert_close([validation_loss(epoch)[0] for epoch in recorder.epochs], reference.validation_losses, 1e-11)


def test_normalised_weights_agree_to_1e_12_on_real_data(insurance) -> None:
    hyperparameters = job(mini_batch_size=100)
    loss, models = loss_of(hyperparameters), [grid(mini_batch_size=100)]
    scaling = Scaling.measure(insurance[:1300], hyperparameters)
    start = np.tile(initial_weights(insurance.shape[1] - 1, hyperparameters, 0), (1, 1, len(GRID)))
    ends = []
    for batches in (
        GramBatches([insurance[:1300]], [scaling], 100),
        RowBatches(insurance[:1300], scaling, loss, 100),
    ):
        optimizer = optimizer_for(start.copy(), models, "proximal")
        for _ in range(15):
            batches.run_epoch(optimizer)
        ends.append(optimizer.weights)
    assert np.abs(ends[0] - ends[1]).max() < 1e-12


def test_datasets_in_lockstep_give_the_models_they_give_alone(insurance) -> None:
    folds = np.array_split(insurance, 5)
    datasets = [Dataset(np.concatenate(folds[:k] + folds[k + 1 :]), folds[k]) for k in range(5)]
    jobs, choices = grid(mini_batch_size=100), Choices()
    assert len({lockstep_key(data, jobs[0], choices) for data in datasets}) == 1
    together = fit_together(datasets, [jobs] * 5, choices)
    alone = [model for data in datasets for model in fit(data, jobs, choices)]
    for one, other in zip(map(trained_model, together), alone, strict=True):
        assert_close(one.weights, other.weights, 1e-6)
        assert_close(one.bias, other.bias, 1e-6)


def test_datasets_that_cannot_share_their_steps_have_different_keys(rows) -> None:
    choices, hyperparameters = Choices(), job(mini_batch_size=20)
    whole, fewer = Dataset(rows, rows), Dataset(rows[:60], rows)
    assert lockstep_key(whole, hyperparameters, choices) != lockstep_key(fewer, hyperparameters, choices)
    robust = job(mini_batch_size=20, loss="huber_loss")
    same_shape = Dataset(rows.copy(), rows)
    assert lockstep_key(whole, robust, choices) != lockstep_key(same_shape, robust, choices)


def test_the_best_epoch_is_the_one_returned(rows) -> None:
    data, recorder = Dataset(rows[:100], rows[100:]), Recorder()
    (model,) = fit(data, [job(mini_batch_size=20, learning_rate=1, epochs=40)], Choices(), recorder)
    residual = rows[100:, 1:] @ model.weights.astype(float) + float(model.bias) - rows[100:, 0]
    losses = [validation_loss(epoch)[0] for epoch in recorder.epochs]
    assert np.argmin(losses) < len(losses) - 1
    assert np.mean(residual**2) == pytest.approx(min(losses), rel=1e-5)


def test_patience_beyond_the_epochs_disables_early_stopping(rows) -> None:
    data, patient, impatient = Dataset(rows[:100], rows[100:]), Recorder(), Recorder()
    settings = {"mini_batch_size": 20, "learning_rate": 1, "epochs": 25}
    fit(data, [job(**settings, early_stopping_patience=26)], Choices(), patient)
    fit(data, [job(**settings)], Choices(), impatient)
    assert len(patient.epochs) == 25
    assert len(impatient.epochs) < 25
    assert not any(epoch.improved[0] for epoch in impatient.epochs[-3:])


def test_a_job_that_stops_early_is_not_changed_by_those_that_go_on(rows) -> None:
    data, choices = Dataset(rows[:100], rows[100:]), Choices()
    fast, slow = (job(mini_batch_size=20, learning_rate=rate, epochs=60) for rate in (1, 0.001))
    recorder = Recorder()
    together = fit(data, [fast, slow], choices, recorder)
    assert not recorder.epochs[-1].running[0]
    assert recorder.epochs[-1].running[1]
    for model, alone in zip(together, [fit(data, [fast], choices), fit(data, [slow], choices)], strict=True):
        assert_close(model.weights, alone[0].weights, 1e-6)


def test_without_validation_the_training_loss_chooses(rows) -> None:
    recorder = Recorder()
    fit(Dataset(rows), [job(mini_batch_size=20)], Choices(), recorder)
    assert all(epoch.validation_loss is None for epoch in recorder.epochs)
    assert all(epoch.criterion[0] == epoch.train_loss[0] for epoch in recorder.epochs)


def test_a_model_without_bias_has_none(rows) -> None:
    (model,) = fit(Dataset(rows, rows), [job(mini_batch_size=20, use_bias=False)], Choices())
    assert model.bias == 0
    assert model.weights.any()


def test_a_constant_feature_gets_no_enormous_weight(rows) -> None:
    constant = np.column_stack([rows, np.full(len(rows), 0.1)])
    (model,) = fit(Dataset(constant, constant), [job(mini_batch_size=20)], Choices())
    assert abs(model.weights[-1]) < 100


def _predicted(model: Any, features: np.ndarray) -> np.ndarray:
    return features @ model.weights.astype(float) + float(model.bias)


@pytest.mark.parametrize("loss", ["squared_loss", "huber_loss"])
@pytest.mark.parametrize("l1", [0, 0.01])
def test_a_constant_feature_has_no_weight_so_an_unseen_value_moves_no_prediction(rows, loss, l1) -> None:
    constant = np.column_stack([rows[:, :2], np.zeros(len(rows)), rows[:, 2:], np.full(len(rows), 0.1)])
    (model,) = fit(Dataset(constant[:100], constant[100:]), [job(mini_batch_size=20, loss=loss, l1=l1)], Choices())
    assert model.weights[[1, -1]].tobytes() == np.zeros(2, np.float32).tobytes()
    assert model.weights[[0, 2, 3, 4]].all()
    unseen = constant[:, 1:].copy()
    unseen[:, [1, -1]] = 1
    assert_close(_predicted(model, unseen), _predicted(model, constant[:, 1:]))


def test_a_large_constant_feature_does_not_spoil_the_model(rows) -> None:
    plain, settings = Dataset(rows[:100], rows[100:]), {"mini_batch_size": 20, "learning_rate": 0.05, "epochs": 60}
    large = np.column_stack([rows, np.full(len(rows), 1e9)])
    (without,) = fit(plain, [job(**settings)], Choices())
    (model,) = fit(Dataset(large[:100], large[100:]), [job(**settings)], Choices())
    errors = [
        np.mean((_predicted(each, data[100:, 1:]) - data[100:, 0]) ** 2)
        for each, data in ((model, large), (without, rows))
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.01)


def test_a_feature_is_constant_only_if_it_is_in_all_rows_that_train(rows) -> None:
    late, settings = np.zeros(len(rows)), {"mini_batch_size": 20, "num_point_for_scaler": 40}
    late[70:] = rows[70:, 0]
    data = np.column_stack([rows, late])
    (model,) = fit(Dataset(data[:100], data[100:]), [job(**settings)], Choices())
    assert model.weights[-1] != 0
    only_in_the_tail = np.column_stack([rows, np.arange(len(rows)) >= 100])
    (model,) = fit(Dataset(only_in_the_tail[:119]), [job(**settings)], Choices())
    assert model.weights[-1] == 0


def test_a_constant_feature_can_serve_as_the_bias_of_a_model_that_has_none(rows) -> None:
    data = np.column_stack([rows, np.ones(len(rows))])
    settings = {"mini_batch_size": 20, "learning_rate": 0.1, "epochs": 200, "early_stopping_patience": 201}
    (model,) = fit(Dataset(data[:100], data[100:]), [job(use_bias=False, **settings)], Choices())
    assert model.bias == 0
    assert model.weights[-1] != 0


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("normalize_data", [True, False])
@pytest.mark.parametrize("unbias_data", [True, False])
def test_constant_features_train_as_the_reference_says(rows, use_bias, normalize_data, unbias_data) -> None:
    data = np.column_stack([rows, np.full(len(rows), 0.5), np.zeros(len(rows))])
    data[100:, -1] = 1
    hyperparameters = job(
        mini_batch_size=20,
        use_bias=use_bias,
        normalize_data=normalize_data,
        unbias_data=unbias_data and use_bias,
        learning_rate=0.02,
    )
    recorder = Recorder()
    (model,) = fit(Dataset(data[:100], data[100:]), [hyperparameters], Choices(), recorder)
    reference = train(data[:100], data[100:], hyperparameters, Choices())
    assert_close([epoch.validation_loss[0] for epoch in recorder.epochs], reference.validation_losses, 1e-11)  # type: ignore[index]
    assert_close(model.weights, reference.weights, 1e-6)
    assert_close(model.bias, reference.bias, 1e-6)


def test_num_models_keeps_the_best_of_several(rows) -> None:
    raw = {"predictor_type": "regressor", "mini_batch_size": "20", "optimizer": "sgd"}
    data, choices = Dataset(rows[:100], rows[100:]), Choices()
    assert parse(raw).num_models == 32
    (several,) = fit(data, [parse(raw)], choices)
    alone = [fit(data, [model], choices)[0] for model in parse(raw).models()]
    errors = [np.mean((rows[100:, 1:] @ m.weights + m.bias - rows[100:, 0]) ** 2) for m in [several, *alone]]
    assert errors[0] <= min(errors[1:]) * (1 + 1e-6)


def test_divergence_of_one_job_leaves_the_others_alone(rows) -> None:
    data, choices = Dataset(rows[:100], rows[100:]), Choices()
    wild, calm = (job(optimizer="sgd", mini_batch_size=20, learning_rate=rate, epochs=200) for rate in (1e200, 0.01))
    bad, good = fit(data, [wild, calm], choices)
    assert isinstance(bad, AlgorithmError)
    assert isinstance(good, LinearModel)
    assert_close(good.weights, fit(data, [calm], choices)[0].weights, 1e-6)


def test_fewer_rows_than_a_mini_batch_are_refused_and_can_be_kept(rows) -> None:
    with pytest.raises(ClientError, match=r"120 rows, fewer than one mini-batch of 1000"):
        fit(Dataset(rows), [job()], Choices())
    (model,) = fit(Dataset(rows), [job()], Choices(tail_batch="keep"))
    assert isinstance(model, LinearModel)


def test_the_last_rows_that_do_not_fill_a_mini_batch_are_left_out() -> None:
    random = np.random.default_rng(2)
    features = random.normal(size=(199, 2))
    rows = np.column_stack([features @ [1.0, 2.0], features])
    assert rows_used(199, 100, Choices()) == 100
    (model,) = fit(Dataset(rows), [job(mini_batch_size=100)], Choices())
    (first,) = fit(Dataset(rows[:100]), [job(mini_batch_size=100)], Choices())
    assert model.weights.tobytes() == first.weights.tobytes()
    assert rows_used(199, 100, Choices(tail_batch="keep")) == 199


def test_the_quantile_is_the_share_of_labels_below_the_prediction() -> None:
    random = np.random.default_rng(4)
    rows = np.column_stack([random.exponential(size=4000), random.normal(size=(4000, 2))])
    settings = {"mini_batch_size": 400, "epochs": 100, "learning_rate": 0.01}
    (model,) = fit(Dataset(rows, rows), [job(loss="quantile_loss", quantile=0.9, **settings)], Choices())
    assert np.mean(rows[:, 0] < _predicted(model, rows[:, 1:])) == pytest.approx(0.9, abs=0.01)


def test_a_stop_request_ends_training_with_the_best_model_so_far(rows) -> None:
    recorder = Recorder()
    (model,) = fit(Dataset(rows, rows), [job(mini_batch_size=20)], Choices(), recorder, lambda: True)
    assert len(recorder.epochs) == 1
    assert isinstance(model, LinearModel)


def test_the_same_job_gives_the_same_model(rows) -> None:
    first, second = (fit(Dataset(rows, rows), [job(mini_batch_size=20)], Choices())[0] for _ in range(2))
    assert first.weights.tobytes() == second.weights.tobytes()
    (other,) = fit(Dataset(rows, rows), [job(mini_batch_size=20)], Choices(seed=1))
    assert first.weights.tobytes() != other.weights.tobytes()
