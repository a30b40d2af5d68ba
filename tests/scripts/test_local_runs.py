"""Runs on this machine, with configurations that are meant for an account of AWS."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from local.core.settings import ACCOUNT_ID
from pipeline.config.models import Config
from pipeline.definition.resources import Resources
from pipeline.errors import UserError
from scripts import local_runs, whole_run
from scripts.side_tasks import build
from scripts.whole_run import WholeRun

ROLES = ("pipeline_role_arn", "job_role_arn", "lambda_role_arn", "events_role_arn")


@pytest.fixture
def theirs(config) -> Config:
    """A configuration with roles of an account of AWS."""
    roles = {name: f"arn:aws:iam::999999999999:role/{name}" for name in ROLES}
    return config.model_copy(update={"aws": config.aws.model_copy(update=roles)})


def test_a_local_run_publishes_with_roles_of_the_local_account(theirs, monkeypatch) -> None:
    no_session: Any = None
    used: list[Resources] = []
    monkeypatch.setattr(local_runs, "ensure_local_bucket", lambda *_: None)
    monkeypatch.setattr(local_runs, "plan_publishing", lambda config, resources, *_: used.append(resources))
    monkeypatch.setattr(local_runs, "publish", lambda *_: None)
    monkeypatch.setattr(local_runs, "start_execution", lambda *_: "arn")
    local_runs.publish_and_start(no_session, theirs)
    assert [getattr(used[0], name).split(":")[4] for name in ROLES] == [ACCOUNT_ID] * len(ROLES)


def test_a_local_run_builds_the_definition_without_roles_of_other_accounts(theirs) -> None:
    begun: dict[Any, tuple[Any, ...]] = {}
    side: Any = SimpleNamespace(begin=lambda task, *arguments: begun.update({task: arguments}))
    WholeRun(theirs, (), side)
    config, account_id = begun[build]
    assert account_id == ACCOUNT_ID
    assert [getattr(config.aws, name) for name in ROLES] == [None] * len(ROLES)
    assert config.dataset == theirs.dataset


def test_a_run_keeps_its_results_if_the_endpoint_serves_another_model_by_now(config, monkeypatch, capsys) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise UserError("The configuration predicts kind, and the model predicts price")

    no_session: Any = None
    results: Any = SimpleNamespace(endpoint_name="prices", endpoint_state="verified")
    monkeypatch.setattr(whole_run, "predict", refuse)
    document = whole_run._predictions(no_session, config.with_input(__file__), results)
    assert document == {"predictions": [], "prediction_scores": None}
    printed = " ".join(capsys.readouterr().out.split())
    assert printed == "There are no predictions. The configuration predicts kind, and the model predicts price"
