"""Early stopping, and the best epoch of every model.

Source: Amazon SageMaker developer guide, ``early_stopping_patience`` and ``early_stopping_tolerance``: an
epoch whose relative improvement ``(best - loss) / best`` is below the tolerance is no improvement, and
``patience`` such epochs in a row stop the job. The model returned is the one of the best epoch.
"""

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


class Selection:
    """The best weights so far of models that train side by side, one or more to a job.

    Models are counted through all datasets, those of a job following one another.

    Attributes:
        best_weights: of shape (datasets, features + 1, models of a dataset).
        best_loss: of shape (models,), infinite where no epoch had a finite loss.
        running: of shape (jobs,), false for the jobs that have stopped.
    """

    def __init__(self, weights: Array, starts: npt.NDArray[np.int_], shared: Hyperparameters) -> None:
        """Watch ``weights``, which training overwrites; ``starts`` are each job's first model."""
        self._weights = weights
        self._starts = starts
        self._sizes = np.diff(np.append(starts, weights[:, 0].size))
        self._tolerance = shared.early_stopping_tolerance
        self._patience = shared.early_stopping_patience
        self._best_criterion = np.full(len(starts), np.inf)
        self._epochs_without = np.zeros(len(starts), dtype=np.int_)
        self.best_weights = weights.copy()
        self.best_loss = np.full(weights[:, 0].size, np.inf)
        self.running = np.ones(len(starts), dtype=np.bool_)

    def observe(self, losses: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Take note of an epoch's losses; a job that has stopped keeps what it had.

        Args:
            losses: of shape (models,); what is not finite never counts as best.

        Returns:
            Each job's criterion, the lowest of its models' losses, and whether it is an improvement.
        """
        losses = np.where(np.isfinite(losses), losses, np.inf)
        better = (losses < self.best_loss) & np.repeat(self.running, self._sizes)
        np.copyto(self.best_loss, losses, where=better)
        np.copyto(self.best_weights, self._weights, where=better.reshape(len(self._weights), 1, -1))
        criterion = np.minimum.reduceat(losses, self._starts)
        first = np.isinf(self._best_criterion) & np.isfinite(criterion)
        gain = (self._best_criterion - criterion) / self._best_criterion
        improved = first | (gain >= self._tolerance)
        self._best_criterion = np.minimum(self._best_criterion, criterion)
        self._epochs_without = np.where(improved, 0, self._epochs_without + 1)
        self.running = self.running & (self._epochs_without < self._patience)
        return criterion, improved

    def winners(self) -> list[int]:
        """Each job's best model, as an index among all models."""
        ends = (self._starts + self._sizes).tolist()
        starts = self._starts.tolist()
        return [start + int(self.best_loss[start:end].argmin()) for start, end in zip(starts, ends, strict=True)]
