"""Our choices for the details of linear-learner that AWS does not document.

``docs/linear-learner.md`` gives the evidence for each choice. A user can change some of them by environment
variables. They are not hyperparameters, so that the same job also runs on AWS.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from local.algorithms.errors import ClientError

AUTO_LEARNING_RATE: Final = {"adam": 0.1, "sgd": 0.01, "rmsprop": 0.01}
AUTO_BETA_1: Final = 0.9
AUTO_BETA_2: Final = 0.999
AUTO_MOMENTUM: Final = 0.0
AUTO_L1: Final = 0.0
AUTO_WD: Final = 0.0
AUTO_NUM_CALIBRATION_SAMPLES: Final = 10_000_000
AUTO_BIAS_LR_MULT: Final = 10.0
AUTO_BIAS_WD_MULT: Final = 0.0
AUTO_LR_SCHEDULER_STEP: Final = 10
AUTO_LR_SCHEDULER_FACTOR: Final = 0.99
AUTO_LR_SCHEDULER_MINIMUM_LR: Final = 1e-4

# MXNet's defaults. linear-learner has no hyperparameters for them.
ADAM_EPSILON: Final = 1e-8
RMSPROP_DECAY: Final = 0.9
RMSPROP_EPSILON: Final = 1e-8

# num_models=auto trains up to 32 models: all combinations of these values, for the hyperparameters set to auto.
# Learning rates are multiples of the optimizer's default.
EXPLORED_LEARNING_RATES: Final = (1.0, 0.3, 0.1, 0.03)
EXPLORED_WD: Final = (0.0, 1e-4, 1e-3, 1e-2)
EXPLORED_L1: Final = (0.0, 1e-2)
# positive_example_weight_mult=auto trains each of these models with both weights.
EXPLORED_POSITIVE_WEIGHTS: Final = (1.0, "balanced")

THRESHOLD: Final = 0.5
"""The threshold of a binary classifier that is not calibrated, and the one that calibration prefers. Both losses
are symmetric about it: the logistic loss in the probability, the hinge loss in the score."""


@dataclass(frozen=True)
class Choices:
    """Holds the choices that environment variables can change.

    Attributes:
        tail_batch: How to treat the last rows if they do not fill a mini-batch. ``drop`` leaves them out of
            training; ``keep`` makes a smaller mini-batch of them.
        l1_method: How to apply l1. ``proximal`` thresholds the weights in the optimizer's metric, which gives exact
            zeros; ``subgradient`` adds ``l1 * sign(w)`` to the gradient.
        seed: The random seed of the initial weights.
    """

    tail_batch: str = "drop"
    l1_method: str = "proximal"
    seed: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Choices":
        """Read ``LINEAR_LEARNER_TAIL_BATCH``, ``LINEAR_LEARNER_L1_METHOD`` and ``LINEAR_LEARNER_SEED``.

        Raises:
            ClientError: A variable has an invalid value.
        """
        tail_batch = _one_of(environment, "LINEAR_LEARNER_TAIL_BATCH", ("drop", "keep"))
        l1_method = _one_of(environment, "LINEAR_LEARNER_L1_METHOD", ("proximal", "subgradient"))
        seed = environment.get("LINEAR_LEARNER_SEED", "0")
        if not (seed.isascii() and seed.isdigit()):
            raise ClientError(f"environment variable LINEAR_LEARNER_SEED: {seed!r} is not an integer >= 0")
        return cls(tail_batch, l1_method, int(seed))


def _one_of(environment: Mapping[str, str], name: str, values: tuple[str, str]) -> str:
    value = environment.get(name, values[0])
    if value not in values:
        raise ClientError(f"environment variable {name}: {value!r} is not one of {', '.join(values)}")
    return value
