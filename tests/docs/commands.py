"""The commands and the snippets of the pages, as a person would copy them."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it.token import Token

from tests.docs.pages import name_of, tokens_of

_PROGRAMS = r"make|aws|eval|export|pip|python3?|uv|unzip|sed|sysctl|ulimit|\.ci/run|\.venv/bin/\S+|\.uv/bin/\S+"
_COMMAND = re.compile(rf"(?:{_PROGRAMS}|[A-Z_]+=\S+)(?=\s|$)")
_DRAWING = re.compile(r"[─│└├▲►]|\[test \]")


@dataclass(frozen=True)
class Snippet:
    """A block of code.

    Attributes:
        page: the path from the project's folder.
        section: the heading above it.
        language: sh, python, yaml, text, html or drawing.
        text: its lines.
    """

    page: str
    section: str
    language: str
    text: str


@cache
def snippets(path: Path) -> list[Snippet]:
    """Return the blocks of code on a page, those of list items too."""
    found, section = [], ""
    tokens = tokens_of(path)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            section = tokens[place + 1].content
        elif token.type in ("fence", "code_block"):
            language = token.info or _language(token.content)
            found.append(Snippet(name_of(path), section, language, token.content))
    return found


def _language(text: str) -> str:
    """Return the language of a block that does not name it: the prose around it tells a reader."""
    if _COMMAND.match(text):
        return "sh"
    if _DRAWING.search(text):
        return "drawing"
    try:
        ast.parse(text)
    except SyntaxError:
        return "yaml"
    return "yaml" if re.match(r"\w+:\s", text) else "python"


@cache
def block_commands(path: Path) -> list[str]:
    """Return the commands of a page's blocks in their order, without comments and with their continuation lines."""
    return [command for each in snippets(path) if each.language == "sh" for command in commands_of(each.text)]


def section_commands(path: Path, section: str) -> list[str]:
    """Return the commands of the blocks under a heading."""
    blocks = [each for each in snippets(path) if each.language == "sh" and each.section == section]
    return [command for each in blocks for command in commands_of(each.text)]


@cache
def commands_of(text: str) -> list[str]:
    """Split a block into commands: what a shell needs before it runs something, such as a whole loop."""
    commands: list[str] = []
    unfinished = ""
    for line in text.splitlines():
        unfinished += line + "\n"
        if unfinished.isspace() or not _is_complete(unfinished):
            continue
        if command := _without_comment(unfinished.strip()):
            commands.append(command)
        unfinished = ""
    assert not unfinished.strip(), f"a command without its end: {unfinished}"
    return commands


def _is_complete(text: str) -> bool:
    if text.endswith("\\\n"):
        return False
    if not re.search(r"<<|\bdo\b|\$\(|['\"]", text):
        return True
    return not subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False).stderr


def _without_comment(command: str) -> str:
    """Return a command without what a shell ignores: the comment at its end, line breaks with a backslash."""
    if "\n" not in command.replace("\\\n", ""):
        command = re.sub(r"\s*\\\n\s*", " ", command)
        command = re.sub(r"(^|\s+)#.*", "", command)
    return command


@cache
def inline_commands(path: Path) -> list[str]:
    """Return the commands in a page's sentences and tables, for example ``make run CONFIG=houses.yaml``."""
    codes = [child.content for token in tokens_of(path) for child in _inline_codes(token)]
    return sorted({code for code in codes if re.match(rf"(?:[A-Z_]+=\S+ )*(?:{_PROGRAMS})\s+\S|\.ci/run", code)})


def _inline_codes(token: Token) -> list[Token]:
    return [child for child in token.children or () if child.type == "code_inline"]


def words_of(command: str) -> list[str]:
    """Return the words of a command; the options in brackets of a synopsis are left out."""
    return shlex.split(re.sub(r"\s*\[[^]]*]", "", command), comments=False)


def make_calls(command: str) -> list[tuple[str, dict[str, str]]]:
    """Return the target and the variables of each ``make`` in a command."""
    calls = []
    for call in re.findall(r"\bmake\s([^|&;>)\n]*)", command):
        words = [word for word in shlex.split(call) if not word.startswith("-")]
        assignments = dict(word.split("=", 1) for word in words if re.match("[A-Z_]+=", word))
        calls += [(word, assignments) for word in words if re.fullmatch("[a-z][a-z-]*", word)][:1]
    return calls
