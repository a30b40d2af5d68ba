"""make doctor, and what commands say of quotas, against the local service as a person runs them."""

from __future__ import annotations

import os
import re
import subprocess

import boto3
import pytest

from local.app.server import LocalService
from local.core.settings import Settings
from pipeline.config.loading import load_config
from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.checks import run_checks
from pipeline.operate.doctor.findings import State
from tests.commands import ROOT, in_a_process, run_command
from tests.docs.permissions import documented, recorded

READS = re.compile(r"(Get|List|Describe|Head|Simulate|BatchGet)\w+")
NOT_ASKED = "not implemented by the local service: servicequotas:ListServiceQuotas"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with LocalService(Settings(tmp_path_factory.mktemp("service") / ".local", port=0)) as service:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        yield inherited | service.settings.client_environment() | {"COLUMNS": "250"}


@pytest.fixture(scope="module")
def command(environment):
    def run(name: str, **options: str) -> subprocess.CompletedProcess[str]:
        with recorded() as needed:
            finished = run_command(name, environment | options)
        assert needed - documented()[name] == set()
        return finished

    return run


def rows(output: str) -> dict[str, str]:
    """The first line of each state, by the check; the first cell is a space in, and cells are two spaces apart."""
    cells = [re.split(r"\s{2,}", line.strip()) for line in output.splitlines() if re.match(r" \S", line)]
    return {cell[0]: cell[1] for cell in cells if len(cell) > 1}


@pytest.mark.slow
def test_the_doctor_follows_an_account_from_nothing_to_published(command, tmp_path) -> None:
    empty = command("doctor")
    assert empty.returncode == 0, empty.stdout + empty.stderr
    found = rows(empty.stdout)
    assert found["credentials"] == "ok"
    assert found["stack"] == found["bucket"] == found["function"] == found["role: job"] == "attention"
    assert found["quotas"] == "could not"
    assert NOT_ASKED in " ".join(empty.stdout.split())

    assert command("bootstrap", YES="1").returncode == 0
    made = rows(command("doctor").stdout)
    assert made["stack"] == made["stack: up to date"] == made["bucket"] == made["role: lambda"] == "ok"
    assert made["pipeline"] == "attention"

    upsert = command("upsert", YES="1")
    assert upsert.returncode == 0, upsert.stderr
    assert upsert.stdout.count(NOT_ASKED) == 1
    published = rows(command("doctor").stdout)
    assert published["function"] == published["pipeline"] == published["rule: approved"] == "ok"

    changed = tmp_path / "config.yaml"
    text = (ROOT / "config.yaml").read_text().replace("expire_after: P30D", "expire_after: P3D")
    changed.write_text(text.replace("input: data/", f"input: {ROOT}/data/"))
    after = command("doctor", CONFIG=str(changed))
    assert rows(after.stdout)["pipeline"] == "attention"
    assert "CacheConfig" in after.stdout


def test_the_doctor_only_reads(environment, command, monkeypatch) -> None:
    # Both change nothing if the test before has published already.
    for step in ("bootstrap", "upsert"):
        assert command(step, YES="1").returncode == 0
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    operations: set[str] = set()
    session = boto3.Session(region_name="us-east-1")
    session.events.register("before-call.*.*", lambda model, **_: operations.add(model.name))
    account = Account(load_config(ROOT / "config.yaml"), session, is_local=True)
    findings = [*run_checks(account)]
    assert len(findings) > 10
    simulated = {found.subject: found.state for found in findings if found.subject.endswith(", permissions")}
    assert len(simulated) >= 3
    assert set(simulated.values()) == {State.OK}
    assert {"GetCallerIdentity", "DescribeStacks", "DescribePipeline", "ListServiceQuotas"} <= operations
    assert [name for name in operations if not READS.fullmatch(name)] == []


def test_a_failed_check_is_the_exit_status(command, tmp_path) -> None:
    theirs = "arn:aws:iam::999999999999:role/theirs"
    changed = tmp_path / "config.yaml"
    changed.write_text((ROOT / "config.yaml").read_text().replace("job_role_arn:", f"job_role_arn: {theirs}"))
    finished = command("doctor", CONFIG=str(changed))
    assert finished.returncode == 1
    assert rows(finished.stdout)["role: job"] == "failed"
    assert rows(finished.stdout)["credentials"] == "ok"


def test_wrong_credentials_are_one_failure_not_a_traceback(environment) -> None:
    finished = in_a_process("doctor", environment | {"AWS_SECRET_ACCESS_KEY": "wrong"})
    assert finished.returncode == 1
    assert rows(finished.stdout)["credentials"] == "failed"
    assert "Traceback" not in finished.stderr


def test_commands_say_in_a_sentence_that_nobody_answers_about_quotas(command, tmp_path) -> None:
    estimate = command("estimate")
    assert estimate.returncode == 0, estimate.stderr
    assert estimate.stdout.count(NOT_ASKED) == 1
    assert re.search(r"ml\.m5\.large for training job usage +10 +unknown", estimate.stdout)

    other = tmp_path / "config.yaml"
    other.write_text((ROOT / "config.yaml").read_text().replace("name: insurance", "name: unpublished"))
    start = command("start", CONFIG=str(other))
    assert start.stdout.count(NOT_ASKED) == 1
    assert "dollars" not in start.stdout
    assert "There is no pipeline unpublished-cross-validation" in start.stderr
