"""The command line of a command: its options, and for each the variable that make passes on.

Nothing here imports boto3 or the SDK, so that help, completion and mistakes are quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from click.core import ParameterSource

from definition_language.streams import prepare_streams, shown

PYTHON = ".venv/bin/python"
"""The Python that has the packages, for command lines to copy: another one would not find them."""

Function = TypeVar("Function", bound=Callable[..., Any])


class MakeCommand(click.Command):
    """A command that a target of make starts; the command has the target's name."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how make starts the command."""
        with formatter.section("With make"):
            formatter.write_text(make_line(ctx))


class Number(click.IntRange):
    """A whole number within limits; a wrong one is named with the limits in words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number.

        Raises:
            click.BadParameter: the text is not a number, or is outside the limits.
        """
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            until = "" if self.max is None else f" to {self.max}"
            self.fail(f"{value!r} is not a whole number from {self.min}{until}.", param, ctx)


class YesOrNo(click.types.BoolParamType):
    """The value of a variable that switches something on."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Return whether it is switched on.

        Raises:
            click.BadParameter: the text is neither yes nor no.
        """
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither 1 (yes) nor 0 (no).", param, ctx)


def command(target: str) -> Callable[[Callable[..., int]], MakeCommand]:
    """Make a command of a function, which returns the exit status. Its docstring is the help."""
    return click.command(target, cls=MakeCommand)


def option(*names: str, variable: str, help: str, **settings: Any) -> Callable[[Function], Function]:
    """Add an option to a command.

    Args:
        *names: the option, such as ``--level``, and optionally the function's parameter.
        variable: make's variable. An empty one counts as not given.
        help: a sentence for the help.
        **settings: what ``click.option`` takes.
    """
    return click.option(*names, envvar=variable, show_envvar=True, help=help, **settings)


def flag(name: str, *, variable: str, help: str) -> Callable[[Function], Function]:
    """Add an option without a value to a command; ``VARIABLE=1`` gives it with make."""
    return option(name, variable=variable, help=help, is_flag=True, type=YesOrNo())


def call(main: click.Command, program: str = "") -> int:
    """Call a command with the arguments of this process, and print what is wrong with them.

    If nobody reads the output any more, as in ``make report | head -3``, what is printed by a console is lost, and
    the command's status stays. A command that writes to ``sys.stdout`` itself ends there, with status 0: make would
    print an error about any other.

    Args:
        main: the command.
        program: how the user starts it, by default as a module of this package.

    Returns:
        The exit status: the command's, or 2 if the command line is wrong.
    """
    program = program or f"{PYTHON} -m scripts.{Path(sys.argv[0]).stem}"
    prepare_streams()
    try:
        with main.make_context(program, sys.argv[1:]) as context:
            status = int(main.invoke(context))
            sys.stdout.flush()
            return status
    except BrokenPipeError:
        discard(sys.stdout)
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        click.secho(shown(_sentence(error, program), sys.stderr), fg="red", err=True)
        return 2


def discard(stream: IO[str]) -> None:
    """Let a stream lead nowhere. Otherwise Python writes its rest at exit, and fails again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def make_line(context: click.Context) -> str:
    """Return how make starts the command: ``make fold INPUT=folder OUTPUT=folder [FOLDS=number]``."""
    needed: list[str] = []
    optional: list[str] = []
    for parameter in context.command.params:
        if parameter.envvar:
            pair = f"{parameter.envvar}={_value(parameter, context)}"
            (needed if parameter.required else optional).append(pair)
    return " ".join(["make", str(context.command.name), *needed, *([f"[{' '.join(optional)}]"] if optional else [])])


def _value(parameter: click.Parameter, context: click.Context) -> str:
    is_flag = isinstance(parameter, click.Option) and parameter.is_flag
    return "1" if is_flag else parameter.make_metavar(context).strip("[]")


def _sentence(error: click.UsageError, program: str) -> str:
    """Return what is wrong with a command line, where, and what to do."""
    context, parameter = error.ctx, getattr(error, "param", None)
    if context is None or parameter is None or not parameter.envvar:
        message, program = error.format_message(), context.command_path if context else program
    elif isinstance(error, click.MissingParameter):
        hint = f". {error.message}" if error.message else ""
        return f"{parameter.envvar} is missing: {make_line(context)}, or: {_needed(context)}{hint}"
    else:
        # Click notes the source before it converts a value. There is none yet when make's variable cannot be split.
        from_make = context.get_parameter_source(parameter.name) in (ParameterSource.ENVIRONMENT, None)
        name = parameter.envvar if from_make else _given(parameter, context)
        message, program = f"{name}: {error.message}", context.command_path
    return f"{message if message.endswith(('.', '?', '?)')) else f'{message}.'} See: {program} --help"


def _needed(context: click.Context) -> str:
    """Return the shortest command line that is right."""
    options = [
        f"{_given(each, context)} {_value(each, context)}" if isinstance(each, click.Option) else _given(each, context)
        for each in context.command.params
        if each.required
    ]
    return " ".join([context.command_path, *options])


def _given(parameter: click.Parameter, context: click.Context) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.make_metavar(context)
