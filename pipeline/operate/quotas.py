"""Compares the SageMaker quotas that an execution and its endpoint need with the account's.

SageMaker counts instances by type and in total. A tuning job counts with all the training jobs that it may run at
once: SageMaker refuses CreateHyperParameterTuningJob if MaxParallelTrainingJobs times the instances of a job exceed
the rest of the quota. Source: "Resource limit example" in
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html

Quotas are looked up by name, because each instance type has its own code.
Names: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Literal

from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.config.models import Config
from pipeline.operate.aws_errors import reason
from pipeline.operate.estimate import SCRIPT_INSTANCE, jobs_per_fold
from pipeline.text import number_of

if TYPE_CHECKING:
    from types_boto3_service_quotas import ServiceQuotasClient

CLIENT_CONFIG = ClientConfig(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
"""Settings of the Service Quotas client. The quotas are optional, so no one should wait long for them."""

_OPERATIONS: tuple[Literal["list_service_quotas", "list_aws_default_service_quotas"], ...] = (
    "list_service_quotas",
    "list_aws_default_service_quotas",
)
"""Service Quotas lists a quota that was never changed for the account only among the defaults."""


class QuotaState(StrEnum):
    """The state of a quota, compared with the need."""

    ENOUGH = "enough"
    TIGHT = "tight"
    TOO_SMALL = "too small"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class QuotaRequirement:
    """The need of an execution or its endpoint for one quota.

    Attributes:
        quota: name of the quota, as Service Quotas and ResourceLimitExceeded spell it.
        minimum: below this value a step fails.
        needed: below this value steps wait for each other, or a later update of the endpoint fails.
        use: what uses the quota.
        remedy: returns the setting that needs less, given the account's quota; empty if there is none.
        documented: AWS's documented default, for a limit whose name in Service Quotas is not documented. It is assumed
            for the account. Then ``minimum`` is 0, because the account may have more.
    """

    quota: str
    minimum: int
    needed: int
    use: str
    remedy: Callable[[int], str]
    documented: int | None = None


@dataclass(frozen=True)
class AccountQuota:
    """A quota of the account.

    Attributes:
        value: the quota's value.
        code: the quota's code, ``L-...``; empty if the value is from AWS's documentation.
        is_default: whether it is AWS's default value, which new accounts do not always have.
    """

    value: int
    code: str
    is_default: bool


@dataclass(frozen=True)
class QuotaCheck:
    """A requirement and the account's quota; None if that is unknown."""

    requirement: QuotaRequirement
    account: AccountQuota | None

    @property
    def state(self) -> QuotaState:
        """Whether the quota is enough, if nothing else in the account uses it."""
        if self.account is None:
            return QuotaState.UNKNOWN
        if self.account.value < self.requirement.minimum:
            return QuotaState.TOO_SMALL
        return QuotaState.TIGHT if self.account.value < self.requirement.needed else QuotaState.ENOUGH

    def advice(self, region: str) -> str:
        """Return what to do about a quota that is tight or too small; empty if it is enough."""
        if self.account is None or self.state is QuotaState.ENOUGH:
            return ""
        code = self.account.code
        request = (
            f"aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code {code} "
            f"--desired-value {self.requirement.needed} --region {region}"
            if code
            else "an AWS Support case"
        )
        remedy = self.requirement.remedy(self.account.value)
        return f"{remedy}, or ask for more: {request}" if remedy else f"ask for more: {request}"


@dataclass(frozen=True)
class QuotaReport:
    """The checks of all requirements.

    Attributes:
        checks: one for each requirement.
        unanswered: why Service Quotas did not answer; empty if it did.
    """

    checks: list[QuotaCheck]
    unanswered: str


def check_quotas(config: Config, connect: Callable[[], ServiceQuotasClient]) -> QuotaReport:
    """Compare the quotas that the configuration needs with the account's.

    Args:
        config: the configuration.
        connect: returns boto3's Service Quotas client, made with ``CLIENT_CONFIG``.

    Returns:
        The report. If AWS refuses, the report says so and no error is raised.
    """
    needed, found, unanswered = requirements(config), {}, ""
    try:
        found = account_quotas(connect(), [quota.quota for quota in needed if quota.documented is None])
    except (ClientError, BotoCoreError) as error:
        unanswered = reason(error)
    checks = [QuotaCheck(requirement, found.get(requirement.quota, _documented(requirement))) for requirement in needed]
    return QuotaReport(checks, unanswered)


def requirements(config: Config) -> list[QuotaRequirement]:
    """Return the needs of one execution and its endpoint, in the order of the pipeline."""
    return [*_processing(config), *_training(config), *_endpoint(config)]


