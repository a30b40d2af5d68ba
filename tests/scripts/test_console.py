"""What comes from outside is shown on the terminal, and cannot control it. Output that nobody reads is no error."""

from __future__ import annotations

import ast
import errno
import io
import json
import os
import signal
import subprocess
import sys

import pytest
from rich.table import Table
from rich.text import Text

from pipeline.text import visible
from scripts.console import VisibleConsole
from tests.commands import ROOT


@pytest.mark.parametrize("control", [*"\x1b\x07\x08\r\x9b\x7f\u202e\u061c\u2066\ud800"])
def test_a_control_character_is_escaped(control) -> None:
    assert visible(f"a{control}b") == f"a{control.encode('unicode_escape').decode()}b"


@pytest.mark.parametrize("module", ["scripts.status", "local"])
def test_ctrl_c_during_the_imports_prints_no_traceback(tmp_path, module) -> None:
    # Both import it. A pause instead would hit Python's own start on a busy machine, which does print a traceback.
    (tmp_path / "botocore.py").write_text("import time\nprint('imported', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "imported\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (-signal.SIGINT, "")


def test_a_terminal_breaks_lines_between_words() -> None:
    file = io.StringIO()
    VisibleConsole(file=file, force_terminal=True, color_system=None, width=60, soft_wrap=True).print(
        "Cross-validated MSE    34,946,742 (95 % interval: 0 to 124,425,755)", markup=False
    )
    assert file.getvalue().splitlines() == [
        "Cross-validated MSE    34,946,742 (95 % interval: 0 to",
        "                       124,425,755)",
    ]


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


PRINTS = ("print(", "sys.stdout.write(", "sys.stderr.write(", "click.echo(", "click.secho(")


def test_every_command_prints_through_a_console_or_escapes() -> None:
    # These write their own or the configuration's words: completion, numbers, JSON and a region's name.
    own_words = {"scripts/completion.py", "scripts/definition.py", "scripts/predict.py", "scripts/region.py"}
    for path in [*ROOT.glob("scripts/*.py"), ROOT / "local/__main__.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            call = ast.unparse(node) if isinstance(node, ast.Call) else ""
            prints = call.startswith(
                ("print(", "sys.stdout.write(", "sys.stderr.write(", "click.echo(", "click.secho(")
            )
            if prints and str(path.relative_to(ROOT)) not in own_words:
                assert "shown(" in call or call == "click.echo(context.get_help())", f"{path}: {call}"


def test_a_definition_cannot_control_the_terminal(tmp_path) -> None:
    step = {"Name": "\x1b]0;title\x07", "Type": "Fail", "Arguments": {}}
    (tmp_path / "d.json").write_text(json.dumps({"Version": "2020-12-01", "Steps": [step]}))
    finished = subprocess.run(
        [sys.executable, "-m", "scripts.lint_definition", str(tmp_path / "d.json")],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert b"title" in finished.stdout
    assert b"\x1b" not in finished.stdout + finished.stderr
    assert b"\x07" not in finished.stdout + finished.stderr


def test_a_full_disk_or_a_read_only_one_is_a_sentence(tmp_path) -> None:
    for number, words in ((errno.ENOSPC, "No space is left"), (errno.EROFS, "read-only"), (errno.EMFILE, "ulimit -n")):
        work = f"raise OSError({number}, 'x', '/a/file')"
        imports = "from scripts.command_line import command\nfrom scripts.console import run"
        program = f"{imports}\n@command('trial')\ndef main(): {work}\nrun(main)"
        finished = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 1
        assert finished.stderr.startswith("/a/file: ")
        assert words in finished.stderr
        assert finished.stderr.count("\n") == 1


def _table(text: str) -> Table:
    table = Table(box=None)
    table.add_column(text)
    table.add_row(text)
    return table
