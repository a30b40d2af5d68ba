"""What the commands say to a person who gives them what they cannot use."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.commands import run_command


def command(name: str, **options: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    nowhere["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    return run_command(name, inherited | nowhere | options)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("delete", {"LEVEL": "everything"}, "LEVEL=everything: use one of endpoint, pipeline, all."),
        ("bootstrap", {"EXPIRATION_DAYS": "soon"}, "EXPIRATION_DAYS=soon: give a number of days"),
        ("estimate", {"PRICES": "nowhere.yaml"}, "nowhere.yaml: cannot be read"),
        ("start", {"PARAMS": "DataVersion=a,b"}, "PARAMS: DataVersion: 'a,b' cannot be recorded with a model: use"),
        ("start", {"PARAMS": "DataVersion="}, "PARAMS: DataVersion: '' cannot be recorded with a model: use"),
        ("start", {"PARAMS": "EndpointName=my_trial"}, "PARAMS: EndpointName: AWS would refuse 'my_trial': use"),
        ("rollback", {}, "No AWS credentials were found"),
    ],
)
def test_a_command_says_what_is_wrong_in_a_sentence(name, options, sentence) -> None:
    finished = command(name, **options)
    assert finished.returncode == 1
    assert sentence in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""