def account_quotas(client: ServiceQuotasClient, names: Iterable[str]) -> dict[str, AccountQuota]:
    """Look up SageMaker's quotas by name. Those that Service Quotas does not list are left out.

    Args:
        client: boto3's Service Quotas client.
        names: names of quotas.

    Raises:
        botocore.exceptions.ClientError: Service Quotas refused.
        botocore.exceptions.BotoCoreError: Service Quotas cannot be reached.
    """
    found: dict[str, AccountQuota] = {}
    missing = {name.casefold(): name for name in names}
    for operation in _OPERATIONS:
        # There are thousands of quotas in pages of a hundred, so stop as soon as all are found.
        for page in client.get_paginator(operation).paginate(ServiceCode="sagemaker") if missing else ():
            for quota in page["Quotas"]:
                key = quota["QuotaName"].casefold()
                if key in missing and "Value" in quota:
                    is_default = operation != _OPERATIONS[0]
                    found[missing.pop(key)] = AccountQuota(int(quota["Value"]), quota["QuotaCode"], is_default)
            if not missing:
                break
    return found


def _processing(config: Config) -> Iterator[QuotaRequirement]:
    folds = config.folds
    fewer = "lower folds.instance_count" if folds.instance_count > 1 else ""
    if folds.instance_type == SCRIPT_INSTANCE:
        yield _fixed(f"{SCRIPT_INSTANCE} for processing job usage", folds.instance_count, "all processing jobs", fewer)
    else:
        other = "use another folds.instance_type" if folds.instance_count == 1 else fewer
        yield _fixed(f"{folds.instance_type} for processing job usage", folds.instance_count, "MakeFolds", other)
        yield _fixed(f"{SCRIPT_INSTANCE} for processing job usage", 1, "SelectBest, VerifyEndpoint")
    yield _fixed("Number of instances across all processing jobs", folds.instance_count, "MakeFolds", fewer)
    if folds.instance_count > 1:
        yield _fixed("Maximum number of instances per processing job", folds.instance_count, "MakeFolds", fewer)


def _training(config: Config) -> Iterator[QuotaRequirement]:
    tuning = config.tuning
    folds = min(config.folds.count, config.pipeline.max_parallel_steps)
    jobs = min(tuning.max_parallel_jobs, jobs_per_fold(config))
    kind = "spot training" if tuning.spot else "training"

    def remedy(quota: int) -> str:
        if quota >= jobs:
            return f"set pipeline.max_parallel_steps: {quota // jobs}, so that fewer folds run at once"
        return f"set tuning.max_parallel_jobs: {quota}" if quota else ""

    use = f"{folds} folds x {number_of(jobs, 'training job')} at once"
    other = "use another tuning.instance_type"
    of_type = f"{tuning.instance_type} for {kind} job usage"
    yield QuotaRequirement(of_type, jobs, folds * jobs, use, lambda quota: remedy(quota) or other)
    yield QuotaRequirement(f"Number of instances across all {kind} jobs", jobs, folds * jobs, use, remedy)
    name, remedy_of = "parallel training jobs per hyperparameter tuning job", "lower tuning.max_parallel_jobs"
    yield QuotaRequirement(name, 0, jobs, "each TuneFold", lambda _: remedy_of, documented=10)
    name, remedy_of = "parallel (concurrent) hyperparameter tuning jobs", "lower pipeline.max_parallel_steps"
    yield QuotaRequirement(name, 0, folds, "folds at once", lambda _: remedy_of, documented=100)


def _endpoint(config: Config) -> Iterator[QuotaRequirement]:
    deploy = config.deploy
    if deploy.serverless:
        name = "Maximum total concurrency that can be allocated across all serverless endpoints"
        concurrency = deploy.serverless.max_concurrency
        yield _fixed(name, concurrency, "the endpoint", "lower deploy.serverless.max_concurrency")
        return
    most = max(deploy.instance_count, deploy.autoscaling.max_instances if deploy.autoscaling else 0)

    use = f"{deploy.instance_count} at first; an update runs old and new instances at once"
    for name, other in (
        (f"{deploy.instance_type} for endpoint usage", "use another deploy.instance_type, or deploy.serverless"),
        ("Number of instances across active endpoints", "use deploy.serverless"),
    ):
        too_few = partial(_endpoint_remedy, deploy.instance_count, other)
        yield QuotaRequirement(name, deploy.instance_count, 2 * most, use, too_few)


def _endpoint_remedy(instances: int, other: str, quota: int) -> str:
    """Return the remedy of a quota that the endpoint's instances exceed, or only those of its update."""
    return other if quota < instances else "delete the endpoint before it is updated (make delete LEVEL=endpoint)"


def _fixed(quota: str, count: int, use: str, remedy: str = "") -> QuotaRequirement:
    return QuotaRequirement(quota, count, count, use, lambda _: remedy)


def _documented(requirement: QuotaRequirement) -> AccountQuota | None:
    return None if requirement.documented is None else AccountQuota(requirement.documented, "", True)
