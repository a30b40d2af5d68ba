"""An image of the user's own, and training jobs that run it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import yaml

from local.runtime.jobs import log
from tests.local.runtime.jobs.conftest import BUCKET, Jobs, channel, training_request

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own-image:2"


def map_images(jobs: Jobs, *entries: dict[str, Any]) -> Path:
    """Write local-images.yaml; return its path."""
    file = jobs.service.settings.custom_images
    file.write_text(yaml.safe_dump(list(entries)))
    return file


def write_program(jobs: Jobs, script: str, folder: str = "program") -> Path:
    """Write a folder of an image with the program ``train``; return the folder."""
    place = jobs.service.settings.custom_images.parent / folder
    place.mkdir(exist_ok=True)
    program = place / "train"
    program.write_text(f"#!/usr/bin/env python3\n{textwrap.dedent(script)}")
    program.chmod(0o755)
    return place


def own_request(name: str, script: str, jobs: Jobs, **changes: Any) -> dict[str, Any]:
    """CreateTrainingJob of the own image with a script in the channel ``code``; without a script, of its entrypoint."""
    code = jobs.put(f"code/{name}/main.py", script)
    specification = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        **({"ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/main.py"]} if script else {}),
    } | changes.pop("specification", {})
    channels = [channel("code", code.rpartition("/")[0]), *changes.pop("channels", [])]
    defaults = {"AlgorithmSpecification": specification, "InputDataConfig": channels, "HyperParameters": {}}
    return training_request(name, **(defaults | changes))


def train(jobs: Jobs, script: str, **changes: Any) -> tuple[dict[str, Any], list[str]]:
    """Run a training job of the own image; return its description and its log."""
    name = jobs.name("own")
    jobs.call("CreateTrainingJob", **own_request(name, script, jobs, **changes))
    description = jobs.wait("training-job", name, 120)
    return description, jobs.log_lines(log.TRAINING, name)


def printed(lines: list[str]) -> Any:
    """The JSON that a script has printed last."""
    return json.loads(next(line for line in reversed(lines) if line.startswith("{")))


def artifact_uri(name: str, file: str) -> str:
    return f"s3://{BUCKET}/models/{name}/output/{file}"
