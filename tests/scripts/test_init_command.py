"""``make init``: writes a configuration that is valid, and never over another file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.commands import ROOT, run_command


@pytest.fixture
def init(tmp_path):
    """Return what runs the command on the insurance data."""

    def run(**options: str):
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        usual = {"DATA": str(ROOT / "data/insurance.csv"), "LABEL": "charges", "CONFIG": str(tmp_path / "new.yaml")}
        return run_command("init", inherited | usual | options)

    return run


def test_the_draft_has_the_columns_of_the_projects_own_configuration(init, tmp_path: Path) -> None:
    finished = init()
    assert finished.returncode == 0, finished.stderr
    assert f"make run CONFIG={tmp_path / 'new.yaml'}" in finished.stdout
    drafted = yaml.safe_load((tmp_path / "new.yaml").read_text())
    own = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert drafted["dataset"]["numeric"] == own["dataset"]["numeric"]
    assert drafted["dataset"]["categorical"] == own["dataset"]["categorical"]
    assert drafted["pipeline"]["name"] == "insurance"


@pytest.mark.skipif(" " in str(ROOT), reason="the draft has no line for editors: a space would end its path")
def test_editors_find_the_schema_from_the_drafts_folder(init, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    assert init(CONFIG=str(folder / "new.yaml")).returncode == 0
    path = (folder / "new.yaml").read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (folder / path).resolve() == ROOT / "config.schema.json"


def test_a_file_that_is_there_is_not_touched(init, tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text("mine")
    finished = init()
    assert finished.returncode == 1
    assert "exists already: give another CONFIG, or remove it" in finished.stderr
    assert (tmp_path / "new.yaml").read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["new.yaml"]


@pytest.mark.parametrize(("text", "told"), [("a,b\n1,2\n", "rows.csv has the columns a, b"), ("", "")])
def test_the_columns_are_listed_if_the_label_is_missing(init, tmp_path: Path, text, told) -> None:
    (tmp_path / "rows.csv").write_text(text)
    finished = init(LABEL="", DATA=str(tmp_path / "rows.csv"))
    assert finished.returncode == 2
    printed = " ".join(finished.stderr.split())
    assert printed.startswith("LABEL is missing: make init DATA=file.csv LABEL=column")
    assert printed.endswith(told) if told else "columns" not in printed


def test_a_file_that_is_not_there_is_told_as_check_data_tells_it(init) -> None:
    given = {"DATA": "nowhere.csv", "LABEL": "price", "PATH": os.environ["PATH"]}
    drafted, looked_at = init(**given), run_command("check_data", given)
    assert drafted.returncode == looked_at.returncode == 2
    assert drafted.stderr == looked_at.stderr.replace("check_data", "init")
    told = "DATA: File 'nowhere.csv' does not exist. See: .venv/bin/python -m scripts.init --help"
    assert " ".join(drafted.stderr.split()) == told


def test_a_file_without_the_label_leaves_nothing(init, tmp_path: Path) -> None:
    finished = init(LABEL="cost")
    assert finished.returncode == 1
    assert "has no column 'cost'" in " ".join(finished.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_a_class_to_predict_is_said_and_how_to_change_it(init, tmp_path: Path) -> None:
    finished = init(LABEL="smoker", ALGORITHM="xgboost")
    assert finished.returncode == 0, finished.stderr
    told = " ".join(finished.stdout.split())
    assert "smoker has 2 different texts, which are read as classes: training.problem." in told
    assert "The second is the positive class, whose probability is predicted: yes." in told
    drafted = yaml.safe_load((tmp_path / "new.yaml").read_text())
    assert drafted["training"] == {"algorithm": "xgboost", "problem": "binary"}
    assert drafted["dataset"]["classes"] == ["no", "yes"]


def test_an_algorithm_that_is_not_there_is_told(init, tmp_path: Path) -> None:
    finished = init(ALGORITHM="trees")
    assert finished.returncode == 2
    assert "'trees' is not one of 'linear-learner', 'xgboost'" in " ".join(finished.stderr.split())
    assert list(tmp_path.iterdir()) == []
