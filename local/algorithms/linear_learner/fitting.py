"""Train the models of one or more jobs in lockstep.

Source: Amazon SageMaker developer guide, "How linear learner works".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from definition_language.linear_learner import REGRESSOR
from definition_language.text import number_of
from local.algorithms.errors import ClientError
from local.algorithms.linear_learner.batches import Batches, GramBatches, RowBatches
from local.algorithms.linear_learner.calibration import criterion_values
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.classification_losses import row_loss
from local.algorithms.linear_learner.hyperparameters import Hyperparameters
from local.algorithms.linear_learner.losses import RowLoss, loss_of
from local.algorithms.linear_learner.models import Outcome, outcomes
from local.algorithms.linear_learner.optimizers import Models, initial_weights, optimizer_for
from local.algorithms.linear_learner.scaling import Scaling
from local.algorithms.linear_learner.selection import Selection
from local.algorithms.recordio import half_of_memory

Array = npt.NDArray[np.float64]

_BYTES_PER_WEIGHT = 80
"""In double precision: the weight, its gradient, moments, rates and best value, and what the updates need."""
_BYTES_PER_SCORE = 24
"""In double precision: a score of a mini-batch, its power and its slope."""


@dataclass(frozen=True)
class Epoch:
    """Holds the results of one epoch. Each array has one value per job.

    Attributes:
        number: The epoch's number, counted from 0.
        train_loss: The loss of each job's first model, in normalised label units, measured during training.
        validation_loss: The loss of each job's first model, in raw label units; None without a validation channel.
        criterion: The loss for early stopping: that of each job's best model on the validation channel, or on the
            train channel if there is no validation channel. With a validation channel, a binary classifier has the
            highest value of its selection criterion here.
        improved: Whether the criterion improved by at least the tolerance.
        running: Whether the job was still running when the epoch began.
        criterion_name: The criterion's name in the log; None if it is the loss.
    """

    number: int
    train_loss: Array
    validation_loss: Array | None
    criterion: Array
    improved: npt.NDArray[np.bool_]
    running: npt.NDArray[np.bool_]
    criterion_name: str | None = None


Listener = Callable[[Epoch], None]


@dataclass(frozen=True)
class Dataset:
    """Holds the input of a job, as rows of shape (rows, 1 + features) with the label first.

    Attributes:
        train: The rows to train on.
        validation: The rows that select the best epoch and model; if None, ``train`` selects them.
    """

    train: Array
    validation: Array | None = None


def fit(
    dataset: Dataset,
    jobs: Sequence[Hyperparameters],
    choices: Choices,
    listener: Listener | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Train the jobs of one dataset. See ``fit_together``."""
    return fit_together([dataset], [jobs], choices, listener, stop_requested)


