"""``python -m scripts``: list the commands, or start one."""

from __future__ import annotations

import click

from scripts.command_line import PYTHON
from scripts.commands import unloaded_commands
from scripts.console import run


@click.group(commands=unloaded_commands(), invoke_without_command=True)
@click.pass_context
def commands(context: click.Context) -> int:
    """The commands of the project. Each is also a module, such as python -m scripts.start, and make starts it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
    return 0


run(commands, f"{PYTHON} -m scripts")
