"""The commands of docs/first-run-on-aws.md exist: nobody has run them on AWS yet."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import pytest
import yaml
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/first-run-on-aws.md").read_text()
COMMANDS = re.findall(
    r"\baws ([a-z]+(?:-[a-z]+)*) ((?:[a-z]+-)+[a-z]+)((?:[^`\n)>|;]|\\\n|\$\{[^}]*\})*)",
    DOCUMENT.replace("aws sagemaker wait endpoint-in-service", "aws sagemaker describe-endpoint"),
)
GLOBAL = {"query", "output", "region"}


@pytest.mark.parametrize(("service", "operation", "options"), COMMANDS)
def test_every_aws_command_names_an_operation_and_its_members(service, operation, options) -> None:
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations
    shape = model.operation_model(operations[operation]).input_shape
    assert shape is not None
    members = {xform_name(name, "-") for name in shape.members}
    # The AWS CLI's own spelling of acronyms does not occur among these.
    assert set(re.findall(r"--([a-z-]+)", options)) <= members | GLOBAL


def test_the_document_names_many_commands() -> None:
    assert len(COMMANDS) > 12


def test_the_small_configuration_is_what_the_document_says() -> None:
    (script,) = re.findall(r"^sed (.+?) config.yaml > trial.yaml", DOCUMENT, re.MULTILINE | re.DOTALL)
    text = (ROOT / "config.yaml").read_text()
    for pattern, replacement in re.findall(r"'s/(.+?)/(.+?)/'", script):
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count == 1
    trial = yaml.safe_load(text)
    assert trial["folds"]["count"] == 2
    assert (trial["tuning"]["learning_rate"], trial["tuning"]["l1"]) == ([0.1], [0.001])
    assert trial["tuning"]["max_jobs"] == trial["tuning"]["max_parallel_jobs"] == 1
