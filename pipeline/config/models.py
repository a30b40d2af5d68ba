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
from pipeline.config.section import DEFAULT_IN_WORDS, Section
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
    TagKey,
    TagValue,
    TransformInstance,
)

_SectionT = TypeVar("_SectionT", bound=Section)


class PipelineSection(Section):
    """The pipeline itself."""

    name: PipelineName
    """Name of the pipeline. The bucket, roles, stack and function are named after it. So are the model package
    group and the endpoint, unless they have names of their own."""

    description: str = "Cross-validated tuning: tune every fold, register and serve the best model"
    """Shown in Studio, followed by the parameters' meaning."""

    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=45)
    """Tags of everything that the project creates. Keys that begin with ``aws:`` belong to AWS, and ``deployed-by``,
    ``last-known-good``, ``failed-verification``, ``waiting-model-package`` and ``latest-deployment`` to the
    endpoint."""

    max_parallel_steps: int = Field(default=5, ge=1, le=50)
    """Steps of one execution that run at the same time."""


class VpcSection(Section):
    """The network of the jobs, the endpoint and the Lambda function."""

    subnets: list[str] = Field(min_length=1)
    """IDs of the subnets."""

    security_group_ids: list[str] = Field(min_length=1)
    """IDs of the security groups."""


class AwsSection(Section):
    """Region, bucket and roles on AWS. Empty values mean the resources that ``make bootstrap`` creates."""

    region: Region = "us-east-1"
    """Region of all resources. Regions of the partitions ``aws-cn`` and ``aws-us-gov`` work too. Not yet seen on
    AWS."""

    stack_name: str | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "the pipeline's name"})
    """CloudFormation stack that ``make bootstrap`` creates. Not yet seen on AWS."""

    bucket: BucketName | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "the stack's"})
    """Bucket for code, data and results."""

    pipeline_role_arn: RoleArn | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "the stack's"})
    """Role that the pipeline assumes. Local roles grant and deny nothing. Not yet seen on AWS."""

    job_role_arn: RoleArn | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "the stack's"})
    """Role of processing jobs, training jobs and the endpoint. Not yet seen on AWS."""

    lambda_role_arn: RoleArn | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "the stack's"})
    """Role of the Lambda function that deploys. Not yet seen on AWS."""

    events_role_arn: RoleArn | None = Field(default=None, json_schema_extra={DEFAULT_IN_WORDS: "the stack's"})
    """Role with which a schedule or a new object starts the pipeline. Not yet seen on AWS."""

    kms_key_arn: KeyArn | None = None
    """Key that encrypts the volumes and outputs of jobs, endpoint and function. No effect locally. Not yet seen on
    AWS."""

    vpc: VpcSection | None = None
    """Network of jobs, endpoint and function. No effect locally. Not yet seen on AWS."""


FEWEST_FOLDS = 2

QUARANTINED_SHARE = 0.05
"""The default of ``folds.max_bad_share`` with ``quarantine``."""


def _bad_share(values: dict[str, Any]) -> float:
    """Return the default of max_bad_share: room for dirty rows, while a wrong delimiter or column still fails."""
    return QUARANTINED_SHARE if values["on_bad_rows"] == "quarantine" else 0.0


class TrainingSection(Section):
    """What learns, and what it learns."""

    algorithm: AlgorithmName = DEFAULT
    """SageMaker's built-in algorithm, see [linear-learner.md](linear-learner.md) and [xgboost.md](xgboost.md).
    XGBoost is not yet seen on AWS."""

    problem: Problem = "regression"
    """``regression``: the label is a number. ``binary`` or ``multiclass``: it is one of ``dataset.classes``."""


