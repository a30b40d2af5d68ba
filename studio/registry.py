"""Reads the model registry: the groups, and the model packages that are their versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from botocore.exceptions import ClientError

from studio.aws import Aws
from studio.definitions import Document

PAGE = 20
"""Versions on a page of a group: each is two calls of AWS."""

_CALLS_AT_ONCE = 8
_METRICS = {"mse": "MSE", "rmse": "RMSE", "mae": "MAE", "r2": "R2", "auc": "AUC", "f1": "F1"} | {
    "logloss": "Log loss",
    "mlogloss": "Log loss",
    "objective_loss": "Loss",
    "roc_auc_score": "AUC",
}

_NO_WARNINGS = "No warnings."
"""What steps/evaluation/card.py writes into a card without warnings."""


@dataclass(frozen=True)
class Package:
    """A model package: a version of a group.

    Attributes:
        record: what DescribeModelPackage says.
    """

    record: Document

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.record["ModelPackageArn"])

    @property
    def group(self) -> str:
        """The name of its group."""
        return str(self.record["ModelPackageGroupName"])

    @property
    def version(self) -> int:
        """Its number in the group."""
        return int(self.record["ModelPackageVersion"])

    @property
    def approval(self) -> str:
        """Approved, Rejected or PendingManualApproval."""
        return str(self.record.get("ModelApprovalStatus", ""))

    @property
    def metadata(self) -> dict[str, str]:
        """What was recorded when it was registered, by name."""
        found: dict[str, str] = self.record.get("CustomerMetadataProperties") or {}
        return found

    @property
    def metric(self) -> str:
        """The name of the metric of its estimate: the MSE unless another one is recorded."""
        unknown = "the objective" if "estimate_value" in self.metadata else "mse"
        name = _named(self.metadata.get("metric", "")).rpartition(":")[2] or unknown
        return _METRICS.get(name, name.replace("_", " "))

    @property
    def estimate(self) -> str:
        """Its cross-validated estimate in that metric; empty if it is not recorded."""
        return _named(self.metadata.get("estimate_value") or self.metadata.get("estimate_mse", ""))

    @property
    def endpoint(self) -> str:
        """The endpoint that its approval deploys it to; empty if it names none, or no execution that registered it."""
        return self.metadata.get("endpoint_name", "") if self.execution else ""

    @property
    def training_job(self) -> str:
        """The training job that made its model; empty if it names none."""
        return _named(self.metadata.get("training_job", ""))

    @property
    def execution_arn(self) -> str:
        """The ARN of the execution that registered it; empty if it names none."""
        return self.metadata.get("pipeline_execution_arn", "")

    @property
    def execution(self) -> tuple[str, str] | None:
        """The pipeline and the execution that registered it, if it names one."""
        parts = self.execution_arn.split("/")
        return (parts[1], parts[3]) if len(parts) == 4 and parts[2] == "execution" else None

    @cached_property
    def card(self) -> Document:
        """The content of its model card; empty without one."""
        text = (self.record.get("ModelCard") or {}).get("ModelCardContent") or "{}"
        try:
            content = json.loads(text)
        except ValueError:
            return {"content": text}
        return content if isinstance(content, dict) else {"content": content}

    @property
    def warnings(self) -> str:
        """The card's warnings; empty if there are none."""
        told = self.card.get("additional_information")
        text = told.get("caveats_and_recommendations") if isinstance(told, dict) else None
        return "" if text in (None, _NO_WARNINGS) else str(text)


def list_packages(aws: Aws, group: str, token: str = "") -> tuple[list[Package], str]:
    """Return a page of a group's versions, the newest first, and the token of the next page."""
    more: Any = {"NextToken": token} if token else {}
    answer = aws.sagemaker.list_model_packages(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=PAGE, **more
    )
    arns = [each["ModelPackageArn"] for each in answer.get("ModelPackageSummaryList", [])]
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        return list(pool.map(lambda arn: describe_package(aws, arn), arns)), answer.get("NextToken", "")


def read_package(aws: Aws, group: str, version: int) -> Package:
    """Read a version of a group."""
    described = aws.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    stem = described["ModelPackageGroupArn"].replace(":model-package-group/", ":model-package/")
    return describe_package(aws, f"{stem}/{version}")


def describe_package(aws: Aws, arn: str) -> Package:
    """Read the version of an ARN."""
    answer: Any = aws.sagemaker.describe_model_package(ModelPackageName=arn)
    return Package({key: value for key, value in answer.items() if key != "ResponseMetadata"})


def deleted_executions(aws: Aws, packages: Iterable[Package]) -> frozenset[str]:
    """Return the ARNs of executions that registered the versions and are there no more. Each is one call of AWS."""
    arns = {each.execution_arn for each in packages if each.execution is not None}
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        return frozenset(
            arn for arn, is_deleted in zip(arns, pool.map(partial(_is_deleted, aws), arns), strict=True) if is_deleted
        )


def _is_deleted(aws: Aws, arn: str) -> bool:
    try:
        aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    except aws.sagemaker.exceptions.ResourceNotFound:
        return True
    except ClientError:
        return False  # Not known: the execution's page says why.
    return False


def place_of_package(arn: str) -> tuple[str, int] | None:
    """Return the group and the version of an ARN, or None if it is not a version of a group."""
    parts = arn.rpartition(":")[2].split("/")
    if len(parts) != 3 or parts[0] != "model-package" or not parts[2].isdecimal():
        return None
    return parts[1], int(parts[2])


def figures(package: Package) -> Iterator[tuple[str, str]]:
    """Yield a version's metrics: what each is, and its value."""
    title = package.metric[:1].upper() + package.metric[1:]
    names = {
        ("estimate_value", "estimate_mse"): f"{title}, cross-validated",
        ("estimate_low",): f"{title}, lower end",
        ("estimate_high",): f"{title}, upper end",
        ("validation_value", "validation_mse"): f"{title} on its own fold",
        ("training_value", "training_mse"): f"{title} on all rows, trained on them",
    }
    for kinds, text in names.items():
        value = next(filter(None, (_named(package.metadata.get(kind, "")) for kind in kinds)), "")
        if value:
            yield text, value


def _named(value: str) -> str:
    """Return a value of the metadata; empty for ``none``, which stands for a missing one."""
    return "" if value == "none" else value
