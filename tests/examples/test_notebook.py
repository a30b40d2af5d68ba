"""``examples/notebook.ipynb`` runs from its first cell to its last, as Jupyter runs it."""

from __future__ import annotations

import base64
import os

import nbformat
import pytest
from nbclient import NotebookClient

from tests.examples.clones import ROOT
from tests.processes import commands_with

NOTEBOOK = ROOT / "examples/notebook.ipynb"
CELL_SECONDS = 300


def read() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_git_has_no_outputs() -> None:
    code = [cell for cell in read().cells if cell.cell_type == "code"]
    assert [cell.source for cell in code if cell.outputs or cell.execution_count] == []


@pytest.mark.slow
def test_every_cell_runs(clone, monkeypatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGEMAKER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IPYTHONDIR", str(clone / ".ipython"))
    notebook = read()
    NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(clone / "examples")}}
    ).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    texts = [output.data["text/plain"] for output in outputs if "text/plain" in output.get("data", {})]
    assert len(base64.b64decode(pictures[0])) > 10_000
    assert "[]" in texts  # the configuration's faults
    (frame,) = [text for text in texts if "rank_test_mse" in text]
    assert len(frame.splitlines()) == 1 + 6
    assert any("smoker" in text and "prediction" in text for text in texts)
    assert commands_with(str(clone)) == []
