"""What comes from outside is shown on the terminal, and cannot control it. Output that nobody reads is no error."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from rich.table import Table
from rich.text import Text

from pipeline.text import visible
from scripts.console import VisibleConsole
from tests.commands import ROOT


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


@pytest.mark.parametrize(
    ("printing", "status"),
    [("console.print('x')", 3), ("print('x', flush=True)", 0), ("print('x')", 0)],
)
def test_output_that_nobody_reads_is_no_error(tmp_path, printing, status) -> None:
    work = f"{printing}; pathlib.Path('done').touch(); {printing}; return 3"
    imports = "import pathlib\nfrom scripts.command_line import command\nfrom scripts.console import console, run"
    program = f"{imports}\n@command('trial')\ndef main(): {work}\nrun(main)"
    reading, writing = os.pipe()
    os.close(reading)
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (finished.returncode, finished.stderr) == (status, "")
    assert (tmp_path / "done").exists() or "flush" in printing


def _table(text: str) -> Table:
    table = Table(box=None)
    table.add_column(text)
    table.add_row(text)
    return table
