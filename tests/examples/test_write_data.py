"""The data of an example are written whole or not at all."""

from __future__ import annotations

import bz2

import pytest

from examples import write_data
from examples.write_data import SOURCES, write


@pytest.mark.parametrize(("name", "rows"), [("wages", 4360), ("planes", 3322), ("flights", 336_776), ("loans", 1989)])
def test_the_data_are_those_of_the_package(name, rows, tmp_path) -> None:
    target = tmp_path / "data" / f"{name}.csv"
    write(target)
    assert target.read_bytes().count(b"\n") == rows + 1
    assert [file.name for file in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mine", "there is no example 'mine'; there are: wages, loans, happiness, planes, flights"),
        ("elsewhere", "The package not_there is not installed: uv sync --locked --inexact --group examples"),
    ],
)
def test_data_that_cannot_be_written_are_explained(name, sentence, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        write_data, "SOURCES", {**SOURCES, "elsewhere": ("not_there", "x.csv")} if name != "mine" else SOURCES
    )
    with pytest.raises(SystemExit, match=sentence):
        write(tmp_path / f"{name}.csv")
    assert list(tmp_path.iterdir()) == []


def test_data_that_end_early_leave_the_earlier_file(tmp_path, monkeypatch) -> None:
    package = tmp_path / "cut"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "rows.csv.bz2").write_bytes(bz2.compress(b"a,b\n1,2\n" * 9999)[:-20])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(write_data, "SOURCES", {"rows": ("cut", "rows.csv.bz2")})
    target = tmp_path / "data" / "rows.csv"
    target.parent.mkdir()
    target.write_text("earlier")
    with pytest.raises(EOFError):
        write(target)
    assert target.read_text() == "earlier"
    assert [file.name for file in target.parent.iterdir()] == ["rows.csv"]
