"""RefitModel: trains the chosen hyperparameters on all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.checks import TUNED
from pipeline.definition.folds import folds_uri
from pipeline.definition.sdk import Join, TrainingStep
from pipeline.definition.selection import Selection
from pipeline.definition.step_factory import StepFactory
from pipeline.definition.tuning import OBJECTIVE, channel, static_hyperparameters, trainer

_MOST_SUGGESTED_EPOCHS = 100
"""The highest number of epochs that MakeFolds suggests."""


@dataclass(frozen=True)
class Refitted:
    """A model that was trained on all rows.

    Attributes:
        artifact: the URI of its ``model.tar.gz``.
        training_mse: its error on the rows that it was trained on, as text. It says nothing about other rows.
    """

    artifact: Any
    training_mse: Any


def refit_model(factory: StepFactory, folds_step: Any, selection: Selection) -> Any:
    """Return the step that trains one model on all rows, which is also its validation channel."""
    kind, name = ("ManifestFile", "all.manifest") if factory.config.folds.layout == "manifest" else ("S3Prefix", "all/")
    rows = Join("/", [folds_uri(folds_step), name])
    static = static_hyperparameters(factory, folds_step)
    epochs = factory.config.tuning.static_hyperparameters.get("epochs", _MOST_SUGGESTED_EPOCHS)
    hyperparameters = static | {
        **{name: selection.best(f"hyperparameters.{name}") for name in TUNED},
        # In a tuning job SageMaker trains one model; elsewhere linear-learner searches by itself unless told not to.
        "num_models": "1",
        # The error on the training rows must not end the training earlier than in the folds.
        "early_stopping_patience": str(int(epochs) + 1),
    }
    return TrainingStep(
        name="RefitModel",
        display_name="Refit model",
        description="Train the chosen hyperparameters on the rows of all folds",
        step_args=trainer(factory, "refit", hyperparameters).train(
            input_data_config=[channel("train", rows, kind), channel("validation", rows, kind)]
        ),
        cache_config=factory.cache(),
        retry_policies=factory.job_retries(),
    )


def refitted(refit_step: Any) -> Refitted:
    """Return the model that the step trains."""
    metric = refit_step.properties.FinalMetricDataList[OBJECTIVE].Value
    return Refitted(refit_step.properties.ModelArtifacts.S3ModelArtifacts, metric.to_string())


def refitted_before(find_step: Any) -> Refitted:
    """Return the model of the version that FindModel has found."""
    outputs = find_step.properties.Outputs
    return Refitted(outputs["model_data"], outputs["training_mse"])
