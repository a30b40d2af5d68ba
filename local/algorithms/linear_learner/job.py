"""One training job's ``/opt/ml`` folder: its configuration, channels, log, model and failure.

Source: Amazon SageMaker developer guide, "How Amazon SageMaker runs your training image".
"""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from definition_language.linear_learner import BINARY
from local.algorithms.configuration import read_config
from local.algorithms.errors import AlgorithmError, ClientError
from local.algorithms.linear_learner import artifact
from local.algorithms.linear_learner.channels import Channel
from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.hyperparameters import Hyperparameters, ignored_names, parse
from local.algorithms.linear_learner.job_log import JobLog
from local.algorithms.linear_learner.models import LinearModel

_CHANNELS = ("train", "validation", "test")
_FAILURE_CHARACTERS = 1024


class Job:
    """A training job.

    Attributes:
        hyperparameters: The parsed hyperparameters, set by ``configure``.
        channels: The channels in the order train, validation, test, set by ``configure``.
        log: The log file, ``output/log.txt``.
        failed: Whether the job failed. ``output/failure`` has the reason.
    """

    hyperparameters: Hyperparameters
    channels: list[Channel]

    def __init__(self, root: Path) -> None:
        self._root = root
        self._host = "algo-1"
        self.failed = False
        self.log = JobLog(root / "output/log.txt", self._host)

    def configure(self, choices: Choices) -> None:
        """Read the three configuration files.

        Raises:
            ClientError: The configuration is invalid or not supported.
        """
        raw = read_config(self._root, "hyperparameters.json")
        self._host = read_config(self._root, "resourceconfig.json").get("current_host", self._host)
        self.log.host = self._host
        self.log.write(f"Reading provided configuration from /opt/ml/input/config/hyperparameters.json: {raw}")
        self.hyperparameters = parse(raw)
        for name in ignored_names(raw):
            self.log.write(f"{name} is ignored: predictor_type is '{self.hyperparameters.predictor_type}'")
        self.log.write(f"Final configuration: {json.dumps(asdict(self.hyperparameters))}")
        self.log.write(f"Choices of this machine: {json.dumps(asdict(choices))}")
        self.channels = self._read_channels(read_config(self._root, "inputdataconfig.json"))

    def _read_channels(self, config: dict[str, Any]) -> list[Channel]:
        for name in config:
            if name not in _CHANNELS:
                raise ClientError(f"channel {name} is unknown: linear-learner has the channels {', '.join(_CHANNELS)}")
        if "train" not in config:
            raise ClientError("The train channel is missing from InputDataConfig")
        data = self._root / "input/data"
        return [Channel.from_config(data / name, name, config[name]) for name in _CHANNELS if name in config]

    def save(self, model: LinearModel) -> None:
        """Write the model artifact. The service uploads it."""
        best = model.hyperparameters
        names = [
            "lr_scheduler_step",
            "wd",
            "optimizer",
            "lr_scheduler_factor",
            "l1",
            "learning_rate",
            "lr_scheduler_minimum_lr",
        ]
        if best.predictor_type == BINARY:
            names.append("positive_example_weight_mult")
            self.log.write(f"The threshold of the predicted label 1 is {model.threshold!r}")
        values = json.dumps({name: getattr(best, name) for name in names})
        self.log.write(f"Best model found for hyperparameters: {values}")
        path = self._root / f"model/model_{self._host}"
        artifact.write(path, model.weights, model.bias, model.output, model.threshold)
        self.log.write(f'Saved checkpoint to "/opt/ml/model/model_{self._host}/mx-mod-0000.params"')

    def fail(self, error: Exception) -> None:
        """Write why the job failed to the log and to ``output/failure``."""
        kind = "ClientError" if isinstance(error, ClientError) else "AlgorithmError"
        known = isinstance(error, ClientError | AlgorithmError)
        reason = f"{kind}: {error if known else f'{type(error).__name__}: {error}'}"
        self.log.write(reason, level=logging.ERROR)
        (self._root / "output/failure").write_text(reason[:_FAILURE_CHARACTERS], encoding="utf-8")
        self.failed = True
