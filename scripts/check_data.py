"""make check-data: compare a local file with the configuration, and print a page about the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from rich.console import RenderableType

from pipeline.config.choices import drafted_roles, named
from pipeline.config.loading import load_config
from pipeline.config.models import Config
from pipeline.config.preflight import check_input
from pipeline.config.profile import profile, profile_as
from pipeline.config.roles import roles_of
from pipeline.config.stop_reasons import stop_reasons
from pipeline.config.target import target_of
from pipeline.errors import ConfigError, UserError
from scripts.command_line import command, option
from scripts.console import ConfigFile, VisibleConsole, run, say
from scripts.data_page import WIDTH, data_page

_DEFAULT = Path("config.yaml")


@command("check-data")
@option(
    "--data",
    variable="DATA",
    type=click.Path(exists=True, dir_okay=False),
    metavar="file.csv",
    help="The file to look at instead of the configuration's dataset.",
)
@option(
    "--config",
    variable="CONFIG",
    type=ConfigFile(),
    metavar="file.yaml",
    help="The configuration; config.yaml if no file is given either.",
)
@option(
    "--label", variable="LABEL", metavar="column", help="The column to predict, for a file without a configuration."
)
# Sums and squares of numbers near the largest double overflow; the page says so where they are.
@np.errstate(over="ignore", invalid="ignore")
def main(data: str | None, config: Config | None, label: str | None) -> int:
    """Compare a local file with the configuration, and print a page about the file.

    A file without a configuration is looked at as make init does. The exit status is 1 if something does not fit.
    """
    if data and config is None:
        return _describe(Path(data), label)
    if label:
        raise UserError(
            "LABEL: the configuration names the label. "
            "For a file without a configuration: make check-data DATA=file.csv LABEL=column"
        )
    known = config or load_config(_DEFAULT)
    return _compare(known.with_input(data) if data else known)


def _describe(path: Path, label: str | None) -> int:
    found = profile(path)
    roles = drafted_roles(found)
    fault = ""
    if label:
        # A label that is not there is a slip in the command. Of one that cannot be predicted, the page says more.
        named(found, label)
        try:
            target = target_of(found, label)
        except UserError as error:
            fault = str(error)
        else:
            roles[label] = target.role
            columns = [target.column if column.name == label else column for column in found.columns]
            found = replace(found, columns=columns)
    _print(data_page(found, roles, None))
    return say(fault) if fault else 0


def _compare(config: Config) -> int:
    dataset = config.dataset
    if dataset.input.startswith("s3://"):
        raise UserError(
            f"dataset.input: {dataset.input} is in S3, and only local files are looked at. "
            "Download it or a part of it, and name that: make check-data CONFIG=... DATA=file.csv"
        )
    faults = _faults(config)
    # These faults say that there is nothing to see.
    if any(fault.startswith("dataset.input: ") for fault in faults):
        return say(*faults)
    found = profile_as(Path(dataset.input), dataset)
    faults = faults or list(stop_reasons(found, config))
    status = say(*faults) if faults else 0
    _print(data_page(found, roles_of(dataset), config))
    return status


def _faults(config: Config) -> list[str]:
    try:
        check_input(config)
    except ConfigError as error:
        return error.faults
    return []


def _print(page: RenderableType) -> None:
    console = VisibleConsole(highlight=False)
    console.width = min(console.width, WIDTH)
    console.print(page)


if __name__ == "__main__":
    run(main)
