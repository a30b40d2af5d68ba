"""Two ways to train on mini-batches: from their rows, or from their Gram matrices.

Both normalise a few thousand rows at a time. So the rows stay in the processor's cache, and no normalised copy of the
data is needed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.losses import RowLoss
from local.algorithms.linear_learner.optimizers import Optimizer
from local.algorithms.linear_learner.scaling import Scaling

Array = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 4096
_GRAMS_AT_ONCE = 128
_SCORES_AT_ONCE = 1 << 20


class Batches(ABC):
    """The mini-batches of one or more datasets, always in the same order."""

    @abstractmethod
    def run_epoch(self, optimizer: Optimizer) -> Array:
        """Take one optimizer step per mini-batch.

        Returns:
            Each model's mean loss over the rows, in normalised label units, of shape (datasets, models). The loss of
            a mini-batch is measured before its step.
        """

    @abstractmethod
    def mean_loss(self, weights: Array) -> Array:
        """Return each model's mean loss over the rows, all with the same weights.

        Args:
            weights: The weights, of shape (datasets, features + 1, models x outputs).

        Returns:
            The losses, in normalised label units, of shape (datasets, models).
        """


class RowBatches(Batches):
    """Trains on the rows of one dataset, with any loss and any number of features.

    A model has one column of weights for each of its outputs. The columns of a model are side by side.
    """

    def __init__(self, rows: Array, scaling: Scaling, loss: RowLoss, batch_size: int, outputs: int = 1) -> None:
        self._rows = rows
        self._scaling = scaling
        self._loss = loss
        self._batch_size = batch_size
        self._outputs = outputs

    def run_epoch(self, optimizer: Optimizer) -> Array:
        """Implement ``Batches.run_epoch``."""
        weights, gradient = optimizer.weights[0], optimizer.gradient[0]
        total = np.zeros(weights.shape[1] // self._outputs)
        for batch in _normalised(self._rows, self._scaling, self._batch_size):
            losses, slopes = self._loss.step(batch[:, 1:] @ weights, batch[:, :1])
            total += losses
            np.matmul(batch[:, 1:].T, slopes, out=gradient)
            gradient /= len(batch)
            optimizer.step()
        return total[None] / len(self._rows)

    def mean_loss(self, weights: Array) -> Array:
        """Implement ``Batches.mean_loss``."""
        return self.watch(weights, 0)[0]

    def watch(self, weights: Array, kept: int) -> tuple[Array, Array]:
        """Return each model's mean loss, and the scores of the first rows.

        Args:
            weights: The weights, of shape (1, features + 1, models x outputs).
            kept: The number of rows whose scores to return.

        Returns:
            The losses, of shape (1, models), and the scores, of shape (kept, models x outputs).
        """
        columns = weights.shape[2]
        scores = np.empty((min(kept, len(self._rows)), columns))
        total = np.zeros(columns // self._outputs)
        # With many classes, a block of scores is larger than the cache, or than the memory.
        at_once = _ROWS_AT_ONCE if self._outputs == 1 else max(1, min(_ROWS_AT_ONCE, _SCORES_AT_ONCE // columns))
        start = 0
        for batch in _normalised(self._rows, self._scaling, at_once):
            block = batch[:, 1:] @ weights[0]
            part = scores[start : start + len(block)]
            part[:] = block[: len(part)]
            total += self._loss.total(block, batch[:, :1])
            start += len(block)
        return total[None] / len(self._rows), scores


class GramBatches(Batches):
    """Trains on the Gram matrices of the mini-batches, with squared loss and few features.

    Let ``Z`` be the ``n`` normalised rows of a mini-batch, and ``t`` its labels. With ``A = 2/n Z'Z`` and
    ``c = 2/n Z't``, the mean squared loss is ``w'(A w / 2 - c) + t't/n`` and its gradient is ``A w - c``. Both are
    exact. ``A`` and ``c`` are computed in one pass over the rows; after that, the cost does not depend on ``n``. The
    datasets are trained in lockstep and must have the same number of mini-batches.
    """

    def __init__(self, datasets: Sequence[Array], scalings: Sequence[Scaling], batch_size: int) -> None:
        grams = [_joint_grams(rows, scaling, batch_size) for rows, scaling in zip(datasets, scalings, strict=True)]
        joint = 2.0 * np.stack(grams, axis=1)
        self._quadratic = np.ascontiguousarray(joint[..., 1:, 1:])
        self._linear = np.ascontiguousarray(joint[..., 1:, :1])
        sizes = np.full(joint.shape[:2], float(batch_size))
        rows = np.array([len(rows) for rows in datasets])
        sizes[-1] = rows - batch_size * (len(joint) - 1)
        self._shares = sizes / rows
        self._constant = (self._shares * joint[..., 0, 0] / 2).sum(axis=0)[:, None]

    def run_epoch(self, optimizer: Optimizer) -> Array:
        """Implement ``Batches.run_epoch``."""
        total = np.repeat(self._constant, optimizer.weights.shape[2], axis=1)
        for start in range(0, len(self._shares), _GRAMS_AT_ONCE):
            total += self._run_part(optimizer, slice(start, start + _GRAMS_AT_ONCE))
        return total

    def _run_part(self, optimizer: Optimizer, part: slice) -> Array:
        quadratic, linear = self._quadratic[part], self._linear[part]
        visited = np.empty((len(quadratic), *optimizer.weights.shape))
        products = np.empty_like(visited)
        for matrix, vector, weights, product in zip(quadratic, linear, visited, products, strict=True):
            weights[:] = optimizer.weights
            np.matmul(matrix, weights, out=product)
            np.subtract(product, vector, out=optimizer.gradient)
            optimizer.step()
        return self._varying_loss(visited, products, part)

    def mean_loss(self, weights: Array) -> Array:
        """Implement ``Batches.mean_loss``."""
        visited = np.broadcast_to(weights, (len(self._shares), *weights.shape))
        varying = self._varying_loss(visited, self._quadratic @ weights, slice(None))
        # For a perfect fit, rounding can make the sum slightly negative.
        loss: Array = np.maximum(self._constant + varying, 0.0)
        return loss

    def _varying_loss(self, visited: Array, products: Array, part: slice) -> Array:
        """Return the part's share of the mean of ``w'(A w / 2 - c)`` over all rows."""
        products *= 0.5
        products -= self._linear[part]
        loss: Array = np.einsum("bdqk,bdqk,bd->dk", visited, products, self._shares[part])
        return loss


def _normalised(rows: Array, scaling: Scaling, batch_size: int) -> Iterator[Array]:
    """Yield normalised mini-batches of shape (rows, 2 + features), with the columns label, features and one.

    Each mini-batch overwrites the previous one.
    """
    buffer = np.empty((min(batch_size, len(rows)), rows.shape[1] + 1))
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        scaling.normalise(batch, buffer[: len(batch)])
        yield buffer[: len(batch)]


def _joint_grams(rows: Array, scaling: Scaling, batch_size: int) -> Array:
    """Return every mini-batch's mean outer product of (label, features, one) with itself.

    Returns:
        Matrices, of shape (mini-batches, 2 + features, 2 + features).
    """
    width = rows.shape[1] + 1
    whole = len(rows) // batch_size
    grams = np.zeros((-(-len(rows) // batch_size), width, width))
    if batch_size >= _ROWS_AT_ONCE:
        for index, gram in enumerate(grams):
            _accumulate_gram(rows[index * batch_size : (index + 1) * batch_size], scaling, gram)
        return grams
    together = _ROWS_AT_ONCE // batch_size
    for index, block in enumerate(_normalised(rows[: whole * batch_size], scaling, together * batch_size)):
        batches = block.reshape(-1, batch_size, width)
        out = grams[index * together : index * together + len(batches)]
        np.matmul(batches.transpose(0, 2, 1), batches, out=out)
        out /= batch_size
    if whole < len(grams):
        _accumulate_gram(rows[whole * batch_size :], scaling, grams[-1])
    return grams


def _accumulate_gram(rows: Array, scaling: Scaling, gram: Array) -> None:
    for block in _normalised(rows, scaling, _ROWS_AT_ONCE):
        gram += block.T @ block
    gram /= len(rows)
