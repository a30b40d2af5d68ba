"""MXNet's optimizers for a block of models that are trained together.

Weights, gradients and moments have the shape (datasets, features + 1, models x outputs), with the bias last. Only a
multiclass classifier has several outputs; a model's columns are side by side. The updates are
those of MXNet's ``adam_update``, ``sgd_mom_update`` and ``rmsprop_update`` with its ``FactorScheduler``. Weight decay
is coupled: it is added to the gradient before the update.

Updates work in place and on operands of full size. The arrays have only a few hundred numbers, so the overhead of
numpy's calls dominates, and broadcasting doubles it.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner import choices
from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]
Models = Sequence[Sequence[Hyperparameters]]
"""The models of each dataset. All datasets have the same number of models, and all models have the same
``Hyperparameters.shared``."""


class Optimizer(ABC):
    """Weights and their update rule.

    Attributes:
        weights: The current weights. Every step overwrites them.
        gradient: The mean gradient of the loss. The caller writes it before each step, and the step overwrites it.
    """

    def __init__(self, weights: Array, models: Models, l1_method: str) -> None:
        self.weights = weights
        self.gradient = np.empty_like(weights)
        self._shared = models[0][0]
        rates = self._per_weight(models, "learning_rate")
        minimum_rates = np.minimum(rates, self._shared.lr_scheduler_minimum_lr)
        for values in (rates, minimum_rates):
            values[:, -1] *= self._shared.bias_lr_mult if self._shared.use_bias else 0.0
        self._base_rates, self._minimum_rates, self._rates = rates, minimum_rates, rates
        self._steps = 0
        self._step_sizes = np.empty_like(weights)
        self._scratch = np.empty_like(weights)
        l1 = self._per_weight(models, "l1")
        l1[:, -1] = 0.0
        wd = self._per_weight(models, "wd")
        wd[:, -1] *= self._shared.bias_wd_mult
        self._wd = wd if wd.any() else None
        self._subgradient = l1 if l1.any() and l1_method == "subgradient" else None
        self._threshold = l1 * self._threshold_factor() if l1.any() and l1_method == "proximal" else None

    def _per_weight(self, models: Models, name: str) -> Array:
        """Return one hyperparameter of every weight's model, in the shape of the weights."""
        column = np.array([[[getattr(model, name) for model in row]] for row in models])
        outputs = self.weights.shape[2] // column.shape[2]
        return np.repeat(np.repeat(column, self.weights.shape[1], axis=1), outputs, axis=2)

    def step(self) -> None:
        """Update the weights with the gradient of one mini-batch."""
        self._steps += 1
        self._set_rates()
        scratch = self._scratch
        if self._wd is not None:
            np.multiply(self.weights, self._wd, out=scratch)
            self.gradient += scratch
        if self._subgradient is not None:
            np.sign(self.weights, out=scratch)
            scratch *= self._subgradient
            self.gradient += scratch
        self._descend()
        if self._threshold is not None:
            self._soft_threshold(self._threshold)

    def _set_rates(self) -> None:
        """Apply MXNet's FactorScheduler, but never raise a rate that starts below the minimum."""
        shared = self._shared
        if shared.use_lr_scheduler and (self._steps - 1) % shared.lr_scheduler_step == 0:
            drops = (self._steps - 1) // shared.lr_scheduler_step
            self._rates = np.maximum(self._base_rates * shared.lr_scheduler_factor**drops, self._minimum_rates)

    def _soft_threshold(self, threshold: Array) -> None:
        """Move every weight towards zero by its step size times l1, but not past zero.

        The threshold uses each weight's own step size. If an optimizer scales gradients per weight, the simpler
        threshold ``rate * l1`` does not converge to the minimum of the l1 objective.
        """
        low, high = self._scratch, self._step_sizes
        high *= threshold
        np.negative(high, out=low)
        np.maximum(self.weights, low, out=low)
        np.minimum(low, high, out=low)
        self.weights -= low

    @abstractmethod
    def _threshold_factor(self) -> float:
        """Return the factor of the threshold ``factor * l1 * _step_sizes``."""

    @abstractmethod
    def _descend(self) -> None:
        """Update the weights from the gradient, and write each weight's step size to ``_step_sizes``."""


