"""What a user can set: config.yaml, read into typed models.

The models hold values and check each by itself; what has to agree between values is in ``config_checks``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import botocore.session
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.config_checks import disagreements

MAX_SHARE_OF_BAD_ROWS = 1.0


class ConfigError(Exception):
    """The configuration cannot be used.

    Attributes:
        faults: one line each, ``<file>: <path of the key>: <what is wrong>``.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@cache
def _sagemaker_shape_pattern(shape: str) -> re.Pattern[str]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return re.compile(model.shape_for(shape).metadata["pattern"])


@cache
def _sagemaker_enum(shape: str) -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_service_model("sagemaker").shape_for(shape).enum)


def _name(shape: str, longest: int) -> AfterValidator:
    """A name that AWS accepts: the pattern is botocore's, for the API's own shape."""

    def check(value: str) -> str:
        if len(value) > longest:
            raise ValueError(f"{value!r} has {len(value)} characters; AWS allows {longest}")
        if not _sagemaker_shape_pattern(shape).fullmatch(value):
            raise ValueError(f"AWS would refuse {value!r}: use letters, digits and single hyphens between them")
        return value

    return AfterValidator(check)


def _one_of(shape: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in _sagemaker_enum(shape):
            raise ValueError(f"{value!r} is not an instance type that SageMaker has for this")
        return value

    return AfterValidator(check)


def _pattern(pattern: str, expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} is not {expected}")
        return value

    return AfterValidator(check)


# 32, because a bucket, <pipeline>-<account>-<region>, may have 63 characters and a region has up to 16.
PipelineName = Annotated[str, _name("PipelineName", 32)]
EndpointName = Annotated[str, _name("EndpointName", 63)]
GroupName = Annotated[str, _name("EntityName", 63)]
RoleArn = Annotated[str, _pattern(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "the ARN of an IAM role")]
KeyArn = Annotated[str, _pattern(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+", "the ARN of a KMS key")]
AlarmName = Annotated[str, Field(min_length=1, max_length=255)]
BucketName = Annotated[str, _pattern(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket name that S3 accepts")]
Region = Annotated[str, _pattern(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region, for example us-east-1")]
Duration = Annotated[
    str,
    _pattern(
        r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?",
        "an ISO 8601 duration, for example P30D",
    ),
]
ProcessingInstance = Annotated[str, _one_of("ProcessingInstanceType")]
TrainingInstance = Annotated[str, _one_of("TrainingInstanceType")]
EndpointInstance = Annotated[str, _one_of("ProductionVariantInstanceType")]
TransformInstance = Annotated[str, _one_of("TransformInstanceType")]
ColumnName = Annotated[str, Field(min_length=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Section(BaseModel):
    """A part of the configuration: unknown keys and values of another type are refused; nothing changes it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PipelineSection(_Section):
    """The pipeline itself."""

    name: PipelineName
    description: str = "Cross-validated linear-learner: tune every fold, register and serve the best model"
    tags: dict[str, str] = Field(default_factory=dict, max_length=45)
    max_parallel_steps: int = Field(default=5, ge=1, le=50)


class VpcSection(_Section):
    """The network that every job, the endpoint and the Lambda run in."""

    subnets: list[str] = Field(min_length=1)
    security_group_ids: list[str] = Field(min_length=1)


class AwsSection(_Section):
    """Where on AWS. What is empty is what ``make bootstrap`` makes."""

    region: Region = "us-east-1"
    stack_name: str | None = None
    bucket: BucketName | None = None
    pipeline_role_arn: RoleArn | None = None
    job_role_arn: RoleArn | None = None
    lambda_role_arn: RoleArn | None = None
    kms_key_arn: KeyArn | None = None
    vpc: VpcSection | None = None


class DatasetSection(_Section):
    """The input and its columns."""

    input: str = Field(min_length=1)
    header: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "UTF-8"
    label: ColumnName
    numeric: list[ColumnName] = Field(default_factory=list)
    categorical: dict[ColumnName, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    groups: ColumnName | None = None

    @property
    def features(self) -> list[str]:
        """Names of the features, in order: numeric columns, then ``<column>_<value>`` of each category."""
        one_hot = [f"{column}_{value}" for column, values in self.categorical.items() for value in values]
        return [*self.numeric, *one_hot]

    @property
    def feature_dim(self) -> int:
        """Number of features."""
        return len(self.features)


class FoldsSection(_Section):
    """How the rows are split into folds."""

    count: int = Field(default=5, ge=2, le=20)
    shuffle: bool = True
    seed: int = Field(default=42, ge=0, le=2**31 - 1)
    layout: Literal["folders", "manifest"] = "folders"
    stratify: int | None = Field(default=None, ge=2, le=1000)
    on_bad_rows: Literal["fail", "quarantine"] = "fail"
    max_bad_share: float = Field(default=0.0, ge=0, le=MAX_SHARE_OF_BAD_ROWS)
    target_file_megabytes: int = Field(default=128, ge=1, le=4096)
    instance_type: ProcessingInstance = "ml.m5.xlarge"
    instance_count: int = Field(default=1, ge=1, le=100)
    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    max_runtime_minutes: int = Field(default=60, ge=1, le=7200)


class TuningSection(_Section):
    """The hyperparameter search of each fold."""

    strategy: Literal["Grid", "Random", "Bayesian"] = "Grid"
    learning_rate: list[PositiveFloat] = Field(min_length=1, max_length=30)
    l1: list[NonNegativeFloat] = Field(min_length=1, max_length=30)
    static_hyperparameters: dict[str, bool | int | float | str] = Field(default_factory=dict)
    max_jobs: int = Field(default=12, ge=1, le=750)
    max_parallel_jobs: int = Field(default=10, ge=1, le=100)
    early_stopping: Literal["Off", "Auto"] = "Off"
    instance_type: TrainingInstance = "ml.m5.large"
    volume_gigabytes: int = Field(default=30, ge=1, le=16384)
    max_runtime_minutes: int = Field(default=60, ge=2, le=7200)
    spot: bool = False
    max_wait_minutes: int = Field(default=120, ge=2, le=7200)


class QualitySection(_Section):
    """What a model has to reach to be registered."""

    max_mse: PositiveFloat


class RegistrySection(_Section):
    """The model package group."""

    group: GroupName
    approval_status: Literal["Approved", "PendingManualApproval", "Rejected"] = "Approved"
    inference_instances: list[EndpointInstance] = Field(min_length=1)
    transform_instances: list[TransformInstance] = Field(min_length=1)


class ServerlessSection(_Section):
    """A serverless endpoint, billed by use, in place of instances."""

    memory_megabytes: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    max_concurrency: int = Field(default=5, ge=1, le=200)


class AutoscalingSection(_Section):
    """Target tracking on invocations per instance."""

    min_instances: int = Field(default=1, ge=1)
    max_instances: int = Field(default=2, ge=1)
    invocations_per_instance: int = Field(default=1000, ge=1)


class DeploySection(_Section):
    """The endpoint."""

    endpoint_name: EndpointName
    instance_type: EndpointInstance = "ml.m5.large"
    instance_count: int = Field(default=1, ge=1, le=100)
    serverless: ServerlessSection | None = None
    autoscaling: AutoscalingSection | None = None
    data_capture_percentage: int = Field(default=0, ge=0, le=100)
    rollback_alarms: list[AlarmName] = Field(default_factory=list, max_length=10)


class TriggersSection(_Section):
    """What starts executions besides people."""

    schedule: Annotated[str, _pattern(r"(cron|rate)\(.+\)", "cron(...) or rate(...)")] | None = None
    on_new_input: bool = False


class CachingSection(_Section):
    """Reuse of steps that ran before with the same inputs."""

    enabled: bool = True
    expire_after: Duration = "P30D"


class Config(_Section):
    """The whole of config.yaml."""

    pipeline: PipelineSection
    aws: AwsSection = AwsSection()
    dataset: DatasetSection
    folds: FoldsSection = FoldsSection()
    tuning: TuningSection
    quality: QualitySection
    registry: RegistrySection
    deploy: DeploySection
    triggers: TriggersSection = TriggersSection()
    caching: CachingSection = CachingSection()


def load_config(path: Path) -> Config:
    """Read and check a configuration file; nothing of AWS is asked.

    Raises:
        ConfigError: the file cannot be read, or its values cannot be used; all faults at once.
    """
    try:
        document = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - _Loader is a SafeLoader
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(document, dict):
        raise ConfigError([f"{path}: not a configuration: sections such as 'pipeline:' are expected"])
    return parse_config(document, str(path))


def parse_config(document: dict[str, Any], source: str) -> Config:
    """Check a configuration that has been read already.

    Args:
        document: sections by name.
        source: what faults are said to be in, the file's name.

    Raises:
        ConfigError: its values cannot be used; all faults at once.
    """
    faults: list[str] = []
    faulty: set[str] = set()
    config: Config | None = None
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        faults = [f"{source}: {_path(fault['loc'])}: {_sentence(fault)}" for fault in error.errors()]
        faulty = {_path(fault["loc"][:2]) for fault in error.errors()}
        config = _with_stand_ins(document, error)
    if config is not None:
        faults += [f"{source}: {path}: {sentence}" for path, sentence in disagreements(config, faulty)]
    if faults or config is None:
        raise ConfigError(faults)
    return config


class _Loader(yaml.SafeLoader):
    """YAML without its silent overwriting of a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_STAND_INS: dict[str, dict[str, Any]] = {
    "pipeline": {"name": "stand-in"},
    "dataset": {"input": "stand-in", "label": "stand-in"},
    "tuning": {"learning_rate": [1.0], "l1": [1.0]},
    "quality": {"max_mse": 1.0},
    "registry": {
        "group": "g",
        "inference_instances": ["ml.m5.large"],
        "transform_instances": ["ml.m5.large"],
    },
    "deploy": {"endpoint_name": "stand-in"},
}
"""Values for required keys that are missing or wrong, so that disagreements elsewhere show in the same run."""


def _with_stand_ins(document: dict[str, Any], error: ValidationError) -> Config | None:
    """The configuration with harmless values, or defaults, where its own are faulty."""
    pruned = {name: dict(part) for name, part in document.items() if isinstance(part, dict)}
    for fault in error.errors():
        section, *keys = fault["loc"]
        if keys:
            pruned.get(str(section), {}).pop(keys[0], None)
        else:
            pruned.pop(str(section), None)
    for section, required in _STAND_INS.items():
        pruned[section] = {**required, **pruned.get(section, {})}
    try:
        return Config.model_validate(pruned)
    except ValidationError:
        return None


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _sentence(fault: Any) -> str:
    kind, value = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        return "unknown key"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    hint = ""
    if kind == "float_type" and isinstance(value, str) and re.fullmatch(r"[\d.]+[eE][+-]?\d+", value):
        hint = "; YAML takes 5e7 for text: write 5.0e+7 or 50000000.0"
    if kind == "string_type" and isinstance(value, bool):
        hint = "; YAML takes yes, no, on and off for true and false: put it in quotes"
    message = fault["msg"][0].lower() + fault["msg"][1:]
    return f"{message}, not {value!r}{hint}"
