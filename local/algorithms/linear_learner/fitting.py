"""Training of one or more jobs over the same data.

Source: Amazon SageMaker developer guide, "How linear learner works".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from local.algorithms.linear_learner.batches import Batches, GramBatches, RowBatches
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.errors import AlgorithmError, ClientError
from local.algorithms.linear_learner.hyperparameters import Hyperparameters
from local.algorithms.linear_learner.losses import loss_of
from local.algorithms.linear_learner.optimizers import Models, initial_weights, optimizer_for
from local.algorithms.linear_learner.scaling import Scaling
from local.algorithms.linear_learner.selection import Selection

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """A trained model, in raw units.

    Attributes:
        weights: of shape (features,), float32 as the artifact holds them.
        bias: a float32 value.
        label_scale: how many raw label units one unit of training was.
        hyperparameters: of the model; among a job's several, those that were best.
    """

    weights: npt.NDArray[np.float32]
    bias: np.float32
    label_scale: float
    hyperparameters: Hyperparameters


@dataclass(frozen=True)
class Epoch:
    """What one epoch was for every job, as arrays of one value a job.

    Attributes:
        number: counted from 0.
        train_loss: of each job's first model, in normalised label units, measured while training.
        validation_loss: of each job's first model, in raw label units; None without a validation channel.
        criterion: the loss that early stopping watches: each job's best model on validation, or on
            training without a validation channel.
        improved: whether the criterion fell by more than the tolerance.
        running: whether the job had not stopped before this epoch.
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
    """Rows of shape (rows, 1 + features), the label first.

    Attributes:
        train: what the models learn from.
        validation: what chooses the best epoch and model; None leaves that to ``train``.
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
    """Train the jobs of one dataset, see ``fit_together``."""
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
        datasets: which must be ``lockstep_key`` alike.
        jobs: each dataset's training jobs: as many models for each, alike in what ``shared()`` names.
        choices: what AWS leaves open.
        listener: called with every epoch; jobs are counted through all datasets.
        stop_requested: asked after every epoch; true ends training with the best models so far.

    Returns:
        For every job its best epoch's best model, or why there is none.

    Raises:
        ClientError: if there are fewer rows than one mini-batch and the tail is dropped.
    """
    models = [[model for job in row for model in job.models()] for row in jobs]
    starts = np.cumsum([0, *(job.num_models for row in jobs for job in row)])[:-1]
    shared = models[0][0]
    loss = loss_of(shared)
    used = [data.train[: rows_used(len(data.train), shared.mini_batch_size, choices)] for data in datasets]
    scalings = [Scaling.measure(_scaler_sample(rows, shared), shared) for rows in used]
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
    """How many of the training rows fill mini-batches.

    Raises:
        ClientError: if none do.
    """
    if choices.tail_batch == "keep":
        return rows
    if rows < batch_size:
        raise ClientError(
            f"The train channel has {rows} rows, fewer than one mini-batch of {batch_size}: "
            "set mini_batch_size to a tenth of the rows or less"
        )
    return rows - rows % batch_size


def _scaler_sample(rows: Array, shared: Hyperparameters) -> Array:
    points = min(len(rows), shared.num_point_for_scaler)
    whole = points - points % shared.mini_batch_size
    return rows[: whole or shared.mini_batch_size]


def lockstep_key(dataset: Dataset, shared: Hyperparameters, choices: Choices) -> tuple[object, ...]:
    """What datasets must have in common to be trained in lockstep."""
    features = dataset.train.shape[1] - 1
    if not _through_grams(features, shared):
        return id(dataset.train), id(dataset.validation)
    batches = -(-rows_used(len(dataset.train), shared.mini_batch_size, choices) // shared.mini_batch_size)
    return features, batches, dataset.validation is None


def _initial_block(datasets: Sequence[Dataset], models: Models, choices: Choices) -> Array:
    start = initial_weights(datasets[0].train.shape[1] - 1, models[0][0], choices.seed)
    return np.tile(start[:, None], (len(datasets), 1, len(models[0])))


def _through_grams(features: int, shared: Hyperparameters) -> bool:
    """Whether Gram matrices of the mini-batches are exact and smaller than the rows."""
    return shared.loss == "squared_loss" and 2 * (features + 1) <= shared.mini_batch_size


def _batches(rows: Sequence[Array], scalings: Sequence[Scaling], shared: Hyperparameters, batch_size: int) -> Batches:
    if _through_grams(rows[0].shape[1] - 1, shared):
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
        place = dataset, column = divmod(winner, len(models[0]))
        if not np.isfinite(selection.best_loss[winner]):
            outcomes.append(AlgorithmError("Training diverged: no epoch had a finite loss. Lower learning_rate"))
        elif not representable[place]:
            outcomes.append(AlgorithmError("The model's weights do not fit float32, as the artifact holds them"))
        else:
            hyperparameters = models[dataset][column]
            outcomes.append(LinearModel(weights[place], biases[place], scalings[dataset].label_scale, hyperparameters))
    return outcomes
