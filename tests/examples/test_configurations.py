"""The examples' configurations agree with their data, and make writes the data of an example and of nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from examples.write_data import SOURCES, write
from pipeline.config.loading import load_config
from pipeline.config.models import Config
from pipeline.config.preflight import check_input

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(file.stem for file in (ROOT / "examples").glob("*.yaml"))
DATA = {name: name.removesuffix("-xgboost") for name in NAMES if name.removesuffix("-xgboost") in SOURCES}
"""The data's name of each example that has data of its own."""


def with_input(config: Config, path: Path) -> Config:
    return config.model_copy(update={"dataset": config.dataset.model_copy(update={"input": str(path)})})


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_uses_or_ignores_each_column_of_its_data(name, tmp_path) -> None:
    config = load_config(ROOT / f"examples/{name}.yaml")
    assert config.dataset.ignored is not None
    if name not in DATA:
        check_input(with_input(config, ROOT / config.dataset.input))
        return
    assert config.dataset.input == f"examples/data/{DATA[name]}.csv"
    data = tmp_path / f"{DATA[name]}.csv"
    write(data)
    check_input(with_input(config, data))


def test_make_the_program_and_the_page_know_the_same_examples() -> None:
    page = (ROOT / "examples/README.md").read_text()
    assert set(SOURCES) == set(DATA.values())
    assert sorted(re.findall(r"^\| \[([\w-]+)\.yaml\]\(\1\.yaml\)", page, re.MULTILINE)) == NAMES
    for name in NAMES:
        written = re.findall(r"examples.write_data (\S+)", made(f"examples/{name}.yaml"))
        assert written == ([f"examples/data/{DATA[name]}.csv"] if name in DATA else [])


def test_the_two_configurations_of_the_loans_use_the_same_columns() -> None:
    one, other = (load_config(ROOT / f"examples/{name}.yaml") for name in ("loans", "loans-xgboost"))
    assert one.dataset == other.dataset


@pytest.mark.parametrize("config", ["config.yaml", "examples/mine.yaml", "other/wages.yaml"])
def test_make_writes_no_data_for_another_configuration(config) -> None:
    assert "write_data" not in made(config)
    assert "scripts.run" in made(config)


def made(config: str) -> str:
    """Return what ``make run`` would do if the data were old."""
    options = ["--dry-run", "--what-if=examples/write_data.py", f"CONFIG={config}"]
    done = subprocess.run(["make", *options, "run"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
