"""Check that the labels of a classifier's channels are its classes.

Source: Amazon SageMaker developer guide, "Linear learner algorithm": 0 or 1, or 0 to ``num_classes`` - 1.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from definition_language.linear_learner import MULTICLASS, REGRESSOR
from local.algorithms.errors import ClientError
from local.algorithms.linear_learner.hyperparameters import Hyperparameters

Array = npt.NDArray[np.float64]


def check_labels(channels: Mapping[str, Array], hyperparameters: Hyperparameters) -> None:
    """Refuse a label that is not a class of the job. A regressor's labels are any numbers.

    Args:
        channels: Each channel's rows, with the label first.
        hyperparameters: The job's hyperparameters.

    Raises:
        ClientError: A label is not a class.
    """
    if hyperparameters.predictor_type == REGRESSOR:
        return
    multiclass = hyperparameters.predictor_type == MULTICLASS
    classes = hyperparameters.num_classes if multiclass else 2
    for name, rows in channels.items():
        labels = rows[:, 0]
        wrong = np.flatnonzero((labels < 0) | (labels >= classes) | (labels != np.floor(labels)))
        if wrong.size:
            valid = f"0 to {classes - 1} with num_classes {classes}" if multiclass else "0 and 1"
            raise ClientError(
                f"The {name} channel has the label {labels[wrong[0]]:g} in row {wrong[0] + 1}; "
                f"the labels of a {hyperparameters.predictor_type} are {valid}"
            )
