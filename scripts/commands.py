"""All commands, for ``python -m scripts``."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import click


class UnloadedCommand(click.Command):
    """A command whose module is imported when it is called. Until then, only its name and help are known.

    Args:
        module: the module's name in this package.
        help: the docstring of the module's ``main``.
    """

    def __init__(self, module: str, help: str) -> None:
        super().__init__(module.replace("_", "-"), help=help)
        self._module = module

    def load(self) -> click.Command:
        """Import the module, and return its command."""
        found: click.Command = import_module(f"scripts.{self._module}").main
        return found

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the loaded command, which Click then calls instead of this one."""
        return self.load().make_context(info_name, args, parent, **extra)


def unloaded_commands() -> dict[str, UnloadedCommand]:
    """Return all commands of this package by the names of their modules."""
    helps = {path.stem: _help(path) for path in sorted(Path(__file__).parent.glob("*.py"))}
    return {module: UnloadedCommand(module, text) for module, text in helps.items() if text}


def _help(path: Path) -> str:
    """Return the docstring of a module's ``main`` without importing the module, which can take seconds."""
    for statement in ast.parse(path.read_text("utf-8")).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "main":
            return ast.get_docstring(statement) or ""
    return ""
