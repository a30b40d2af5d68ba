"""RefitModel: trains the chosen hyperparameters on all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.definition.folds import folds_uri
from pipeline.definition.sdk import Join, TrainingStep
from pipeline.definition.selection import Selection
from pipeline.definition.step_factory import StepFactory
from pipeline.definition.tuning import channel, static_hyperparameters, trainer


@dataclass(frozen=True)
class Refitted:
    """A model that was trained on all rows.

    Attributes:
        artifact: the URI of its ``model.tar.gz``.
        training_value: the objective on the rows that it was trained on, as text. It says nothing about other rows.
    """

    artifact: Any
    training_value: Any


def refit_model(factory: StepFactory, folds_step: Any, selection: Selection) -> Any:
    """Return the step that trains one model on all rows, which is also its validation channel."""
    kind, name = ("ManifestFile", "all.manifest") if factory.config.folds.layout == "manifest" else ("S3Prefix", "all/")
    rows = Join("/", [folds_uri(folds_step), name])
    static = static_hyperparameters(factory, folds_step)
    tuning, algorithm = factory.config.tuning, factory.config.algorithm
    hyperparameters = static | {
        **{name: selection.best(f"hyperparameters.{name}") for name in tuning.searched},
        **algorithm.refit(tuning.static_hyperparameters),
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


def refitted(factory: StepFactory, refit_step: Any) -> Refitted:
    """Return the model that the step trains."""
    metric = refit_step.properties.FinalMetricDataList[factory.config.tuning.objective].Value
    return Refitted(refit_step.properties.ModelArtifacts.S3ModelArtifacts, metric.to_string())


def refitted_before(find_step: Any) -> Refitted:
    """Return the model of the version that FindModel has found."""
    outputs = find_step.properties.Outputs
    return Refitted(outputs["model_data"], outputs["training_value"])
