"""What the commands say to a person who gives them what they cannot use."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.commands import ROOT, in_a_process, run_command

COMMANDS = sorted(file.stem for file in (ROOT / "scripts").glob("*.py") if '__name__ == "__main__"' in file.read_text())


def environment(**options: str) -> dict[str, str]:
    """Return the options and an environment without an AWS account."""
    inherited = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    nowhere["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    return inherited | nowhere | options


def command(name: str, **options: str) -> subprocess.CompletedProcess[str]:
    return run_command(name, environment(**options))


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("estimate", {"PRICES": "nowhere.yaml"}, "nowhere.yaml: cannot be read"),
        ("start", {"PARAMS": "DataVersion=a,b"}, "Parameter DataVersion: 'a,b' cannot be recorded with a model: use"),
        ("start", {"PARAMS": "DataVersion="}, "Parameter DataVersion: '' cannot be recorded with a model: use"),
        ("start", {"PARAMS": "EndpointName=my_trial"}, "Parameter EndpointName: AWS would refuse 'my_trial': use"),
        ("rollback", {}, "No AWS credentials were found"),
    ],
)
def test_a_command_says_what_is_wrong_in_a_sentence(name, options, sentence) -> None:
    finished = command(name, **options)
    assert finished.returncode == 1
    assert sentence in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""


@pytest.mark.parametrize("name", ["bootstrap", "delete", "status"])
def test_an_sso_profile_without_a_sign_in_is_a_sentence_with_the_command(tmp_path, name) -> None:
    file = tmp_path / "config"
    sso = "sso_account_id = 111122223333\nsso_role_name = Engineer\nsso_session = company\nregion = eu-west-1\n"
    session = "[sso-session company]\nsso_start_url = https://company.example/start\nsso_region = eu-west-1\n"
    file.write_text(f"[profile ml]\n{sso}{session}")
    finished = command(name, AWS_CONFIG_FILE=str(file), AWS_PROFILE="ml", HOME=str(tmp_path))
    assert finished.returncode == 1
    assert "Run 'aws sso login --profile ml'" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_a_command_in_a_sentence_has_the_configuration_of_this_one(tmp_path) -> None:
    other = tmp_path / "two words.yaml"
    other.write_text((ROOT / "config.yaml").read_text())
    said = command("start", CONFIG=str(other)).stdout
    assert f"until 'make delete CONFIG='{other}' LEVEL=endpoint'" in said
    assert "until 'make delete LEVEL=endpoint'" in command("start", CONFIG="config.yaml").stdout


def test_a_start_on_aws_says_its_cost_before_it_asks_aws_for_anything() -> None:
    finished = command("start", PARAMS="TrainingInstanceType=ml.m5.4xlarge")
    assert finished.returncode == 1
    first, second = " ".join(finished.stdout.split()).split(" Endpoint: ")
    # 60 jobs of 2 minutes at 0.922 dollars an hour, and 0.03 for the others.
    assert first.startswith("An execution typically costs 1.87 US dollars, at most 55.78 (prices as of ")
    assert second.startswith("83.95 dollars a month of 730 hours, from the first deployment until 'make delete")


def test_a_start_in_another_region_says_that_its_prices_differ(tmp_path) -> None:
    file = tmp_path / "config.yaml"
    text = (ROOT / "config.yaml").read_text().replace("region: us-east-1", "region: eu-west-1")
    file.write_text(text.replace("input: data/", f"input: {ROOT}/data/"))
    assert (
        "in us-east-1; your region eu-west-1 has other prices). Endpoint:" in command("start", CONFIG=str(file)).stdout
    )


def test_a_start_with_an_instance_without_a_price_says_so() -> None:
    finished = command("start", PARAMS="TrainingInstanceType=ml.p3.2xlarge")
    assert " ".join(finished.stdout.split()).startswith("The cost is not known. There is no price for ml.p3.2xlarge.")


@pytest.mark.slow
def test_make_doctor_answers_about_the_account_before_this_machine_and_fails_if_a_check_fails() -> None:
    finished = subprocess.run(
        ["make", "-s", "doctor"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert finished.returncode == 2
    assert re.search(r"credentials +failed.*\n\nOn this machine, for the local service:\n", finished.stdout, re.DOTALL)


@pytest.fixture(scope="module")
def processes() -> dict[str, subprocess.CompletedProcess[str]]:
    """Every command's finished process. None has an input: no configuration, no coverage data, no definition."""
    without_input = environment(CONFIG="missing.yaml", COVERAGE_FILE="missing.coverage")
    # Side by side, because each start takes half a second.
    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(COMMANDS, pool.map(lambda name: in_a_process(name, without_input), COMMANDS), strict=True))


# make runs has no input but the folder, and make completion needs none: they have their own tests.
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("runs", "completion")])
def test_every_command_starts_as_a_process(processes, name) -> None:
    status, sentence = {
        "init": (
            2,
            "DATA is missing: make init DATA=file.csv LABEL=column [CONFIG=new.yaml ALGORITHM=name], "
            "or: .venv/bin/python -m scripts.init --data file.csv --label column",
        ),
        "clean_local": (
            2,
            "KEEP is missing: make clean-local KEEP=number, or: .venv/bin/python -m scripts.clean_local --keep number",
        ),
        "coverage_report": (1, "There is nothing to report: 'make coverage' runs the tests first."),
        "studio": (1, "No AWS region is set. Set AWS_DEFAULT_REGION, or a region in your AWS profile."),
        "lint_definition": (
            2,
            "FILE is missing: make lint-definition FILE=definition.json, "
            "or: .venv/bin/python -m scripts.lint_definition definition.json",
        ),
    }.get(
        name,
        (
            1,
            "missing.yaml: cannot be read: No such file or directory. "
            "To draft it: make init DATA=file.csv LABEL=column CONFIG=missing.yaml",
        ),
    )
    finished = processes[name]
    assert finished.stderr == f"{sentence}\n"
    assert finished.returncode == status
    assert finished.stdout == ""


def test_make_runs_every_command_and_no_other() -> None:
    run_by_make = set(re.findall(r"\$\(RUN\) scripts\.(\w+)", (ROOT / "Makefile").read_text()))
    assert run_by_make == set(COMMANDS)
