"""Tables on a terminal of 80 columns: nothing is cut, and numbers are not broken."""

from __future__ import annotations

import os
from typing import Any

import pytest
import yaml
from rich.console import RenderableType

from pipeline.operate.doctor.findings import Finding, State
from scripts import doctor, report
from scripts.console import console
from scripts.tables import plain_table
from tests.commands import ROOT, run_command

WIDTH = 80
CUT = "…"
BEST = {"estimate": {"mse": 36_500_000.0}}
COLUMNS_OF_THE_DOCTOR = ((0, 26), (26, 38), (38, WIDTH))


@pytest.fixture(autouse=True)
def narrow_terminal(monkeypatch) -> None:
    monkeypatch.setattr(console, "width", WIDTH)


def printed(renderable: RenderableType) -> str:
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def point(folds: int, **members: Any) -> dict[str, Any]:
    errors = {f"split{fold}_test_mse": 36_500_000.0 for fold in range(folds)}
    summary = {"mean_test_mse": 36_500_000.0, "std_test_mse": 6_900_000.0, "chosen": True}
    return {"params": {"learning_rate": "0.000316227766", "l1": "0.001"}, **summary, **errors, **members}


def test_an_estimate_of_long_names_is_whole(tmp_path) -> None:
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["folds"] |= {"count": 20, "instance_type": "ml.m5.xlarge", "instance_count": 100}
    document["tuning"] |= {"instance_type": "ml.m5.large", "max_runtime_minutes": 7200}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
    environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": str(WIDTH)}
    finished = run_command("estimate", environment | {"CONFIG": str(tmp_path / "config.yaml")})
    assert finished.returncode == 0, finished.stderr
    assert CUT not in finished.stdout
    for whole in ("ml.m5.xlarge", "ml.m5.large", "TuneFold20", "VerifyEndpoint", "28800.0"):
        assert whole in finished.stdout


def test_the_doctors_findings_are_whole() -> None:
    image = "173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1.3"
    finding = Finding("image: sagemaker-spark-processing", State.UNKNOWN, f"{image} is absent", "run 'make bootstrap'")
    text = printed(doctor._table([finding]))
    lines = text.splitlines()[3:]
    check, state, found = ("".join(line[start:end].strip() for line in lines) for start, end in COLUMNS_OF_THE_DOCTOR)
    assert check == finding.subject.replace(" ", "")
    assert state == "could notbe checked"
    assert found.replace(" ", "") == f"{image}isabsentTodo:run'makebootstrap'"


@pytest.mark.parametrize(("folds", "shown"), [(4, True), (5, True), (6, False), (20, False)])
def test_the_errors_of_the_folds_are_shown_if_all_fit(folds, shown) -> None:
    text = printed(report._errors([point(folds)], BEST))
    assert (f"fold {folds}" in text) is shown
    assert ("cv_results.csv has the errors of the" in text) is not shown
    assert "0.0003162" in text
    assert CUT not in text
    assert all(len(line.rstrip()) <= WIDTH for line in text.splitlines()[1:])


def test_the_error_of_a_combination_that_diverged_does_not_widen_the_table() -> None:
    text = printed(report._errors([point(2, mean_test_mse=1e40)], BEST))
    assert "1.00e+34" in text
    assert "fold 2" in text


def test_a_terminal_breaks_a_title_between_words(monkeypatch) -> None:
    monkeypatch.setattr(console, "width", 20)
    monkeypatch.setattr(console, "_force_terminal", True)
    table = plain_table("the errors; cv_results.csv has more")
    table.add_column("mean")
    assert [line.rstrip() for line in printed(table).splitlines()[:2]] == ["the errors;", "cv_results.csv has"]
