"""Which Pythons of this machine take the place of an image's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.runtime import interpreters
from local.runtime.interpreters import OURS, find_interpreter, nearest_interpreter


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine whose Pythons are this folder's."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(interpreters, "OURS", "3.0")
    find_interpreter.cache_clear()
    yield tmp_path
    find_interpreter.cache_clear()


def put(path: Path, says: str) -> str:
    """Put a program in place of a Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says} {path}\n")
    path.chmod(0o755)
    return str(path)


def test_a_python_in_the_path_goes_before_pyenvs(folder: Path) -> None:
    of_pyenv = put(folder / "pyenv/versions/3.19.9/bin/python3.19", "3.19")
    put(folder / "pyenv/versions/3.19.10/bin/python3.19", "3.18")
    assert find_interpreter("3.19") == of_pyenv
    in_path = put(folder / "python3.19", "3.19")
    find_interpreter.cache_clear()
    assert find_interpreter("3.19") == in_path


def test_pyenvs_own_scripts_are_not_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / "pyenv/shims/python3.19", "3.19")
    monkeypatch.setenv("PATH", str(folder / "pyenv/shims"))
    assert find_interpreter("3.19") is None


@pytest.mark.parametrize(("wanted", "nearest"), [("3.14", "3.16"), ("3.18", "3.19"), ("3.19", "3.19")])
def test_the_nearest_python_is_the_newer_of_two(
    folder: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, nearest: str
) -> None:
    monkeypatch.setattr(interpreters, "_MINOR_VERSIONS", range(16, 20))
    paths = {version: put(folder / f"python{version}", version) for version in ("3.16", "3.17", "3.19")}
    assert nearest_interpreter(wanted) == (nearest, paths[nearest])


def test_the_services_own_python_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "_MINOR_VERSIONS", range(16, 20))
    assert nearest_interpreter("3.9") == ("3.0", sys.executable)
    assert OURS != "3.0"
