"""Train the models of one or more jobs in lockstep.

Source: Amazon SageMaker developer guide, "How linear learner works".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.errors import AlgorithmError, ClientError
from local.algorithms.linear_learner.batches import Batches, GramBatches, RowBatches
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.hyperparameters import Hyperparameters
from local.algorithms.linear_learner.losses import loss_of
from local.algorithms.linear_learner.optimizers import Models, initial_weights, optimizer_for
from local.algorithms.linear_learner.scaling import Scaling
from local.algorithms.linear_learner.selection import Selection

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Holds a trained model, in raw units.

    Attributes:
        weights: The weights, of shape (features,), float32 as in the artifact.
        bias: The bias, float32.
        label_scale: The number of raw label units in one normalised unit.
        hyperparameters: The hyperparameters of the model, which is the best of its job.
    """

    weights: npt.NDArray[np.float32]
    bias: np.float32
    label_scale: float
    hyperparameters: Hyperparameters


@dataclass(frozen=True)
class Epoch:
    """Holds the results of one epoch. Each array has one value per job.

    Attributes:
        number: The epoch's number, counted from 0.
        train_loss: The loss of each job's first model, in normalised label units, measured during training.
        validation_loss: The loss of each job's first model, in raw label units; None without a validation channel.
        criterion: The loss for early stopping: that of each job's best model on the validation channel, or on the
            train channel if there is no validation channel.
        improved: Whether the criterion improved by at least the tolerance.
        running: Whether the job was still running when the epoch began.
    """

    number: int
    train_loss: Array
    validation_loss: Array | None
    criterion: Array
    improved: npt.NDArray[np.bool_]
    running: npt.NDArray[np.bool_]


Listener = Callable[[Epoch], None]
Outcome = LinearModel | AlgorithmError


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
    loss = loss_of(shared)
    used = [data.train[: rows_used(len(data.train), shared.mini_batch_size, choices)] for data in datasets]
    scalings = [Scaling.measure(rows, shared) for rows in used]
    batches = _batches(used, scalings, shared, shared.mini_batch_size)
    validation = [data.validation for data in datasets if data.validation is not None]
    held_out = _batches(validation, scalings, shared, max(map(len, validation))) if validation else None
    weights = _initial_block(datasets, models, choices)
    optimizer = optimizer_for(weights, models, choices.l1_method)
    selection = Selection(weights, starts, shared)
    raw_units = np.repeat([scaling.label_scale**loss.degree for scaling in scalings], [len(row) for row in jobs])
    with np.errstate(all="ignore"):
        for number in range(shared.epochs):
            running = selection.running
            train_loss = batches.run_epoch(optimizer).ravel()
            watched = held_out.mean_loss(weights).ravel() if held_out else train_loss
            criterion, improved = selection.observe(watched)
            if listener:
                first = train_loss[starts]
                if held_out:
                    held, criterion = raw_units * watched[starts], raw_units * criterion
                else:
                    held = None
                listener(Epoch(number, first, held, criterion, improved, running))
            if stop_requested() or not selection.running.any():
                break
        return _outcomes(models, selection, scalings)


def rows_used(rows: int, batch_size: int, choices: Choices) -> int:
    """Return the number of training rows that are used, without a dropped tail.

    Raises:
        ClientError: There are fewer rows than one mini-batch.
    """
    if choices.tail_batch == "keep":
        return rows
    if rows < batch_size:
        raise ClientError(
            f"The train channel has {rows} rows, fewer than one mini-batch of {batch_size}: "
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
    start = initial_weights(datasets[0].train.shape[1] - 1, models[0][0], choices.seed)
    return np.tile(start[:, None], (len(datasets), 1, len(models[0])))


def uses_grams(features: int, shared: Hyperparameters) -> bool:
    """Return whether to train on Gram matrices: they give the exact loss and are smaller than the rows."""
    return shared.loss == "squared_loss" and 2 * (features + 1) <= shared.mini_batch_size


def _batches(rows: Sequence[Array], scalings: Sequence[Scaling], shared: Hyperparameters, batch_size: int) -> Batches:
    if uses_grams(rows[0].shape[1] - 1, shared):
        return GramBatches(rows, scalings, batch_size)
    ((only_rows, only_scaling),) = zip(rows, scalings, strict=True)
    return RowBatches(only_rows, only_scaling, loss_of(shared), batch_size)


def _outcomes(models: Models, selection: Selection, scalings: Sequence[Scaling]) -> list[Outcome]:
    raw = [scaling.fold_back(best) for scaling, best in zip(scalings, selection.best_weights, strict=True)]
    weights = np.array([weights.T for weights, _ in raw], dtype=np.float32)
    biases = np.array([biases for _, biases in raw], dtype=np.float32)
    representable = np.isfinite(weights).all(axis=2) & np.isfinite(biases)
    outcomes: list[Outcome] = []
    for winner in selection.winners():
        index = dataset, column = divmod(winner, len(models[0]))
        if not np.isfinite(selection.best_loss[winner]):
            outcomes.append(AlgorithmError("Training diverged: no epoch had a finite loss. Lower learning_rate"))
        elif not representable[index]:
            outcomes.append(AlgorithmError("The model's weights are too large for float32, the artifact's type"))
        else:
            hyperparameters = models[dataset][column]
            outcomes.append(LinearModel(weights[index], biases[index], scalings[dataset].label_scale, hyperparameters))
    return outcomes
