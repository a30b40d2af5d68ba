"""Executes ``examples/notebook.ipynb``; ``make pictures`` stores its outputs, which GitHub shows."""

from __future__ import annotations

import os
import tempfile
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "examples/notebook.ipynb"
CELL_SECONDS = 300


def read() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def code_of(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def execute(folder: Path, configuration: str = "") -> nbformat.NotebookNode:
    """Run every cell as Jupyter does, in a folder of a project without earlier runs; return them with their outputs.

    Args:
        folder: where Jupyter was started.
        configuration: code in the place of the cell that makes the configuration.
    """
    notebook = read()
    if configuration:
        code_of(notebook)[1].source = configuration
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources=place,
    )
    metadata = deepcopy(notebook.metadata)
    client.execute()
    notebook.metadata = metadata  # without the version of this Python
    return notebook


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for entry in ROOT.iterdir():
            if entry.name != ".local":
                (Path(name) / entry.name).symlink_to(entry)
        os.environ["IPYTHONDIR"] = f"{name}/.ipython"
        nbformat.write(execute(Path(name)), NOTEBOOK)
