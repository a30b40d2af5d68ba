from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/architecture.md").read_text()
WALKS = {walk.splitlines()[0]: walk for walk in TEXT.split("\n### A ")[1:]}


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`([\w/]+/\w+\.(?:py|json|csv))`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("room", ["pipeline", "local"])
def test_the_table_of_a_room_has_its_folders(room: str) -> None:
    rows = re.findall(r"^\| `(\w+)/` \|", _section(room), re.MULTILINE)
    assert sorted(rows) == _packages(ROOT / room)


def test_the_page_names_every_service_of_the_local_service() -> None:
    folder = ROOT / "local/api"
    (row,) = re.findall(r"^\| `api/` \|(.*)", _section("local"), re.MULTILINE)
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert sorted(re.findall(r"`([\w/.]+)`", row)) == sorted([*modules, *(f"{name}/" for name in _packages(folder))])


def _section(room: str) -> str:
    return TEXT.partition(f"\n### {room}/\n")[2].partition("\n### ")[0]


def _packages(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/__init__.py"))


def test_there_are_the_four_walks() -> None:
    assert [name.partition(":")[0] for name in WALKS] == ["configuration value", "request", "row", "step"]


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_visits_no_file_twice(walk: str) -> None:
    files = re.findall(r"^\d+\. `([\w/.]+)`", WALKS[walk], re.MULTILINE)
    assert len(files) >= 10
    assert len(set(files)) == len(files)


def test_every_folder_of_modules_is_a_package() -> None:
    """Import-linter does not see the modules of other folders, and holds them to no contract."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    # A program runs in each of these, so the packages within are outermost ones.
    programs = [ROOT / folder for folder in settings["pytest"]["ini_options"]["pythonpath"]]
    rooms = [ROOT / room for room in settings["mypy"]["files"] if room != "tests"]
    folders = {module.parent for room in rooms for module in room.rglob("*.py")}
    assert len(folders) > len(rooms)
    assert [folder for folder in folders.difference(programs) if not (folder / "__init__.py").is_file()] == []
