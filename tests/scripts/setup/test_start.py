"""The Python that the set-up finds, or asks for. The Pythons here are stand-ins that say which version they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.commands import ROOT

START = ROOT / "scripts" / "setup" / "start.sh"


@pytest.fixture
def start(tmp_path: Path):
    """Run start.sh with these Pythons on the PATH, and return what it did."""
    path = tmp_path / "bin"
    path.mkdir()
    (path / "dirname").symlink_to("/usr/bin/dirname")
    (path / "cat").symlink_to("/bin/cat")

    def run(pythons: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
        for name, version in pythons.items():
            answer = f'echo "{version}"' if version else "exit 127"
            program = path / name
            program.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then {answer}; else echo "{name} $*"; fi\n')
            program.chmod(0o755)
        return subprocess.run(
            ["/bin/sh", START], env={"PATH": str(path), **environment}, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.parametrize(
    ("pythons", "chosen"),
    [
        ({"python3": "3.11.2"}, "python3"),
        ({"python3": "3.12.9", "python3.11": "3.11.2"}, "python3"),
        ({"python3": "3.9.18", "python3.11": "3.11.2"}, "python3.11"),
        ({"python3": "3.14.0", "python3.11": "3.11.2", "python3.12": "3.12.1"}, "python3.12"),
        ({"python": "3.12.1"}, "python"),
        # A command of pyenv whose version is not selected
        ({"python3": "3.9.18", "python3.12": "", "python3.11": "3.11.2"}, "python3.11"),
    ],
)
def test_it_finds_a_python(start, pythons, chosen) -> None:
    done = start(pythons)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{chosen} -m scripts.setup\n", "")


@pytest.mark.parametrize(
    ("pythons", "found"),
    [
        ({}, "no python3 python3.12 python3.11 python;"),
        ({"python3": "3.9.18"}, "python3 is 3.9.18;"),
        ({"python3": "3.14.0", "python": "2.7.18"}, "python3 is 3.14.0; python is 2.7.18;"),
    ],
)
def test_it_asks_for_a_python(start, pythons, found) -> None:
    done = start(pythons)
    first, *install = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert first == f"Python 3.11 or 3.12 is needed. Found: {found}"
    assert any("brew install python@3.12" in line for line in install)


def test_only_the_python_that_is_named_is_taken(start) -> None:
    pythons = {"python3": "3.11.2", "own python": "3.12.1"}
    assert start(pythons, PYTHON="own python").stdout == "own python -m scripts.setup\n"
    done = start(pythons | {"own python": "3.13.0"}, PYTHON="own python")
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or 3.12 is needed. Found: own python is 3.13.0;\n")


def test_windows_is_told_of_wsl() -> None:
    done = subprocess.run(["make", "run", "OS=Windows_NT"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "On Windows, run this in WSL" in done.stderr
