import numpy as np
import pytest

from definition_language.linear_learner import REGRESSION_LOSSES
from local.algorithms.linear_learner.losses import loss_of
from tests.local.algorithms.linear_learner.reference import job


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_a_slope_is_the_derivative_of_its_loss(name) -> None:
    loss = loss_of(job(loss=name, quantile=0.3, huber_delta=0.7, loss_insensitivity=0.2))
    residual = np.linspace(-3, 3, 301) + 0.0031
    step = 1e-6
    numeric = (loss.values(residual + step) - loss.values(residual - step)) / (2 * step)
    np.testing.assert_allclose(loss.slopes(residual), numeric, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "at_minus_two", "at_two"),
    [
        ("squared_loss", 4, 4),
        ("absolute_loss", 2, 2),
        ("quantile_loss", 0.9 * 2, 0.1 * 2),
        ("huber_loss", 0.5 * (2 - 0.25), 0.5 * (2 - 0.25)),
        ("eps_insensitive_squared_loss", 2**2 - 0.5**2, 2**2 - 0.5**2),
        ("eps_insensitive_absolute_loss", 1.5, 1.5),
    ],
)
def test_a_loss_has_its_documented_formula(name, at_minus_two, at_two) -> None:
    loss = loss_of(job(loss=name, quantile=0.9, huber_delta=0.5, loss_insensitivity=0.5))
    np.testing.assert_allclose(loss.values(np.array([-2.0, 0.0, 2.0])), [at_minus_two, 0, at_two])


def test_the_eps_insensitive_squared_loss_has_twice_the_residual_as_slope_outside_its_zone() -> None:
    loss = loss_of(job(loss="eps_insensitive_squared_loss", loss_insensitivity=0.5))
    residual = np.array([-2.0, -0.51, -0.5, -0.3, 0.0, 0.5, 0.51, 2.0])
    np.testing.assert_allclose(loss.slopes(residual), [-4, -1.02, 0, 0, 0, 0, 1.02, 4])


@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_a_loss_scales_with_the_power_of_its_unit(name) -> None:
    loss = loss_of(job(loss=name, huber_delta=1e6, loss_insensitivity=1e-9))
    residual = np.array([-1.5, 0.3, 2.0])
    np.testing.assert_allclose(loss.values(3 * residual), 3**loss.degree * loss.values(residual), rtol=1e-6)
