"""Checks whether the account's quotas allow an execution and its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State
from pipeline.operate.quotas import CLIENT_CONFIG, QuotaState, check_quotas

_STATES = {
    QuotaState.ENOUGH: State.OK,
    QuotaState.TIGHT: State.ATTENTION,
    QuotaState.TOO_SMALL: State.FAILED,
    QuotaState.UNKNOWN: State.UNKNOWN,
}


def check_capacity(account: Account) -> Iterator[Finding]:
    """Compare the quotas that an execution needs with the account's."""
    report = check_quotas(account.config, lambda: account.session.client("service-quotas", config=CLIENT_CONFIG))
    if report.unanswered:
        needed = (check.requirement for check in report.checks if check.account is None)
        to_do = "compare with what is needed: " + "; ".join(f"{found.needed} of '{found.quota}'" for found in needed)
        yield Finding("quotas", State.UNKNOWN, report.unanswered, to_do)
        return
    for check in report.checks:
        required, has = check.requirement, check.account
        value = "Service Quotas does not list it" if has is None else f"{has.value}"
        default = " by AWS's default" if has and has.is_default else ""
        found = f"{value}{default}; needs {required.needed} for {required.use}"
        yield Finding(f"quota: {required.quota}", _STATES[check.state], found, check.advice(account.config.aws.region))
