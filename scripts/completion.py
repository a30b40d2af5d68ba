"""make completion: print what makes a shell complete make's targets and variables, and ``python -m scripts``.

The shell's part is in completion.bash, completion.zsh and completion.fish. It asks this module with ``--answer``.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from scripts.command_line import command
from scripts.commands import unloaded_commands
from scripts.console import run

PROJECT = Path(__file__).resolve().parent.parent
_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = re.compile("[A-Z_]+")
_TARGET = re.compile(r"^([a-z-]+):.*?## (.*)((?:\n\t.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A target of the Makefile.

    Attributes:
        help: what ``make help`` says about it.
        module: the module of this package that it starts; empty if there is none.
    """

    help: str
    module: str

    def options(self) -> dict[str, click.Parameter]:
        """Return the options of the command by make's variables."""
        if not self.module:
            return {}
        found = unloaded_commands()[self.module].load().params
        return {each.envvar: each for each in found if isinstance(each.envvar, str)}

    def variables(self) -> list[str]:
        """Return the variables that ``make help`` and the command name."""
        return sorted({*re.findall(r"\b([A-Z_]+)=", self.help), *self.options()})


def _own_shell() -> str:
    return Path(os.environ.get("SHELL") or "bash").name


@command("completion")
@click.argument(
    "shell", type=click.Choice(_SHELLS), default=_own_shell, help="The shell, by default that of the variable SHELL."
)
@click.option("--answer", is_flag=True, hidden=True, help="Complete the words that the shell has put into COMP_WORDS.")
def main(shell: str, answer: bool) -> int:
    """Print what makes a shell complete the commands.

    For the running shell: eval "$(make -s completion)". For all shells to come, put into the shell's start file:
    eval "$(make -s -C <this folder> completion)"
    """
    print(_answer(shell) if answer else _script(shell))
    return 0


def _script(shell: str) -> str:
    assignment = {"fish": "set -g _pipeline_folder "}.get(shell, "_pipeline_folder=")
    script = Path(__file__).with_suffix(f".{shell}").read_text("utf-8")
    return f"{assignment}{shlex.quote(str(PROJECT))}\n{script}"


def _answer(shell: str) -> str:
    program = Path(os.environ["COMP_WORDS"].split()[0]).name
    completion = get_completion_class(shell)
    assert completion is not None
    return completion(make_words() if program == "make" else python_words(), {}, program, "").complete()


def make_words() -> click.Command:
    """Return make's command line for Click's completion."""
    words = click.Argument(["words"], nargs=-1, type=MakeWord())
    settings = {"ignore_unknown_options": True}
    return click.Command("make", params=[words], add_help_option=False, context_settings=settings)


def python_words() -> click.Command:
    """Return the command line of ``python -m scripts`` for Click's completion."""
    modules: dict[str, click.Command] = {**unloaded_commands()}
    commands = {f"scripts.{name}": module for name, module in modules.items()}
    commands["scripts"] = click.Group("scripts", commands=modules, help="List the commands, or start one.")
    return click.Group("python", commands=commands, params=[click.Option(["-m"], is_flag=True)])


class MakeWord(click.ParamType[str, str]):
    """A target or ``VARIABLE=value``. In Bash, the variable and its value are two words."""

    name = "word"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Complete a target's name, a variable, or a variable's value."""
        words: tuple[str, ...] = ctx.params[param.name] or ()
        known = targets()
        named = [known[word] for word in words if word in known]
        variable, equals, value = incomplete.partition("=")
        if equals:
            return _values(named, variable, value, ctx, f"{variable}=")
        if words and _VARIABLE.fullmatch(words[-1]):
            return _values(named, words[-1], incomplete, ctx)
        found = [CompletionItem(name, help=target.help) for name, target in known.items()]
        found += [CompletionItem(f"{name}=") for name in _variables(named)]
        return [item for item in found if item.value.startswith(incomplete)]


def targets() -> dict[str, Target]:
    """Return the targets that ``make help`` lists."""
    found = {}
    for name, text, recipe in _TARGET.findall(makefile()):
        module = re.search(r"\$\(RUN\) scripts\.(\w+)(?:;|$)", recipe, re.MULTILINE)
        found[name] = Target(text, module[1] if module else "")
    return found


def exported() -> list[str]:
    """Return the variables that make passes to all commands."""
    found = re.search(r"^OPTIONS := ([A-Z_ ]+)$", makefile(), re.MULTILINE)
    assert found is not None
    return found[1].split()


def makefile() -> str:
    """Return the Makefile's text."""
    return (PROJECT / "Makefile").read_text("utf-8")


def _variables(named: list[Target]) -> list[str]:
    """Return the variables of the targets on the command line; all if there is none yet."""
    return sorted({name for target in named for name in target.variables()}) if named else exported()


def _values(
    named: list[Target], variable: str, start: str, ctx: click.Context, prefix: str = ""
) -> list[CompletionItem[str]]:
    for target in named:
        if option := target.options().get(variable):
            items = option.shell_complete(ctx, start)
            return [CompletionItem(prefix + str(item.value), item.type, item.help) for item in items]
    return []


if __name__ == "__main__":
    run(main)
