"""The commands of the pages about an account, said in their order to one local service, as in a clone's folder."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import numpy as np
import pytest

from tests.docs.commands import block_commands, section_commands, snippets
from tests.examples.clones import ROOT, Shell, free_port, link_project, own_copy
from tests.examples.steps import Step, take

DOCS = ROOT / "docs"
CHECKLIST = DOCS / "first-run-on-aws.md"
NAME = "insurance-cross-validation"
BUCKET = f"{NAME}-123456789012-us-east-1"
ROWS = "age,sex,bmi,children,smoker,region\n19,female,27.9,0,yes,southwest\n18,male,33.77,1,no,southeast\n"
STEP = dict(re.findall(r"^\| (\d+) (\|.*)", CHECKLIST.read_text("utf-8"), re.MULTILINE))
"""The rows of the checklist by their numbers."""


def steps_of(page: str, section: str) -> Iterator[Step]:
    return (Step(command) for command in section_commands(DOCS / page, section))


def costs(number: str) -> str:
    """Return the pattern of the line of `make estimate` with the two costs that the checklist gives for a step."""
    typical, most = re.findall(r"\| ([\d.]+) \(([\d.]+)\) \|", STEP[number])[0]
    return rf"Together .* {re.escape(typical)} +{re.escape(most)}"


def _errors_are_those_of_the_checklist(folder: Path, printed: str) -> None:
    """The errors by fold of the chosen hyperparameters, in millions."""
    lowest, highest = re.findall(r"errors between (\d+) and (\d+) million by fold", STEP["7"])[0]
    chosen = re.findall(r"learning_rate ([\d.]+), l1 ([\d.]+) ", printed)[0]
    (row,) = [line.split() for line in printed.splitlines() if line.split()[:2] == [*chosen]]
    errors = [round(float(error)) for error in row[4:]]
    assert (min(errors), max(errors)) == (int(lowest), int(highest))


def _scores_are_near_the_label(folder: Path, printed: str) -> None:
    scores = np.array([float(line) for line in (folder / "online.txt").read_text().split()])
    with (folder / "data/insurance.csv").open(newline="") as file:
        charges = np.array([float(row["charges"]) for row in csv.DictReader(file)])
    assert np.corrcoef(scores, charges)[0, 1] > 0.8


def _batch_gives_the_same_and_leaves_nothing(folder: Path, printed: str) -> None:
    assert (folder / "batch.txt").read_text() == (folder / "online.txt").read_text()
    assert [path for path in (folder / f".local/s3/{BUCKET}/{NAME}/batch").rglob("*") if path.is_file()] == []


def _is_the_run_of_before(folder: Path, printed: str) -> None:
    results = [line for line in printed.splitlines() if re.match("Cross-validated|Out of fold|Training job", line)]
    assert len(results) == 3
    assert set(results) <= set((folder / "report.txt").read_text().splitlines())


def _everything_is_collected(folder: Path, printed: str) -> None:
    documents = [*(folder / "first-run").rglob("*.json")]
    for document in documents:
        json.loads(document.read_text())
    names = [document.name for document in documents]
    assert {"pipeline.json", "endpoint.json", "function-log.json", "execution.json", "steps.json"} <= set(names)
    logs = [name for name in names if name.endswith("-log.json") and name != "function-log.json"]
    # MakeFolds, SelectBest, VerifyEndpoint and a tuning job for each of two folds.
    assert len(logs) == 5
    assert any(name.startswith("package-") for name in names)
    assert (folder / "first-run/model.tar.gz").is_file()


def _two_scores(folder: Path, printed: str) -> None:
    assert len([line for line in printed.splitlines() if re.fullmatch(r"[\d.]+", line)]) == 2


def _scored(folder: Path, printed: str) -> None:
    with (folder / "scored.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[:-1] for row in rows] == [*csv.reader(ROWS.splitlines())]
    assert rows[0][-1] == "prediction"
    assert all(float(row[-1]) > 0 for row in rows[1:])
    (folder / "scored.csv").unlink()


TO_THE_SERVICE = (Step('eval "$(make -s local-env)"'), Step("make local-env", prints=("export AWS_ENDPOINT_URL=",)))
SUCCEEDED = "Execution: Succeeded"
COLLECT = (
    *(step for step in steps_of(CHECKLIST.name, "Collect") if not step.command.startswith("tar ")),
    Step(
        "aws s3 cp <Artifact> first-run/",
        said="aws s3 cp $(sed -n 's/^Artifact *//p' first-run/report.txt) first-run/",
    ),
    Step("tar czf first-run.tar.gz first-run", writes=("first-run.tar.gz",), check=_everything_is_collected),
)
FIRST_RUN = (
    *steps_of(CHECKLIST.name, "Before you begin"),
    # The service needs no stack, so doctor counts as a hint what fails on AWS.
    Step(
        "make doctor",
        prints=("credentials +ok", "there is no stack", "role: job .*does not exist", "bucket .*does not"),
    ),
    Step("make estimate", prints=(costs("7"), "Together +63 ", "Quotas that one execution and its endpoint need")),
    Step("make bootstrap", prints=(r"add \d AWS::IAM::Role", "BucketName +" + BUCKET)),
    Step("make doctor", prints=("stack +ok", "role: job +ok", "the policy simulator allows the first actions")),
    *(step for step in steps_of(CHECKLIST.name, "A small configuration") if "make" not in step.command),
    Step("make estimate CONFIG=trial.yaml", prints=(costs("6"), "Together +5 ")),
    Step("make upsert CONFIG=trial.yaml", prints=(f"pipeline {NAME} is created",)),
    Step("make doctor CONFIG=trial.yaml", prints=("function +ok", "pipeline +ok", "rule: approved +ok")),
    Step("make start CONFIG=trial.yaml"),
    Step("make status CONFIG=trial.yaml", prints=(SUCCEEDED, "VerifyEndpoint: Succeeded")),
    # This early, because they ask about each execution, which takes the AWS CLI minutes after some more.
    *COLLECT,
    Step("make upsert", prints=("TuneFold5: add", f"pipeline {NAME} is updated")),
    Step("make start"),
    Step("make status", prints=(SUCCEEDED, "VerifyEndpoint: Succeeded")),
    Step(
        "make report",
        said="make report | tee report.txt",
        prints=(r"Endpoint .*\(verified\)", r"Model package .*/2\n"),
        check=_errors_are_those_of_the_checklist,
    ),
    Step(
        "make predict INPUT=data/insurance.csv",
        said="make predict INPUT=data/insurance.csv > online.txt",
        check=_scores_are_near_the_label,
    ),
    Step(
        "make predict BATCH=1",
        said="make predict INPUT=data/insurance.csv BATCH=1 > batch.txt",
        check=_batch_gives_the_same_and_leaves_nothing,
    ),
    Step("make start"),
    Step(
        "make status",
        prints=(
            SUCCEEDED,
            *(rf"{name}: Succeeded \(from the cache" for name in ("MakeFolds", "TuneFold5", "SelectBest")),
        ),
    ),
    Step("make report", prints=("/2 \\(unchanged: registered by an earlier",), check=_is_the_run_of_before),
    Step('make start PARAMS="MaxMse=1"'),
    Step(
        "make status",
        2,
        prints=(r"RejectModel failed: Not registered\. The estimated MSE of the chosen model is .* MaxMse is 1\.0",),
    ),
    Step("make upsert CONFIG=trial.yaml"),
    Step('make start CONFIG=trial.yaml PARAMS="ModelApprovalStatus=PendingManualApproval MaxMse=1e9"'),
    Step("make status CONFIG=trial.yaml", prints=(SUCCEEDED, "RegisterModel: Succeeded")),
    *(step for step in steps_of(CHECKLIST.name, "Approve") if "describe-endpoint" not in step.command),
    Step(
        "aws sagemaker describe-endpoint --endpoint-name $NAME",
        said="for _ in {1..30}; do aws sagemaker describe-endpoint --endpoint-name $NAME > served.json; "
        "grep -e -v3- served.json && break; sleep 1; done",
        prints=('"EndpointConfigName": ".*-v3-',),
    ),
    Step("make rollback", prints=(f"{NAME} returns to {NAME}-v2-",)),
)
USE = (
    Step("make predict INPUT=rows.csv", check=_two_scores),
    Step("make predict INPUT=rows.csv OUTPUT=scored.csv", check=_scored),
    Step(
        "make predict INPUT=s3://bucket/prefix/ OUTPUT=scored.csv ENDPOINT=name",
        said=f"make predict INPUT=s3://bucket/prefix/ OUTPUT=scored.csv ENDPOINT={NAME}",
        check=_scored,
    ),
    Step("make predict INPUT=rows.csv BATCH=1", check=_two_scores),
    Step("aws sagemaker list-endpoints", prints=(NAME,)),
)
NEWEST = (
    f"$(aws sagemaker list-pipeline-executions --pipeline-name {NAME} "
    "--query 'PipelineExecutionSummaries[0].PipelineExecutionArn' --output text)"
)
OTHER_INPUT = "make start PARAMS=\"'InputDataUri=s3://bucket/two words.csv' MaxMse=4e7\""
OPERATE = (
    *(
        Step(command, said=f"{command} && aws cloudwatch describe-alarms", prints=('"Threshold": 0.01',))
        for command in block_commands(DOCS / "operations.md")
        if "put-metric-alarm" in command
    ),
    Step("make bootstrap EXPIRATION_DAYS=365", prints=("parameter ExecutionExpirationDays: 0 -> 365",)),
    Step('make start PARAMS="MaxMse=4e7 DataVersion=2"'),
    Step("make status", prints=(SUCCEEDED, r"MakeFolds: Succeeded after")),
    Step(".venv/bin/python -m scripts.start --param MaxMse=4e7 --param DataVersion=2"),
    Step("make status", prints=(SUCCEEDED, r"MakeFolds: Succeeded \(from the cache")),
    Step('make start PARAMS="DataVersion=2"'),
    Step("make status", prints=(SUCCEEDED, r"MakeFolds: Succeeded \(from the cache")),
    Step(OTHER_INPUT, said=f"aws s3 cp data/insurance.csv 's3://bucket/two words.csv' && {OTHER_INPUT}"),
    Step(
        "aws sagemaker stop-pipeline-execution",
        said=f"aws sagemaker stop-pipeline-execution --pipeline-execution-arn {NEWEST}",
    ),
    Step("make status", 2, prints=("Execution: Stopped",)),
    Step(f"aws sagemaker start-pipeline-execution --pipeline-name {NAME}"),
    Step("make status", prints=(SUCCEEDED,)),
)
IN_SERVICE = (
    f"for _ in {{1..60}}; do aws sagemaker describe-endpoint --endpoint-name {NAME} > served.json; "
    "grep -e InService served.json && break; sleep 1; done"
)
DEPLOY_AGAIN = (
    Step(step.command, said=f"{step.command} && {IN_SERVICE}", prints=("InService",))
    if step.command.endswith("Approved")
    else step
    for step in steps_of("operations.md", "Deploying an older version")
)
DELETE = (
    Step("make delete LEVEL=endpoint", prints=(f"deleted endpoint {NAME}", "Left: the pipeline, its models and data")),
    *DEPLOY_AGAIN,
    Step("make delete", prints=(f"deleted pipeline {NAME}", "Left: data, bucket and roles")),
    Step("make delete LEVEL=all", prints=(rf"deleted CloudFormation stack \(bucket and roles\) {NAME}",)),
    Step("make delete LEVEL=all", prints=("nothing .*to delete in account 123456789012, us-east-1",)),
    Step("make doctor", prints=("there is no stack", "role: job .*does not exist", "bucket .*does not exist")),
    Step("aws sagemaker list-endpoints", prints=(r'"Endpoints": \[\]',)),
)
OWN_DATA = (
    *(Step(command) for command in block_commands(DOCS / "tutorial.md") if command.startswith("python3 - <<")),
    Step("make init DATA=houses.csv LABEL=price", writes=("houses.yaml",)),
    Step("make estimate CONFIG=houses.yaml", prints=("Endpoint: .* dollars a month",)),
    Step("make doctor CONFIG=houses.yaml", prints=("there is no stack houses",)),
    Step("make bootstrap CONFIG=houses.yaml", prints=(r"add \d AWS::IAM::Role",)),
    Step("make upsert CONFIG=houses.yaml", prints=("uploaded s3://.*houses.csv", "pipeline houses is created")),
    Step("make start CONFIG=houses.yaml"),
    Step("make status CONFIG=houses.yaml", prints=(SUCCEEDED,)),
    Step("make report CONFIG=houses.yaml", prints=(r"Endpoint +houses \(verified\)", r"report\.html")),
    Step(
        "make delete CONFIG=houses.yaml LEVEL=all",
        prints=("deleted endpoint houses", r"deleted CloudFormation stack \(bucket and roles\) houses"),
    ),
)
STUDIO = (Step("make studio", said="make studio STUDIO_PORT=0"),)
STEPS = (*TO_THE_SERVICE, *FIRST_RUN, *USE, *OPERATE, *DELETE, *OWN_DATA, *STUDIO)


@pytest.fixture(scope="module")
def shell(tmp_path_factory) -> Iterator[Shell]:
    """A shell in a clone, where `make local` serves."""
    folder = tmp_path_factory.mktemp("clone")
    link_project(folder)
    shell = Shell(folder, PORT=str(free_port()), YES="1", COLUMNS="200")
    with shell.in_another("make local", "Nothing to restore"):
        yield shell
    shell.close()


@pytest.mark.slow
@pytest.mark.long
def test_the_commands_for_an_account_do_what_their_pages_say(shell: Shell) -> None:
    take(shell, TO_THE_SERVICE)
    take(shell, FIRST_RUN)
    (shell.folder / "rows.csv").write_text(ROWS)
    assert shell.say("aws s3 mb s3://bucket && aws s3 cp rows.csv s3://bucket/prefix/").status == 0
    take(shell, USE)
    run_snippets(shell)
    look_at_studio(shell)
    take(shell, OPERATE)
    take(shell, DELETE)


@pytest.mark.slow
@pytest.mark.long
def test_the_tutorials_commands_for_an_account_do_what_it_says(shell: Shell) -> None:
    take(shell, TO_THE_SERVICE)
    take(shell, OWN_DATA)


def run_snippets(shell: Shell) -> None:
    """Run the Python of docs/operations.md and docs/selection.md."""
    (code,) = [each.text for each in snippets(DOCS / "operations.md") if each.language == "python"]
    (shell.folder / "snippet.py").write_text(code)
    _two_scores(shell.folder, shell.say(".venv/bin/python snippet.py").printed)
    (code,) = [each.text for each in snippets(DOCS / "selection.md") if each.language == "python"]
    execution = re.findall(r"^Artifact .*/executions/(\w+)/", (shell.folder / "report.txt").read_text(), re.MULTILINE)[
        0
    ]
    for placeholder, value in (("<bucket>", BUCKET), ("<pipeline>", NAME), ("<id>", execution)):
        code = code.replace(placeholder, value)
    (shell.folder / "snippet.py").write_text(code + "print(len(residuals), round((residuals**2).mean()))")
    said = shell.say(".venv/bin/python snippet.py")
    assert re.search(r"^1338 3\d{7}$", said.printed, re.MULTILINE), said.printed


def look_at_studio(shell: Shell) -> None:
    """Open the address that `make studio` prints, and the page that docs/studio.md adds."""
    add_page(shell.folder)
    (step,) = STUDIO
    with shell.in_another(step.said, r"http://127\S+\?token=\S+") as url:
        browser = browser_at(url[0])
        models = browser.open(urljoin(url[0], "/models")).read().decode()
    assert "<h1>Models</h1>" in models
    assert NAME in models.partition("<h1>Models</h1>")[2]


def browser_at(url: str) -> OpenerDirector:
    """Return a browser that was let in at the address that `make studio` prints."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    assert NAME in browser.open(url).read().decode()
    return browser


def add_page(folder: Path) -> None:
    """Follow the steps of docs/studio.md to add a page."""
    own_copy(folder, "studio")
    code, template = (each.text for each in snippets(DOCS / "studio.md") if each.language in ("python", "html"))
    (folder / "studio/pages/models.py").write_text(code)
    (folder / "studio/templates/models.html").write_text(template)
    pages = folder / "studio/pages/__init__.py"
    text, imported = re.subn("^    job,\n", "    job,\n    models,\n", pages.read_text(), flags=re.MULTILINE)
    text, listed = re.subn("^    files,\n\\)", "    files,\n    models,\n)", text, flags=re.MULTILINE)
    assert (imported, listed) == (1, 1)
    pages.write_text(text)
