"""SelectBest, CheckQuality and RejectModel: find the best training job, and reject it above the error limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.definition.folds import folds_uri
from pipeline.definition.sdk import (
    ConditionLessThanOrEqualTo,
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
    """The step that selects the best training job, and references to its results.

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

    Its output ``best`` contains the winner's ``model.tar.gz`` and ``best.json``. Its output ``evaluation`` contains
    the winner's metrics and the table of all training jobs.
    """
    best_file = PropertyFile(name="BestModel", output_name="best", path="best.json")
    arguments = ["--objective", OBJECTIVE, "--folds", f"{PROCESSING}/input/folds/folds.json"]
    for step in tuning_steps:
        arguments += ["--tuning-job", step.properties.HyperParameterTuningJobName]
    arguments += ["--best", f"{PROCESSING}/output/best", "--evaluation", f"{PROCESSING}/output/evaluation"]
    arguments += ["--message", MESSAGE]
    step = ProcessingStep(
        name="SelectBest",
        display_name="Select best model",
        description=f"Find the training job with the lowest {OBJECTIVE} among all folds",
        step_args=factory.script_processor("select-best").run(
            code=factory.code("select_best.py").uri,
            inputs=[factory.input("folds", Join("/", [folds_uri(folds_step), "folds.json"]))],
            outputs=[factory.output("best"), factory.output("evaluation")],
            arguments=arguments,
        ),
        property_files=[best_file],
        cache_config=factory.cache(),
        retry_policies=factory.job_retries(),
    )
    return Selection(step, best_file)


def check_quality(factory: StepFactory, selection: Selection, steps_if_good: list[Any]) -> Any:
    """Return the condition that registers a model with an MSE of at most MaxMse, and else fails the execution."""
    limit = factory.parameters.max_mse
    reject = FailStep(
        name="RejectModel",
        display_name="Reject model",
        description="The best model's error is above MaxMse",
        error_message=Join(" ", ["The best model's validation MSE is", selection.best("mse"), "and MaxMse is", limit]),
    )
    return ConditionStep(
        name="CheckQuality",
        display_name="Check quality",
        description="Is the best model's validation MSE at most MaxMse?",
        conditions=[ConditionLessThanOrEqualTo(left=selection.best("mse"), right=limit)],
        if_steps=steps_if_good,
        else_steps=[reject],
    )
