"""What comes from outside is shown on the terminal, and cannot control it."""

from __future__ import annotations

import io

import pytest
from rich.table import Table
from rich.text import Text

from scripts.console import VisibleConsole, visible


@pytest.mark.parametrize("control", ["\x1b", "\x07", "\x08", "\r", "\x9b", "\x7f", "\u202e"])
def test_a_control_character_is_escaped(control) -> None:
    assert visible(f"a{control}b") == f"a{control.encode('unicode_escape').decode()}b"


def test_line_breaks_tabs_and_other_scripts_stay() -> None:
    assert visible("1\t2\nçà 数") == "1\t2\nçà 数"


@pytest.mark.parametrize("wrap", [str, Text, lambda text: _table(text)])
def test_nothing_that_is_printed_reaches_the_terminal_as_a_control(wrap) -> None:
    file = io.StringIO()
    VisibleConsole(file=file, force_terminal=True, color_system=None, width=80).print(
        wrap("\x1b]0;title\x07 \x1b[2J"), markup=False
    )
    assert "\x1b" not in file.getvalue()
    assert "\x07" not in file.getvalue()
    assert "\\x1b]0;title" in file.getvalue()


def _table(text: str) -> Table:
    table = Table(box=None)
    table.add_column(text)
    table.add_row(text)
    return table
