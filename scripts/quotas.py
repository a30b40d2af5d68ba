"""Prints SageMaker's quotas before an execution starts."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from pipeline.config.models import Config
from pipeline.operate.quotas import CLIENT_CONFIG, QuotaCheck, QuotaReport, QuotaState, check_quotas
from scripts.console import aws_session, console, with_config
from scripts.tables import add_numbers, add_texts, plain_table

_STYLES = {QuotaState.TOO_SMALL: "red", QuotaState.TIGHT: "yellow"}


def quota_report(config: Config) -> QuotaReport:
    """Compare the needed quotas with the account's. If Service Quotas does not answer, the report says so."""
    with console.status("Asking for the account's quotas"):
        return check_quotas(config, lambda: aws_session(config).client("service-quotas", config=CLIENT_CONFIG))


def print_quotas(config: Config) -> None:
    """Print the quotas that an execution and its endpoint need, the account's quotas, and what to do."""
    report = quota_report(config)
    console.print(_table(report))
    if report.unanswered:
        console.print(f"The account's quotas are not known: {report.unanswered}.", markup=False)
    _print_advice(report, config)


def print_quota_warnings(config: Config) -> None:
    """Print only the quotas that are tight or too small, or a sentence if Service Quotas does not answer."""
    report = quota_report(config)
    if report.unanswered:
        sentence = f"Quotas were not checked: {report.unanswered}. 'make estimate' lists the quotas that are needed."
        console.print(with_config(sentence), style="dim", markup=False)
    _print_advice(report, config)


def account_value(check: QuotaCheck) -> str:
    """Return the account's quota as text for a table."""
    if check.account is None:
        return "unknown"
    source = "" if not check.account.is_default else " (AWS's default)"
    return f"{check.account.value}{source}"


def _print_advice(report: QuotaReport, config: Config) -> None:
    for check in report.checks:
        if check.account and (advice := check.advice(config.aws.region)):
            need = (
                f"{check.requirement.needed} needed ({check.requirement.use}), the account has {account_value(check)}"
            )
            console.print(
                f"Quota '{check.requirement.quota}' is {check.state}: {need}. To do: {advice}",
                style=_STYLES[check.state],
                markup=False,
            )


def _table(report: QuotaReport) -> Table:
    title = "Quotas that one execution and its endpoint need; other jobs of the account use them too"
    table = plain_table(title)
    add_texts(table, "Quota of Amazon SageMaker")
    add_numbers(table, ["Needs"])
    add_texts(table, "Account has", "For")
    for check in report.checks:
        required = check.requirement
        style = _STYLES.get(check.state, "")
        table.add_row(required.quota, str(required.needed), account_value(check), escape(required.use), style=style)
    return table
