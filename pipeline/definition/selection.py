"""SelectBest: choose the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.definition.folds import folds_uri
from pipeline.definition.sdk import Join, JsonGet, ProcessingStep, PropertyFile
from pipeline.definition.step_factory import MESSAGE, PROCESSING, StepFactory


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
    config, section, rule = factory.config, factory.config.selection, factory.config.selection.rule
    objective = config.tuning.objective
    processor = factory.script_processor(
        "select-best", volume_gigabytes=section.volume_gigabytes, max_minutes=section.max_runtime_minutes
    )
    arguments = ["--objective", objective, "--direction", config.direction, "--algorithm", config.algorithm.name]
    arguments += ["--rule", rule, "--folds", f"{PROCESSING}/input/folds/folds.json"]
    arguments += ["--folds-uri", folds_uri(folds_step)]
    for step in tuning_steps:
        arguments += ["--tuning-job", step.properties.HyperParameterTuningJobName]
    arguments += ["--best", f"{PROCESSING}/output/best", "--evaluation", f"{PROCESSING}/output/evaluation"]
    arguments += ["--message", MESSAGE]
    step = ProcessingStep(
        name="SelectBest",
        display_name="Select best model",
        description=f"Choose by the rule {rule} over {objective}, and estimate the error of the chosen model",
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
