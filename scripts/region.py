"""Prints the region of the configuration, for commands that do not read the configuration."""

from __future__ import annotations

import click

from pipeline.config.models import Config
from scripts.console import config_option, run


@click.command("region")
@config_option
def main(config: Config) -> int:
    """Print the region of the configuration."""
    print(config.aws.region)
    return 0


if __name__ == "__main__":
    run(main)
