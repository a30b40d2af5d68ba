"""``examples/notebook.ipynb`` runs from its first cell to its last, as Jupyter runs it, and shows what it stores."""

from __future__ import annotations

import base64
import os

import nbformat
import pytest

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
def test_every_cell_runs_and_gives_outputs_like_the_stored_ones(clone, monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IPYTHONDIR", str(clone / ".ipython"))
    notebook = execute(clone / "examples")
    assert shapes_of(notebook) == shapes_of(read()), "store them anew: python -m tests.examples.notebooks"
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
