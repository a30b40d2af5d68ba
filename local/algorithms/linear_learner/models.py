"""The trained models, in raw units, and the choice of each job's best one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from definition_language.linear_learner import BINARY
from local.algorithms.errors import AlgorithmError
from local.algorithms.linear_learner import links
from local.algorithms.linear_learner.calibration import calibrate
from local.algorithms.linear_learner.choices import THRESHOLD
from local.algorithms.linear_learner.classification_losses import row_loss
from local.algorithms.linear_learner.hyperparameters import Hyperparameters
from local.algorithms.linear_learner.losses import RowLoss
from local.algorithms.linear_learner.optimizers import Models
from local.algorithms.linear_learner.scaling import Scaling
from local.algorithms.linear_learner.selection import Selection

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Holds a trained model, in raw units.

    Attributes:
        weights: The weights, of shape (features,), float32 as in the artifact; of a multiclass classifier, of shape
            (classes, features).
        bias: The bias, float32; of a multiclass classifier, of shape (classes,).
        label_scale: The number of raw label units in one normalised unit.
        hyperparameters: The hyperparameters of the model, which is the best of its job.
        row_loss: The loss with which the model was trained, in normalised label units.
        threshold: The lowest score whose predicted label is 1; None if the model is not a binary classifier.
    """

    weights: npt.NDArray[np.float32]
    bias: np.float32 | npt.NDArray[np.float32]
    label_scale: float
    hyperparameters: Hyperparameters
    row_loss: RowLoss
    threshold: float | None = None

    @property
    def output(self) -> str:
        """MXNet's operator that makes scores of the weighted sums."""
        return links.OUTPUT_OF_LOSS.get(self.hyperparameters.loss, links.IDENTITY)

    def sums(self, rows: Array) -> Array:
        """Return the weighted sums of rows, with the bias.

        Args:
            rows: The rows, of shape (rows, 1 + features), with the label first.

        Returns:
            The sums, of shape (rows,); of a multiclass classifier, of shape (rows, classes).
        """
        sums: Array = rows[:, 1:] @ self.weights.T.astype(np.float64) + self.bias
        return sums


Outcome = LinearModel | AlgorithmError


def outcomes(
    models: Models,
    selection: Selection,
    scalings: Sequence[Scaling],
    train: Sequence[Array],
    samples: Sequence[Array],
) -> list[Outcome]:
    """Return each job's best model, or the error if it has none.

    Args:
        models: The hyperparameters of each dataset's models.
        selection: The weights of each model's best epoch.
        scalings: Each dataset's scaling.
        train: Each dataset's rows that trained the models, with the label first.
        samples: Each dataset's rows that choose among the models of a binary classifier, and their thresholds.
    """
    raw = [scaling.fold_back(best) for scaling, best in zip(scalings, selection.best_weights, strict=True)]
    weights = np.array([weights.T for weights, _ in raw], dtype=np.float32)
    biases = np.array([biases for _, biases in raw], dtype=np.float32)
    shared = models[0][0]

    def trained(number: int) -> Outcome:
        dataset, model = divmod(number, len(models[0]))
        first = model * shared.outputs
        index = first if shared.outputs == 1 else slice(first, first + shared.outputs)
        own = weights[dataset, index], biases[dataset, index]
        if not np.isfinite(selection.best_loss[number]):
            return AlgorithmError("Training diverged: no epoch had a finite loss. Lower learning_rate")
        if not all(np.isfinite(array).all() for array in own):
            return AlgorithmError("The model's weights are too large for float32, the artifact's type")
        hyperparameters = models[dataset][model]
        loss = row_loss([hyperparameters], train[dataset][:, 0])
        return LinearModel(*own, scalings[dataset].label_scale, hyperparameters, loss)

    if shared.predictor_type != BINARY:
        return [trained(winner) for winner in selection.winners()]
    return [
        _best_classifier(
            [trained(number) for number in range(start, end)],
            selection.best_loss[start:end].tolist(),
            samples[start // len(models[0])][: shared.num_calibration_samples],
        )
        for start, end in selection.jobs()
    ]


def _best_classifier(candidates: Sequence[Outcome], losses: Sequence[float], sample: Array) -> Outcome:
    """Return the model with the highest value of the criterion, and the lowest loss among those, with its threshold."""
    best, rank = candidates[0], (-np.inf, -np.inf)
    for candidate, loss in zip(candidates, losses, strict=True):
        if not isinstance(candidate, LinearModel):
            continue
        value, threshold = 0.0, THRESHOLD
        if candidate.hyperparameters.calibrates:
            scores = links.scores_of(candidate.output, candidate.sums(sample))
            calibration = calibrate(candidate.hyperparameters, scores, sample[:, 0])
            value, threshold = calibration.value, calibration.threshold
        if (value, -loss) > rank:
            best, rank = replace(candidate, threshold=threshold), (value, -loss)
    return best
