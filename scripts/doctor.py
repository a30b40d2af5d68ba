"""make doctor: check the AWS account, read-only, and print what to do.

The exit status is 1 if a check failed. Findings that need attention or could not be checked are not failures.
"""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.table import Table

from pipeline.config.models import Config
from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.checks import run_checks
from pipeline.operate.doctor.findings import Finding, State
from scripts.command_line import command
from scripts.console import aws_session, client_config, config_option, console, is_local_service, run
from scripts.tables import plain_table

_STYLES = {State.OK: "green", State.ATTENTION: "yellow", State.FAILED: "red", State.UNKNOWN: "dim"}

_WIDTHS = (24, 10)
"""Of the columns before the findings, so that those have half of a terminal of 80 columns."""


@command("doctor")
@config_option
def main(config: Config) -> int:
    """Check your AWS account, read-only, and print what to do.

    The exit status is 1 if a check failed.
    """
    account = Account(config, aws_session(config), is_local=is_local_service(), client_config=client_config())
    findings = []
    with console.status("Checking") as status:
        for finding in run_checks(account):
            findings.append(finding)
            status.update(f"Checking: {escape(finding.subject)} is done")
    console.print(_table(findings))
    counts = Counter(finding.state for finding in findings)
    console.print(", ".join(f"{counts[state]} {state}" for state in State if counts[state]) + ". Nothing was changed.")
    return 1 if counts[State.FAILED] else 0


def _table(findings: list[Finding]) -> Table:
    table = plain_table()
    table.add_column("Check", overflow="fold", max_width=_WIDTHS[0])
    table.add_column("State", max_width=_WIDTHS[1])
    table.add_column("Found, and what to do", overflow="fold")
    for finding in findings:
        state = f"[{_STYLES[finding.state]}]{finding.state}[/]"
        found = finding.found + (f"\nTo do: {finding.to_do}" if finding.to_do else "")
        table.add_row(escape(finding.subject), state, escape(found))
    return table


if __name__ == "__main__":
    run(main)
