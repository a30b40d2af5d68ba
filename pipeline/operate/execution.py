"""Reads the state of an execution and of its steps from AWS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.errors import with_trust_hint
from pipeline.text import number_of

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import PipelineExecutionStepMetadataTypeDef, PipelineExecutionStepTypeDef

ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True)
class StepState:
    """A step of an execution.

    Attributes:
        name: its name in the definition.
        status: ``Executing``, ``Succeeded``, ``Failed`` ..., ``Waiting`` if it has not started, or ``Not run`` if the
            execution has ended without it.
        seconds: its duration so far; 0 if it has not started.
        detail: training jobs done, a cache hit, a condition's outcome, or the failure reason.
        metadata: the step's metadata from AWS, which names its job.
    """

    name: str
    status: str
    seconds: float
    detail: str
    metadata: PipelineExecutionStepMetadataTypeDef

    @property
    def started(self) -> bool:
        """Whether the step has started."""
        return self.status not in ("Waiting", "Not run")


@dataclass(frozen=True)
class ExecutionState:
    """The state of an execution at one moment.

    Attributes:
        arn: its ARN.
        status: ``Executing``, ``Stopping``, ``Succeeded``, ``Failed`` or ``Stopped``.
        failure: why it failed; empty otherwise.
        steps: its steps in the order in which they started; those that have not started come last.
    """

    arn: str
    status: str
    failure: str
    steps: list[StepState]

    @property
    def ended(self) -> bool:
        """Whether the execution has ended."""
        return self.status in ENDED

    def step(self, name: str) -> StepState | None:
        """Return the step of that name, or None if it has not started."""
        return next((step for step in self.steps if step.name == name and step.started), None)


def latest_execution(sagemaker: SageMakerClient, pipeline_name: str) -> str | None:
    """Return the ARN of the latest execution, or None if there is none."""
    summaries = sagemaker.list_pipeline_executions(
        PipelineName=pipeline_name, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["PipelineExecutionSummaries"]
    return summaries[0]["PipelineExecutionArn"] if summaries else None


def execution_state(sagemaker: SageMakerClient, arn: str, step_names: list[str]) -> ExecutionState:
    """Read the state of an execution from AWS.

    Args:
        sagemaker: boto3's SageMaker client.
        arn: the execution.
        step_names: all steps of its definition; those that have not started are listed last.
    """
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    started = [_step_state(sagemaker, step) for step in _with_metadata(sagemaker, _started_steps(sagemaker, arn))]
    names = {step.name for step in started}
    status = description["PipelineExecutionStatus"]
    absent = "Not run" if status in ENDED else "Waiting"
    return ExecutionState(
        arn=arn,
        status=status,
        failure=str(description.get("FailureReason", "")),
        steps=started + [StepState(name, absent, 0.0, "", {}) for name in step_names if name not in names],
    )


def _started_steps(sagemaker: SageMakerClient, arn: str) -> list[PipelineExecutionStepTypeDef]:
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def _cache_source(step: PipelineExecutionStepTypeDef) -> str:
    """Return the ARN of the execution whose cached result a step reused, or an empty text.

    The developer guide shows an empty ARN for a step that ran by itself:
    https://docs.aws.amazon.com/sagemaker/latest/dg/run-pipeline.html
    """
    return str(step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn", ""))


def _with_metadata(
    sagemaker: SageMakerClient, steps: list[PipelineExecutionStepTypeDef]
) -> list[PipelineExecutionStepTypeDef]:
    """Add to cached steps without metadata that of the step whose result they reuse.

    The API's reference does not say whether a cached step names the earlier job.
    """
    sources: dict[str, dict[str, PipelineExecutionStepTypeDef]] = {}

    def metadata(
        step: PipelineExecutionStepTypeDef, seen: tuple[str, ...] = ()
    ) -> PipelineExecutionStepMetadataTypeDef:
        found: PipelineExecutionStepMetadataTypeDef = step.get("Metadata", {})
        source = _cache_source(step)
        if found or not source or source in seen:
            return found
        if source not in sources:
            try:
                sources[source] = {earlier["StepName"]: earlier for earlier in _started_steps(sagemaker, source)}
            except ClientError:
                sources[source] = {}  # its pipeline was deleted
        earlier = sources[source].get(step["StepName"])
        return metadata(earlier, (*seen, source)) if earlier else {}

    return [{**step, "Metadata": metadata(step)} for step in steps]


def _step_state(sagemaker: SageMakerClient, step: PipelineExecutionStepTypeDef) -> StepState:
    start = step.get("StartTime")
    end = step.get("EndTime") or (datetime.now(start.tzinfo) if start else None)
    return StepState(
        name=step["StepName"],
        status=step["StepStatus"],
        seconds=(end - start).total_seconds() if start and end else 0.0,
        detail=_detail(sagemaker, step),
        metadata=step.get("Metadata", {}),
    )


def _detail(sagemaker: SageMakerClient, step: PipelineExecutionStepTypeDef) -> str:
    metadata = step.get("Metadata", {})
    if step.get("FailureReason"):
        return with_trust_hint(str(step["FailureReason"]))
    if source := _cache_source(step):
        return f"from the cache of {source.rpartition('/')[2]}"
    if "TuningJob" in metadata:
        return _tuning_detail(sagemaker, metadata["TuningJob"]["Arn"])
    if "Condition" in metadata:
        return f"outcome {metadata['Condition'].get('Outcome', 'not known yet')}"
    if step.get("AttemptCount", 0) > 1:
        return f"attempt {step['AttemptCount']}"
    return ""


def _tuning_detail(sagemaker: SageMakerClient, arn: str) -> str:
    try:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=arn.rpartition("/")[2])
    except sagemaker.exceptions.ResourceNotFound:
        return "starting"  # the step names its job a moment before the job exists
    counters = job["TrainingJobStatusCounters"]
    total = job["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    text = f"{counters.get('Completed', 0)} of {'? jobs' if total is None else number_of(total, 'job')}"
    failed = counters.get("NonRetryableError", 0)
    if failed:
        text += f", {failed} failed"
    best = job.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
    # The name without its channel, as in validation:mse: so the text fits its column in a terminal of 80.
    return text if best is None else f"{text}, best {best['MetricName'].rpartition(':')[2]} {best['Value']:.6g}"
