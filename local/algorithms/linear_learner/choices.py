"""What AWS does not document about linear-learner, as named choices.

``docs/linear-learner.md`` gives the evidence for each. Those a user may want to vary are read from the
environment, because they belong to this machine: the job's hyperparameters stay those of the cloud.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from local.algorithms.linear_learner.errors import ClientError

AUTO_LEARNING_RATE: Final = {"adam": 0.1, "sgd": 0.01, "rmsprop": 0.01}
AUTO_BETA_1: Final = 0.9
AUTO_BETA_2: Final = 0.999
AUTO_MOMENTUM: Final = 0.0
AUTO_L1: Final = 0.0
AUTO_WD: Final = 0.0
AUTO_BIAS_LR_MULT: Final = 10.0
AUTO_BIAS_WD_MULT: Final = 0.0
AUTO_LR_SCHEDULER_STEP: Final = 10
AUTO_LR_SCHEDULER_FACTOR: Final = 0.99
AUTO_LR_SCHEDULER_MINIMUM_LR: Final = 1e-4

# MXNet's defaults, which linear-learner gives no hyperparameter for.
ADAM_EPSILON: Final = 1e-8
RMSPROP_DECAY: Final = 0.9
RMSPROP_EPSILON: Final = 1e-8

# num_models=auto trains 32 models: every combination of these, for the hyperparameters left at auto.
# Learning rates are relative to the optimizer's own.
EXPLORED_LEARNING_RATES: Final = (1.0, 0.3, 0.1, 0.03)
EXPLORED_WD: Final = (0.0, 1e-4, 1e-3, 1e-2)
EXPLORED_L1: Final = (0.0, 1e-2)


@dataclass(frozen=True)
class Choices:
    """The choices that the environment may vary.

    Attributes:
        tail_batch: what becomes of the last rows when they do not fill a mini-batch: ``drop`` leaves them
            out of training, ``keep`` makes them a smaller mini-batch.
        l1_method: ``proximal`` thresholds the weights in the optimizer's metric and so reaches exact
            zeros; ``subgradient`` adds ``l1 * sign(w)`` to the gradient.
        seed: of the initial weights.
    """

    tail_batch: str = "drop"
    l1_method: str = "proximal"
    seed: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Choices":
        """Read ``LINEAR_LEARNER_TAIL_BATCH``, ``LINEAR_LEARNER_L1_METHOD`` and ``LINEAR_LEARNER_SEED``.

        Raises:
            ClientError: if a variable holds something else than its documented values.
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