class FoldsSection(Section):
    """How the rows are split into folds."""

    count: int = Field(default=5, ge=FEWEST_FOLDS, le=20)
    """Number of folds."""

    shuffle: bool = True
    """Rows go to random folds and are written in random order. With ``false``, both follow the order of the
    file."""

    seed: int = Field(default=42, ge=0, le=2**31 - 1)
    """The same seed and input give the same folds, on any number of machines."""

    layout: Literal["folders", "manifest"] = "folders"
    """``folders`` writes a folder for each training set. ``manifest`` writes every row once and names each training
    set by a manifest. ``manifest`` is not yet seen on AWS."""

    stratify: int | None = Field(default=None, ge=2, le=1000)
    """Number of quantile bins of the label. Every fold gets its share of each bin."""

    on_bad_rows: Literal["fail", "quarantine"] = "fail"
    """``quarantine`` sets bad rows aside, in ``rejected/`` beside the folds, and goes on. ``make run``, ``make
    status`` and ``make report`` say how many, why and where."""

    max_bad_share: float = Field(
        default_factory=_bad_share, ge=0, le=1, json_schema_extra={DEFAULT_IN_WORDS: "0, or 0.05 with ``quarantine``"}
    )
    """Share of bad rows above which ``quarantine`` fails too. The default leaves room for dirty rows. A wrong
    delimiter, or a column declared as another kind, makes most rows bad and still fails. Refused without
    ``quarantine``."""

    target_file_megabytes: int = Field(default=128, ge=1, le=4096)
    """Approximate size of an output file."""

    instance_type: ProcessingInstance = "ml.m5.xlarge"
    """Default of the parameter ProcessingInstanceType. No effect locally. Not yet seen on AWS."""

    instance_count: int = Field(default=1, ge=1, le=100)
    """Default of the parameter ProcessingInstanceCount. The local service uses one machine. Not yet seen on AWS."""

    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    """Disk of each instance. No effect locally. Not yet seen on AWS."""

    max_runtime_minutes: int = Field(default=60, ge=1, le=7200)
    """The job is stopped after this time."""


class SelectionSection(Section):
    """How the model is chosen."""

    rule: Literal["lowest_mse", "lowest_mean_mse", "one_standard_error"] = "lowest_mse"
    """``lowest_mse`` registers the model of the training job with the lowest MSE. ``lowest_mean_mse`` and
    ``one_standard_error`` choose hyperparameters by their errors on all folds, and train a model with them on all
    rows. See [selection.md](selection.md). Neither works with ``Bayesian``. The training on all rows is not yet
    seen on AWS."""

    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    """Disk of SelectBest's instance. The out-of-fold predictions take about 40 bytes a row. No effect locally. Not
    yet seen on AWS."""

    max_runtime_minutes: int = Field(default=60, ge=1, le=7200)
    """SelectBest is stopped after this time. It reads every row once: about 6 microseconds a row of five features,
    measured on one core."""

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
    """Default of the parameter MaxMse, or of QualityLimit if the objective is not the MSE. A model whose
    cross-validated objective is worse is rejected: higher if the objective is minimised, else lower. Without it, a
    model is rejected unless it is better than predicting the same for every row (the mean, or the classes' shares)
    on the same folds. The parameter is then 1e+300 or -1e+300, which is no limit; an execution can set it, and both
    conditions apply."""

    max_mse: PositiveFloat | None = None
    """Another name of ``quality.limit``, for the objective ``validation:mse``."""

    applies_to: Literal["Mean", "UpperEnd"] = "Mean"
    """Default of the parameter MaxMseAppliesTo or QualityLimitAppliesTo. With ``UpperEnd``, which needs a limit,
    the worse end of the estimate's interval must keep it."""

    @property
    def given(self) -> float | None:
        """The limit by either name."""
        return self.max_mse if self.limit is None else self.limit


