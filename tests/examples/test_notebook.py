"""``examples/notebook.ipynb`` runs from its first cell to its last, as Jupyter runs it, and shows what it stores."""

from __future__ import annotations

import base64
import os

import nbformat
import pytest

from tests.commands import run_command
from tests.examples.clones import ROOT
from tests.examples.notebooks import NOTEBOOK, code_of, execute, read
from tests.processes import commands_with

KILOBYTES = 250


def shape_of(output: nbformat.NotebookNode) -> list[object]:
    """Return what an output is, without its numbers: its kinds, and a frame's columns and number of rows."""
    text = output.get("data", {}).get("text/plain", "")
    head, *rows = text.splitlines() or [""]
    return [output.output_type, sorted(output.get("data", {})), head.split(), len(rows)]


def shapes_of(notebook: nbformat.NotebookNode) -> list[list[list[object]]]:
    return [[shape_of(output) for output in cell.outputs] for cell in code_of(notebook)]


def test_the_stored_outputs_are_those_of_one_run_and_of_no_machine() -> None:
    cells = code_of(read())
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    text = NOTEBOOK.read_text("utf-8")
    assert len(text) < KILOBYTES * 1000
    assert [place for place in ("/home/", "/root/", "/tmp/", "/Users/", "/var/", str(ROOT)) if place in text] == []


@pytest.mark.slow
@pytest.mark.long
def test_every_cell_runs_with_what_make_init_drafts_for_a_file_with_decimal_commas(clone, monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IPYTHONDIR", str(clone / ".ipython"))
    rows = [f"{number};{number % 7},5;{'Málaga' if number % 3 else 'León'};{number % 7}00,25" for number in range(60)]
    (clone / "pisos.csv").write_text("\n".join(["código;superficie (m²);ciudad;precio", *rows]))
    given = {"DATA": str(clone / "pisos.csv"), "LABEL": "precio", "CONFIG": str(clone / "pisos.yaml")}
    assert run_command("init", os.environ | given).returncode == 0
    read_draft = """from pipeline.config.loading import load_config

config = load_config(Path("pisos.yaml"))"""
    assert "    config = load_config(Path(" in "".join(cell.source for cell in read().cells), "the notebook says so"
    *_, last = [cell for cell in code_of(execute(clone, read_draft)) if cell.outputs]
    shown = last.outputs[0].data["text/plain"].splitlines()
    assert shown[0].split() == ["código", "superficie", "(m²)", "ciudad", "precio", "prediction"]
    assert shown[1].split()[1:5] == ["0", "0,5", "León", "000,25"]


@pytest.mark.slow
def test_every_cell_runs_and_gives_outputs_like_the_stored_ones(clone, monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IPYTHONDIR", str(clone / ".ipython"))
    notebook = execute(clone / "examples")
    assert shapes_of(notebook) == shapes_of(read()), (
        "store them anew: PYTHONPATH=. .venv/bin/python tests/examples/notebooks.py"
    )
    outputs = [output for cell in code_of(notebook) for output in cell.outputs]
    assert [output.text for output in outputs if "\x1b" in output.get("text", "")] == []
    pictures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    texts = [output.data["text/plain"] for output in outputs if "text/plain" in output.get("data", {})]
    assert len(base64.b64decode(pictures[0])) > 10_000
    assert "[]" in texts  # the configuration's faults
    (frame,) = [text for text in texts if "rank_test_mse" in text]
    assert len(frame.splitlines()) == 1 + 6
    assert any("smoker" in text and "prediction" in text for text in texts)
    assert commands_with(str(clone)) == []
