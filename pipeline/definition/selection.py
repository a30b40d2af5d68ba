"""SelectBest, CheckQuality and RejectModel: choose the model, and reject it above the error limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.definition.folds import folds_uri
from pipeline.definition.sdk import (
    ConditionEquals,
    ConditionLessThan,
    ConditionLessThanOrEqualTo,
    ConditionOr,
    ConditionStep,
    FailStep,
    Join,
    JsonGet,
    ProcessingStep,
    PropertyFile,
)
from pipeline.definition.step_factory import MESSAGE, PROCESSING, StepFactory
from pipeline.definition.tuning import OBJECTIVE


@dataclass(frozen=True)
class Selection:
    """The step that chooses the model, and references to its results.

    Attributes:
        step: SelectBest.
        best_file: its property file, ``best.json``.
    """

    step: Any
    best_file: Any

    def best(self, path: str) -> Any:
        """Return a value of ``best.json``."""
        return JsonGet(step_name=self.step.name, property_file=self.best_file, json_path=path)

    def output_uri(self, output: str, *parts: str) -> Any:
        """Return a URI in one of its outputs; for a cached step, that of the job that ran."""
        outputs = self.step.properties.ProcessingOutputConfig.Outputs
        return Join("/", [outputs[output].S3Output.S3Uri, *parts])


def select_best(factory: StepFactory, folds_step: Any, tuning_steps: list[Any]) -> Selection:
    """Return the step that compares the training jobs of all folds.

    Its output ``best`` contains ``best.json`` and, if the rule takes a fold's model, its ``model.tar.gz``. Its output
    ``evaluation`` contains the results of the cross-validation.
    """
    best_file = PropertyFile(name="BestModel", output_name="best", path="best.json")
    section = factory.config.selection
    rule = section.rule
    processor = factory.script_processor(
        "select-best", volume_gigabytes=section.volume_gigabytes, max_minutes=section.max_runtime_minutes
    )
    arguments = ["--objective", OBJECTIVE, "--rule", rule, "--folds", f"{PROCESSING}/input/folds/folds.json"]
    arguments += ["--folds-uri", folds_uri(folds_step)]
    for step in tuning_steps:
        arguments += ["--tuning-job", step.properties.HyperParameterTuningJobName]
    arguments += ["--best", f"{PROCESSING}/output/best", "--evaluation", f"{PROCESSING}/output/evaluation"]
    arguments += ["--message", MESSAGE]
    step = ProcessingStep(
        name="SelectBest",
        display_name="Select best model",
        description=f"Choose by the rule {rule} over {OBJECTIVE}, and estimate the error of the chosen model",
        step_args=processor.run(
            code=factory.code("select_best.pyz").uri,
            inputs=[factory.input("folds", Join("/", [folds_uri(folds_step), "folds.json"]))],
            outputs=[factory.output("best"), factory.output("evaluation")],
            arguments=arguments,
        ),
        property_files=[best_file],
        cache_config=factory.cache(),
        retry_policies=factory.job_retries(),
    )
    return Selection(step, best_file)


def quality_conditions(factory: StepFactory, selection: Selection) -> list[Any]:
    """Return the conditions that a good model meets: its estimated MSE is at most MaxMse.

    MaxMseAppliesTo says whether the estimate or the upper end of its interval counts. If the configuration sets no
    limit, the estimate must also be below the error of predicting the mean on the same folds.
    """
    limit, applies_to = factory.parameters.max_mse, factory.parameters.max_mse_applies_to
    mean = selection.best("estimate.mse")
    conditions = [ConditionLessThanOrEqualTo(left=mean, right=limit)]
    if _has_interval(factory):
        within = ConditionLessThanOrEqualTo(left=selection.best("estimate.high"), right=limit)
        conditions.append(ConditionOr(conditions=[ConditionEquals(left=applies_to, right="Mean"), within]))
    if factory.config.quality.max_mse is None:
        conditions.append(ConditionLessThan(left=mean, right=selection.best("baselines.mean")))
    return conditions


def check_quality(factory: StepFactory, selection: Selection) -> Any:
    """Return the condition that fails the execution unless the model is good."""
    error = ["The estimated MSE of the chosen model is", selection.best("estimate.mse")]
    if _has_interval(factory):
        error += ["and the upper end of its interval", selection.best("estimate.high")]
    rejection, question = "is above MaxMse", "at most MaxMse?"
    if factory.config.quality.max_mse is None:
        error += ["and that of predicting the mean", selection.best("baselines.mean")]
        rejection, question = f"{rejection}, or no better than the mean's", "below that of predicting the mean?"
    parameters = factory.parameters
    reject = FailStep(
        name="RejectModel",
        display_name="Reject model",
        description=f"The estimated error of the chosen model {rejection}",
        error_message=Join(
            " ", [*error, "and MaxMse is", parameters.max_mse, "and applies to", parameters.max_mse_applies_to]
        ),
    )
    return ConditionStep(
        name="CheckQuality",
        display_name="Check quality",
        description=f"Is the estimated MSE of the chosen model {question}",
        conditions=quality_conditions(factory, selection),
        if_steps=[],
        else_steps=[reject],
    )


def _has_interval(factory: StepFactory) -> bool:
    return factory.config.tuning.strategy != "Bayesian"
