"""The typed models of config.yaml.

The models check each value by itself. ``checks`` compares values with each other; ``loading`` reads the file.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from definition_language.objectives import Direction, Problem
from pipeline.algorithms.algorithm import Algorithm, Task
from pipeline.algorithms.table import ALGORITHMS, DEFAULT
from pipeline.config.columns import DatasetSection
from pipeline.config.search import TuningSection, complete
from pipeline.config.section import Section
from pipeline.config.types import (
    AlarmName,
    AlgorithmName,
    BucketName,
    Duration,
    EndpointInstance,
    EndpointName,
    FiniteFloat,
    GroupName,
    KeyArn,
    PipelineName,
    PositiveFloat,
    ProcessingInstance,
    Region,
    RetentionDays,
    RoleArn,
    Schedule,
    TransformInstance,
)

_SectionT = TypeVar("_SectionT", bound=Section)


class PipelineSection(Section):
    """The pipeline itself."""

    name: PipelineName
    description: str = "Cross-validated tuning: tune every fold, register and serve the best model"
    tags: dict[str, str] = Field(default_factory=dict, max_length=45)
    max_parallel_steps: int = Field(default=5, ge=1, le=50)


class VpcSection(Section):
    """The network of the jobs, the endpoint and the Lambda function."""

    subnets: list[str] = Field(min_length=1)
    security_group_ids: list[str] = Field(min_length=1)


class AwsSection(Section):
    """Region, bucket and roles on AWS. Empty values mean the resources that ``make bootstrap`` creates."""

    region: Region = "us-east-1"
    stack_name: str | None = None
    bucket: BucketName | None = None
    pipeline_role_arn: RoleArn | None = None
    job_role_arn: RoleArn | None = None
    lambda_role_arn: RoleArn | None = None
    events_role_arn: RoleArn | None = None
    kms_key_arn: KeyArn | None = None
    vpc: VpcSection | None = None


def _bad_share(values: dict[str, Any]) -> float:
    """Return the default of max_bad_share: room for dirty rows, while a wrong delimiter or column still fails."""
    return 0.05 if values["on_bad_rows"] == "quarantine" else 0.0


class TrainingSection(Section):
    """What learns, and what it learns."""

    algorithm: AlgorithmName = DEFAULT
    problem: Problem = "regression"


class FoldsSection(Section):
    """How the rows are split into folds."""

    count: int = Field(default=5, ge=2, le=20)
    shuffle: bool = True
    seed: int = Field(default=42, ge=0, le=2**31 - 1)
    layout: Literal["folders", "manifest"] = "folders"
    stratify: int | None = Field(default=None, ge=2, le=1000)
    on_bad_rows: Literal["fail", "quarantine"] = "fail"
    max_bad_share: float = Field(default_factory=_bad_share, ge=0, le=1)
    target_file_megabytes: int = Field(default=128, ge=1, le=4096)
    instance_type: ProcessingInstance = "ml.m5.xlarge"
    instance_count: int = Field(default=1, ge=1, le=100)
    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    max_runtime_minutes: int = Field(default=60, ge=1, le=7200)


class SelectionSection(Section):
    """How the model is chosen."""

    rule: Literal["lowest_mse", "lowest_mean_mse", "one_standard_error"] = "lowest_mse"
    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    max_runtime_minutes: int = Field(default=60, ge=1, le=7200)

    @property
    def refits(self) -> bool:
        """Whether a model is trained on all rows with the chosen hyperparameters."""
        return self.rule != "lowest_mse"


class QualitySection(Section):
    """The condition under which a model is registered.

    Without a limit, a model must be better than predicting the same for every row. ``max_mse`` is another name of
    ``limit``, if the objective is the MSE.
    """

    limit: FiniteFloat | None = None
    max_mse: PositiveFloat | None = None
    applies_to: Literal["Mean", "UpperEnd"] = "Mean"

    @property
    def given(self) -> float | None:
        """The limit by either name."""
        return self.max_mse if self.limit is None else self.limit


class RegistrySection(Section):
    """The model package group. ``Config`` gives it the pipeline's name if it has no name of its own."""

    group: GroupName = ""
    approval_status: Literal["Approved", "PendingManualApproval", "Rejected"] = "Approved"
    inference_instances: list[EndpointInstance] = Field(default=["ml.t2.medium", "ml.m5.large"], min_length=1)
    transform_instances: list[TransformInstance] = Field(default=["ml.m5.large"], min_length=1)


