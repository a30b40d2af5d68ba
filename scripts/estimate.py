"""make estimate: estimate the cost of an execution and of the endpoint on AWS, and list the quotas they need.

It works without an account. Only the account's quotas come from AWS, and are left out if it does not answer.
"""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from pipeline.config.models import Config
from pipeline.errors import UserError
from pipeline.operate.estimate import DEFAULT_PRICES, Estimate, Prices, estimate, load_prices
from scripts.command_line import command, option
from scripts.console import config_option, console, run
from scripts.quotas import print_quotas
from scripts.tables import add_numbers, add_texts, plain_table


@command("estimate")
@config_option
@option(
    "--prices",
    "price_file",
    variable="PRICES",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_PRICES,
    metavar="file.yaml",
    help="The prices to use instead of infra/prices.yaml.",
)
def main(config: Config, price_file: Path) -> int:
    """Estimate the cost of an execution and the endpoint, and list the quotas they need."""
    prices = load_prices(price_file)
    found = estimate(config, prices)
    console.print(_steps(found))
    console.print(
        f"Longest path: typically {found.typical_minutes:.0f} minutes, at most {found.longest_minutes:.0f} "
        "if every job reaches its time limit in config.yaml.",
        soft_wrap=True,
    )
    console.print(f"Endpoint: {_endpoint(config, found)}", soft_wrap=True)
    console.print(_caveats(config, prices), style="dim", soft_wrap=True)
    print_quotas(config)
    return 0


def costs_in_short(config: Config) -> str:
    """Return the cost of an execution and its endpoint by infra/prices.yaml, in two sentences, for AWS."""
    prices = load_prices(DEFAULT_PRICES)
    try:
        found = estimate(config, prices)
    except UserError as error:
        return f"The cost is not known. {error}"
    return (
        f"An execution typically costs {found.typical_dollars:.2f} US dollars, at most {found.longest_dollars:.2f} "
        f"({_origin(config, prices)}). Endpoint: {_endpoint(config, found)}"
    )


def _steps(found: Estimate) -> Table:
    table = plain_table("One execution, typically and at most (an estimate)")
    add_texts(table, "Step")
    add_numbers(table, ["Jobs"])
    add_texts(table, "Instances")
    add_numbers(table, ("Hours", "at most", "US dollars", "at most"))
    for step in found.steps:
        table.add_row(
            step.name,
            str(step.jobs),
            f"{step.instances} x {step.instance_type}",
            f"{step.typical_hours:.2f}",
            f"{step.longest_hours:.1f}",
            f"{step.typical_dollars:.2f}",
            f"{step.longest_dollars:.2f}",
        )
    table.add_section()
    hours = (sum(step.typical_hours for step in found.steps), sum(step.longest_hours for step in found.steps))
    dollars = (f"{found.typical_dollars:.2f}", f"{found.longest_dollars:.2f}")
    table.add_row("Together", str(found.jobs), "", f"{hours[0]:.2f}", f"{hours[1]:.1f}", *dollars, style="bold")
    return table


def _endpoint(config: Config, found: Estimate) -> str:
    if config.deploy.serverless:
        return (
            f"serverless, {found.request_dollars:.2f} dollars for 100 000 requests of 50 ms, nothing without requests."
        )
    low, high = found.endpoint_dollars
    month = f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"
    return f"{month} dollars a month of 730 hours, from the first deployment until 'make delete LEVEL=endpoint'."


def _origin(config: Config, prices: Prices) -> str:
    elsewhere = f"; your region {config.aws.region} has other prices" if config.aws.region != prices.region else ""
    return f"prices as of {prices.as_of} in {prices.region}{elsewhere}"


def _caveats(config: Config, prices: Prices) -> str:
    return (
        f"{_origin(config, prices).capitalize()}. Durations are assumptions, see infra/prices.yaml. "
        "Use PRICES=mine.yaml for your own. Not included: storage, requests, logs, data transfer, and retries after "
        "faults of SageMaker."
    )


if __name__ == "__main__":
    run(main)