def fit_together(
    datasets: Sequence[Dataset],
    jobs: Sequence[Sequence[Hyperparameters]],
    choices: Choices,
    listener: Listener | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Train all models of all jobs in lockstep.

    Args:
        datasets: The datasets. All have the same ``lockstep_key``.
        jobs: The jobs of each dataset. All datasets have the same number of models, and all jobs have the same
            ``shared()`` hyperparameters.
        choices: Our choices for details that AWS does not document.
        listener: Called after every epoch. Jobs are numbered across all datasets.
        stop_requested: Called after every epoch. If it returns True, training ends with the best models so far.

    Returns:
        For each job, the best model of its best epoch, or the error if there is no model.

    Raises:
        ClientError: There are fewer rows than one mini-batch, and the tail is dropped.
    """
    models = [[model for job in row for model in job.models()] for row in jobs]
    starts = np.cumsum([0, *(job.num_models for row in jobs for job in row)])[:-1]
    shared = models[0][0]
    used = [data.train[: rows_used(len(data.train), shared.mini_batch_size, choices)] for data in datasets]
    scalings = [Scaling.measure(rows, shared) for rows in used]
    loss = row_loss(models[0], used[0][:, 0])
    batches = _batches(used, scalings, shared, loss, shared.mini_batch_size)
    watch = _watch(datasets, scalings, shared, loss)
    weights = _initial_block(datasets, models, choices)
    optimizer = optimizer_for(weights, models, choices.l1_method)
    selection = Selection(weights, starts, shared)
    raw_units = np.repeat([_raw_unit(scaling, shared) for scaling in scalings], [len(row) for row in jobs])
    with np.errstate(all="ignore"):
        for number in range(shared.epochs):
            running = selection.running
            train_loss = batches.run_epoch(optimizer).ravel()
            watched, values = watch(weights) if watch else (train_loss, None)
            criterion, improved = selection.observe(watched, values)
            if listener:
                first = train_loss[starts]
                if watch:
                    held, criterion = raw_units * watched[starts], raw_units * criterion
                else:
                    held = None
                name = None if values is None else f"sampled_{shared.binary_classifier_model_selection_criteria}"
                listener(Epoch(number, first, held, criterion, improved, running, name))
            if stop_requested() or not selection.running.any():
                break
        samples = [
            rows if data.validation is None else data.validation for data, rows in zip(datasets, used, strict=True)
        ]
        return outcomes(models, selection, scalings, used, samples)


def rows_used(rows: int, batch_size: int, choices: Choices) -> int:
    """Return the number of training rows that are used, without a dropped tail.

    Raises:
        ClientError: There are fewer rows than one mini-batch.
    """
    if choices.tail_batch == "keep":
        return rows
    if rows < batch_size:
        raise ClientError(
            f"The train channel has {number_of(rows, 'row')}, fewer than one mini-batch of {batch_size}: "
            "set mini_batch_size to a tenth of the rows or less"
        )
    return rows - rows % batch_size


def lockstep_key(dataset: Dataset, shared: Hyperparameters, choices: Choices) -> tuple[object, ...]:
    """Return a key of a dataset. Datasets with equal keys can be trained in lockstep."""
    features = dataset.train.shape[1] - 1
    if not uses_grams(features, shared):
        return id(dataset.train), id(dataset.validation)
    batches = -(-rows_used(len(dataset.train), shared.mini_batch_size, choices) // shared.mini_batch_size)
    return features, batches, dataset.validation is None


def _initial_block(datasets: Sequence[Dataset], models: Models, choices: Choices) -> Array:
    shared = models[0][0]
    features = datasets[0].train.shape[1] - 1
    _check_memory(features, shared, shared.outputs * len(models[0]))
    return np.tile(initial_weights(features, shared, choices.seed), (len(datasets), 1, len(models[0])))


def _check_memory(features: int, shared: Hyperparameters, columns: int) -> None:
    """Refuse models that need more than half of the memory.

    Args:
        features: The number of features.
        shared: The hyperparameters that all models share.
        columns: The number of columns of the models' weights.

    Raises:
        ClientError: They do. Only a multiclass classifier of very many classes has so many weights.
    """
    needed = columns * ((features + 1) * _BYTES_PER_WEIGHT + shared.mini_batch_size * _BYTES_PER_SCORE)
    if shared.outputs > 1 and needed > half_of_memory():
        raise ClientError(
            f"The scores and weights of {columns:,} classes in all models need {needed:,} bytes, more than half of "
            "this machine's memory: lower mini_batch_size, set num_models to 1, or use fewer classes"
        )


def uses_grams(features: int, shared: Hyperparameters) -> bool:
    """Return whether to train on Gram matrices: they give the exact loss and are smaller than the rows."""
    return shared.loss == "squared_loss" and 2 * (features + 1) <= shared.mini_batch_size


def _batches(
    rows: Sequence[Array], scalings: Sequence[Scaling], shared: Hyperparameters, loss: RowLoss, batch_size: int
) -> Batches:
    if uses_grams(rows[0].shape[1] - 1, shared):
        return GramBatches(rows, scalings, batch_size)
    ((only_rows, only_scaling),) = zip(rows, scalings, strict=True)
    return RowBatches(only_rows, only_scaling, loss, batch_size, shared.outputs)


_Watch = Callable[[Array], tuple[Array, Array | None]]


def _watch(
    datasets: Sequence[Dataset], scalings: Sequence[Scaling], shared: Hyperparameters, loss: RowLoss
) -> _Watch | None:
    """Return what measures each model's loss on the validation channel, and its criterion if there is one."""
    validation = [data.validation for data in datasets if data.validation is not None]
    if not validation:
        return None
    held_out = _batches(validation, scalings, shared, loss, max(map(len, validation)))
    if not (shared.calibrates and isinstance(held_out, RowBatches)):
        return lambda weights: (held_out.mean_loss(weights).ravel(), None)
    labels = validation[0][: shared.num_calibration_samples, 0]

    def watch(weights: Array) -> tuple[Array, Array | None]:
        losses, scores = held_out.watch(weights, len(labels))
        return losses.ravel(), criterion_values(shared, scores, labels)

    return watch


def _raw_unit(scaling: Scaling, shared: Hyperparameters) -> float:
    """Return the raw units of a loss in one of its normalised units."""
    return scaling.label_scale ** loss_of(shared).degree if shared.predictor_type == REGRESSOR else 1.0
