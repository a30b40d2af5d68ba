"""The commands of a page with what the page promises of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.examples.clones import Shell

Check = Callable[[Path, str], None]


@dataclass(frozen=True)
class Step:
    """A command of a page.

    Attributes:
        command: the command as the page has it.
        status: the exit status that the page promises.
        prints: patterns of what it prints.
        writes: files that have contents afterwards.
        said: what a person says where the page has a placeholder; the command itself if empty.
        check: a further promise, given the folder and what was printed.
    """

    command: str
    status: int = 0
    prints: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    said: str = ""
    check: Check | None = None


def take(shell: Shell, steps: Iterable[Step]) -> None:
    """Say the commands one after the other, and compare each with its promise."""
    for step in steps:
        said = shell.say(step.said or step.command)
        story = f"{step.said or step.command}\n{said.printed}"
        assert said.status == step.status, story
        assert [pattern for pattern in step.prints if not re.search(pattern, said.printed)] == [], story
        files = [shell.folder / name for name in step.writes]
        assert [file.name for file in files if not file.is_file() or not file.stat().st_size] == [], story
        if step.check:
            step.check(shell.folder, said.printed)