class ServerlessSection(Section):
    """A serverless endpoint: billed by use, without instances."""

    memory_megabytes: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    max_concurrency: int = Field(default=5, ge=1, le=200)


class AutoscalingSection(Section):
    """Target tracking of the invocations per instance."""

    min_instances: int = Field(default=1, ge=1)
    max_instances: int = Field(default=2, ge=1)
    invocations_per_instance: int = Field(default=1000, ge=1)


class DeploySection(Section):
    """The endpoint. ``Config`` gives it the pipeline's name if it has no name of its own."""

    endpoint_name: EndpointName = ""
    instance_type: EndpointInstance = "ml.m5.large"
    instance_count: int = Field(default=1, ge=1, le=100)
    serverless: ServerlessSection | None = None
    autoscaling: AutoscalingSection | None = None
    data_capture_percentage: int = Field(default=0, ge=0, le=100)
    log_retention_days: RetentionDays = 90
    rollback_alarms: list[AlarmName] = Field(default_factory=list, max_length=10)
    verification_tolerance: PositiveFloat = 0.3


class TriggersSection(Section):
    """Events that start executions without a person."""

    schedule: Schedule | None = None
    on_new_input: bool = False


class CachingSection(Section):
    """Reuse of the results of steps that ran before with the same inputs."""

    enabled: bool = True
    expire_after: Duration = "P30D"


class Config(Section):
    """The complete config.yaml. Sections that are absent or empty have their defaults."""

    pipeline: PipelineSection
    aws: AwsSection = AwsSection()
    training: TrainingSection = TrainingSection()
    dataset: DatasetSection
    folds: FoldsSection = FoldsSection()
    tuning: TuningSection = Field(default_factory=TuningSection, validate_default=True)
    selection: SelectionSection = Field(default_factory=SelectionSection)
    quality: QualitySection = QualitySection()
    registry: RegistrySection = Field(default_factory=RegistrySection, validate_default=True)
    deploy: DeploySection = Field(default_factory=DeploySection, validate_default=True)
    triggers: TriggersSection = TriggersSection()
    caching: CachingSection = CachingSection()

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm."""
        return ALGORITHMS[self.training.algorithm]

    @property
    def task(self) -> Task:
        """What the model learns."""
        return Task(self.training.problem, len(self.dataset.classes or ()), self.tuning.objective)

    @property
    def direction(self) -> Direction:
        """Whether lower or higher values of the objective are better."""
        return self.algorithm.objectives(self.training.problem)[self.tuning.objective]

    def with_input(self, path: str) -> Config:
        """Return the configuration with another input file."""
        return self.model_copy(update={"dataset": self.dataset.model_copy(update={"input": path})})

    @model_validator(mode="before")
    @classmethod
    def _without_empty_sections(cls, document: Any) -> Any:
        """Drop sections without keys, which YAML reads as null."""
        if not isinstance(document, dict):
            return document
        return {name: section for name, section in document.items() if section is not None}

    @field_validator("tuning")
    @classmethod
    def _complete_tuning(cls, tuning: TuningSection, info: ValidationInfo) -> TuningSection:
        training: TrainingSection | None = info.data.get("training")
        return tuning if training is None else complete(tuning, ALGORITHMS[training.algorithm], training.problem)

    @field_validator("registry")
    @classmethod
    def _name_group(cls, registry: RegistrySection, info: ValidationInfo) -> RegistrySection:
        return _named(registry, "group", info)

    @field_validator("deploy")
    @classmethod
    def _name_endpoint(cls, deploy: DeploySection, info: ValidationInfo) -> DeploySection:
        return _named(deploy, "endpoint_name", info)


def _named(section: _SectionT, key: str, info: ValidationInfo) -> _SectionT:
    """Return the section with the pipeline's name in a key that has none, unless the pipeline's section is faulty."""
    pipeline: PipelineSection | None = info.data.get("pipeline")
    if getattr(section, key) or pipeline is None:
        return section
    return section.model_copy(update={key: pipeline.name})