class Adam(Optimizer):
    """Adam of Kingma and Ba in MXNet's form, with epsilon outside the bias correction.

    Two measures save numpy calls in the innermost loop. The moments omit their constant factors ``1 - beta``, so the
    first moment's increment is the gradient itself. Both moments are in one array.
    """

    def __init__(self, weights: Array, models: Models, l1_method: str) -> None:
        super().__init__(weights, models, l1_method)
        increments = np.empty((2, *weights.shape))
        self.gradient = increments[0]
        self._increments, self._squares = increments, increments[1]
        self._moments = np.zeros_like(increments)
        self._first_moments, self._second_moments = self._moments
        betas = np.array([self._shared.beta_1, self._shared.beta_2])
        self._decay = np.broadcast_to(betas[:, None, None, None], increments.shape).copy()
        self._epsilon = choices.ADAM_EPSILON / math.sqrt(1 - self._shared.beta_2)

    def _threshold_factor(self) -> float:
        return 1 / (1 - self._shared.beta_1)

    def _descend(self) -> None:
        beta_1, beta_2 = self._shared.beta_1, self._shared.beta_2
        np.square(self.gradient, out=self._squares)
        self._moments *= self._decay
        self._moments += self._increments
        correction = math.sqrt((1 - beta_2**self._steps) / (1 - beta_2)) * (1 - beta_1) / (1 - beta_1**self._steps)
        sizes = self._step_sizes
        np.sqrt(self._second_moments, out=sizes)
        sizes += self._epsilon
        sizes *= 1 / correction
        np.divide(self._rates, sizes, out=sizes)
        np.multiply(sizes, self._first_moments, out=self._scratch)
        self.weights -= self._scratch


class Sgd(Optimizer):
    """Stochastic gradient descent with momentum."""

    def __init__(self, weights: Array, models: Models, l1_method: str) -> None:
        super().__init__(weights, models, l1_method)
        self._velocity = np.zeros_like(weights)

    def _threshold_factor(self) -> float:
        return 1 / (1 - self._shared.momentum)

    def _descend(self) -> None:
        self._step_sizes[:] = self._rates
        self._velocity *= self._shared.momentum
        np.multiply(self._step_sizes, self.gradient, out=self._scratch)
        self._velocity -= self._scratch
        self.weights += self._velocity


class RmsProp(Optimizer):
    """RMSProp of Tieleman and Hinton, without centring."""

    def __init__(self, weights: Array, models: Models, l1_method: str) -> None:
        super().__init__(weights, models, l1_method)
        self._mean_square = np.zeros_like(weights)

    def _threshold_factor(self) -> float:
        return 1.0

    def _descend(self) -> None:
        sizes = self._step_sizes
        np.square(self.gradient, out=sizes)
        sizes *= 1 - choices.RMSPROP_DECAY
        self._mean_square *= choices.RMSPROP_DECAY
        self._mean_square += sizes
        np.add(self._mean_square, choices.RMSPROP_EPSILON, out=sizes)
        np.sqrt(sizes, out=sizes)
        np.divide(self._rates, sizes, out=sizes)
        np.multiply(sizes, self.gradient, out=self._scratch)
        self.weights -= self._scratch


def optimizer_for(weights: Array, models: Models, l1_method: str) -> Optimizer:
    """Return the models' optimizer for a block of their weights.

    Args:
        weights: The initial weights, of shape (datasets, features + 1, models x outputs).
        models: The hyperparameters of each dataset's models.
        l1_method: ``proximal`` or ``subgradient``, see ``Choices``.
    """
    kinds: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": Sgd, "rmsprop": RmsProp}
    return kinds[models[0][0].optimizer](weights, models, l1_method)


def initial_weights(features: int, shared: Hyperparameters, seed: int) -> Array:
    """Return the initial weights of every model, of shape (features + 1, outputs), with the bias last."""
    random = np.random.default_rng(seed)
    shape = shared.outputs, features
    if shared.init_method == "uniform":
        weights = random.uniform(-shared.init_scale, shared.init_scale, shape)
    else:
        weights = random.normal(0.0, shared.init_sigma, shape)
    bias = np.full((1, shared.outputs), shared.init_bias if shared.use_bias else 0.0)
    return np.concatenate([weights.T, bias])