class RegistrySection(Section):
    """The group that registered models join."""

    group: GroupName = Field(default="", json_schema_extra={DEFAULT_IN_WORDS: "the pipeline's name"})
    """Model package group."""

    approval_status: Literal["Approved", "PendingManualApproval", "Rejected"] = "Approved"
    """Default of the parameter ModelApprovalStatus. ``Approved`` deploys at once. ``PendingManualApproval`` deploys
    when a person approves the model package; the event of that approval is not yet seen on AWS."""

    inference_instances: list[EndpointInstance] = Field(default=["ml.t2.medium", "ml.m5.large"], min_length=1)
    """Instance types on which the model package may be served. No effect locally. Not yet seen on AWS."""

    transform_instances: list[TransformInstance] = Field(default=["ml.m5.large"], min_length=1)
    """Instance types on which it may run batch transform; ``make predict BATCH=1`` uses the first. No effect
    locally. Not yet seen on AWS."""


class ServerlessSection(Section):
    """A serverless endpoint: billed by use, without instances."""

    memory_megabytes: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory of the endpoint."""

    max_concurrency: int = Field(default=5, ge=1, le=200)
    """Requests that it answers at the same time."""


class AutoscalingSection(Section):
    """Target tracking of the invocations per instance."""

    min_instances: int = Field(default=1, ge=1)
    """Fewest instances."""

    max_instances: int = Field(default=2, ge=1)
    """Most instances."""

    invocations_per_instance: int = Field(default=1000, ge=1)
    """Requests a minute of one instance, above which instances are added."""


class DeploySection(Section):
    """The endpoint, and the Lambda function that deploys it."""

    endpoint_name: EndpointName = Field(default="", json_schema_extra={DEFAULT_IN_WORDS: "the pipeline's name"})
    """Default of the parameter EndpointName."""

    instance_type: EndpointInstance = "ml.m5.large"
    """Default of the parameter EndpointInstanceType. No effect locally. Not yet seen on AWS."""

    instance_count: int = Field(default=1, ge=1, le=100)
    """Default of the parameter EndpointInstanceCount. No effect locally. Not yet seen on AWS."""

    serverless: ServerlessSection | None = None
    """A serverless endpoint, billed by use, without instances. Cannot be combined with ``aws.vpc``, autoscaling or
    data capture. Locally it serves as any endpoint. Not yet seen on AWS."""

    autoscaling: AutoscalingSection | None = None
    """The number of instances follows the requests. No effect locally. Not yet seen on AWS."""

    data_capture_percentage: int = Field(default=0, ge=0, le=100)
    """Percentage of requests that the endpoint writes to the bucket. Not yet seen on AWS."""

    log_retention_days: RetentionDays = 90
    """Days for which the log of the function that deploys is kept. 0 keeps it for ever. No effect locally. Not yet
    seen on AWS."""

    rollback_alarms: list[AlarmName] = Field(default_factory=list, max_length=10)
    """CloudWatch alarms. An update of the endpoint is undone when one goes off. No effect locally. Not yet seen on
    AWS."""

    verification_tolerance: PositiveFloat = 0.3
    """Relative difference that VerifyEndpoint allows between the endpoint's error on the held-out rows and the
    training job's error. It counts only where VerifyEndpoint cannot compare scores with the artifact's own, see
    [operations.md](operations.md#verification)."""


class TriggersSection(Section):
    """Events that start executions without a person."""

    schedule: Schedule | None = None
    """Starts executions. Locally, publishing leaves the rule out. Not yet seen on AWS."""

    on_new_input: bool = False
    """A new object under ``dataset.input``, an ``s3://`` prefix, starts an execution. Not yet seen on AWS."""


class CachingSection(Section):
    """Reuse of the results of steps that ran before with the same inputs."""

    enabled: bool = True
    """A step that ran before with the same code, arguments and inputs is not run again."""

    expire_after: Duration = "P30D"
    """Age after which a result is not used again. ``P30M`` is thirty months, not minutes."""


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

    def without_roles(self) -> Config:
        """Return the configuration without roles, for an account that is not theirs: the local service's."""
        roles = [key for key in AwsSection.model_fields if key.endswith("_role_arn")]
        return self.model_copy(update={"aws": self.aws.model_copy(update=dict.fromkeys(roles))})

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
