"""Runs all checks, in the order in which their resources are created."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.bucket import check_bucket
from pipeline.operate.doctor.capacity import check_capacity
from pipeline.operate.doctor.findings import Finding, State, attempt
from pipeline.operate.doctor.identity import check_credentials, check_partition, check_region, check_sagemaker
from pipeline.operate.doctor.images import check_images
from pipeline.operate.doctor.published import check_function, check_pipeline, check_rules
from pipeline.operate.doctor.roles import check_roles
from pipeline.operate.doctor.stack import check_stack

Check = Callable[[Account], Iterable[Finding]]

_WITHOUT_CREDENTIALS: dict[str, Check] = {"region": check_region}

_WITH_CREDENTIALS: dict[str, Check] = {
    "partition": check_partition,
    "SageMaker": check_sagemaker,
    "quotas": check_capacity,
    "images": check_images,
    "stack": check_stack,
    "roles": check_roles,
    "bucket": check_bucket,
    "function": check_function,
    "pipeline": check_pipeline,
    "rules": check_rules,
}


def run_checks(account: Account) -> Iterator[Finding]:
    """Run every check, read-only. A check that fails does not stop the others.

    Args:
        account: the account.

    Yields:
        The findings, as soon as they are known.
    """
    has_credentials = False
    for finding in check_credentials(account):
        has_credentials |= finding.state is not State.FAILED
        yield finding
    for subject, check in _WITHOUT_CREDENTIALS.items():
        yield from attempt(subject, partial(check, account))
    for subject, check in _WITH_CREDENTIALS.items():
        if has_credentials:
            yield from attempt(subject, partial(check, account))
        else:
            yield Finding(subject, State.UNKNOWN, "needs credentials")
