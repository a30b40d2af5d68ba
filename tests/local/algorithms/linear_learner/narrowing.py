"""Narrows the optional types of training's results, so that a test fails with the reason."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from local.algorithms.errors import AlgorithmError
from local.algorithms.linear_learner.fitting import Epoch
from local.algorithms.linear_learner.models import LinearModel, Outcome


def trained_model(outcome: Outcome) -> LinearModel:
    """Return a job's model.

    Raises:
        AlgorithmError: Training failed; this is the job's own error.
    """
    if isinstance(outcome, AlgorithmError):
        raise outcome
    return outcome


def validation_loss(epoch: Epoch) -> npt.NDArray[np.float64]:
    """Return an epoch's validation loss, of shape (jobs,), and assert that there is one."""
    assert epoch.validation_loss is not None, f"epoch {epoch.number} has no validation loss"
    return epoch.validation_loss
