from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest

from local.app.cleaning import find_executions
from local.app.server import LocalService
from local.core.settings import Settings
from local.records import executions as records
from local.storage.store import Store
from pipeline.errors import UserError
from scripts import clean_local


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with three runs; the last of them was killed."""
    monkeypatch.chdir(tmp_path)
    for hour, name in enumerate(("aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"), start=1):
        own = tmp_path / ".local/runs" / name
        own.mkdir(parents=True)
        (own / "config.yaml").write_text("pipeline: {name: prices}")
        os.utime(own / "config.yaml", (hour, hour))
        results = {"pipeline_name": "prices", "ended": f"2026-01-31T0{hour}:00:00+00:00", "padding": "x" * 1_000_000}
        (own / "last-run.json").write_text(json.dumps(results))
    (tmp_path / ".local/runs/aaaaaaaaaaaa/last-run.json").unlink()
    (tmp_path / ".local/last-run.json").write_text("{}")
    return tmp_path


def clean(*arguments: str) -> int:
    return clean_local.main(arguments, standalone_mode=False)


def page(folder: Path, name: str, arn: str) -> None:
    """Leave what make report writes about an execution."""
    path = folder / ".local/runs" / name / "report.html"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"<td>{arn}</td>")


def names() -> list[str]:
    return sorted(path.name for path in Path(".local/runs").iterdir())


def test_the_newest_runs_are_kept(capsys) -> None:
    assert clean("--keep=1") == 0
    assert capsys.readouterr().out == "Deleted 2 runs and freed 1.0 MB; 1 run kept.\n"
    assert names() == ["cccccccccccc"]
    clean("--keep=1")
    assert capsys.readouterr().out == "Deleted 0 runs and freed 0.0 MB; 1 run kept.\n"


def test_executions_without_a_run_of_their_own_count_as_runs(folder, capsys) -> None:
    store = Store(folder / ".local/records.sqlite")
    for name, time in (("dddddddddddd", 2e9), ("eeeeeeeeeeee", 1.0), ("cccccccccccc", 1.0)):
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/prices/execution/{name}"
        store.insert(records.EXECUTION, arn, {"PipelineExecutionArn": arn, "LastModifiedTime": time})
        page(folder, name, arn)
    store.close()
    assert clean("--keep=2") == 0
    assert capsys.readouterr().out.startswith("Deleted 3 runs and freed ")
    assert names() == ["cccccccccccc", "dddddddddddd"]
    assert sorted(find_executions(Settings(folder / ".local"))) == ["cccccccccccc", "dddddddddddd"]


@pytest.mark.parametrize(("account", "left"), [("123456789012", []), ("210987654321", ["gone00000000"])])
def test_pages_about_executions_that_are_gone_are_deleted(folder, account, left) -> None:
    """Those about executions on AWS are kept: the local service does not know them."""
    page(folder, "gone00000000", f"arn:aws:sagemaker:us-east-1:{account}:pipeline/prices/execution/gone00000000")
    clean("--keep=1")
    assert names() == ["cccccccccccc", *left]


def test_the_environments_of_images_are_deleted(folder, capsys) -> None:
    environment = folder / ".local/environments/scikit-learn-1.2-1-0"
    environment.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("x" * 2_000_000)
    assert clean("--keep=3") == 0
    assert capsys.readouterr().out == "Deleted 0 runs and freed 2.0 MB; 3 runs kept.\n"
    assert not environment.exists()


def test_no_run_need_be_kept() -> None:
    clean("--keep=0")
    assert names() == []
    assert Path(".local/last-run.json").is_file()


@pytest.mark.parametrize("keep", ["", "-1", "all"])
def test_the_number_of_runs_to_keep_has_to_be_given(monkeypatch, keep) -> None:
    monkeypatch.setenv("KEEP", keep)
    with pytest.raises(click.UsageError):
        clean()
    assert len(names()) == 3


def test_runs_are_not_deleted_while_a_service_uses_the_folder(folder) -> None:
    settings = Settings(folder / ".local", port=0)
    with LocalService(settings), pytest.raises(UserError, match=r"Nothing was deleted\. .* is in use .* stop"):
        clean("--keep=0")
    assert len(names()) == 3
