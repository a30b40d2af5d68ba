"""Training jobs in script mode: sagemaker-training runs the user's script in the environment of a framework's image."""

from __future__ import annotations

import io
import json
import tarfile
import textwrap
from typing import Any

import pytest

from local.runtime.containers import isolation
from local.runtime.jobs import log
from tests.local.runtime.jobs.conftest import BUCKET, Jobs, channel, training_request
from tests.local.runtime.jobs.own_image import artifact_uri, printed
from tests.local.runtime.jobs.wheels import wheel

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.usefixtures("environments_of_images")]

SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
LOSS = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
SCRIPT = """
    import argparse, json, os
    import joblib, jobpackage, numpy, sklearn.linear_model
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    arguments = parser.parse_args()
    rows = numpy.loadtxt(os.path.join(arguments.train, "rows.csv"), delimiter=",")
    model = sklearn.linear_model.Ridge(alpha=arguments.alpha).fit(rows[:, 1:], rows[:, 0])
    joblib.dump(model, os.path.join(arguments.model_dir, "model.joblib"))
    with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "report.txt"), "w") as file:
        file.write("fitted")
    print(f"loss={arguments.alpha};")
    hosts = json.loads(os.environ["SM_HOSTS"])
    print(json.dumps({"package": jobpackage.version, "hosts": hosts, "hyperparameters": os.environ["SM_HPS"]}))
    """


def _submit(jobs: Jobs, script: str, **files: bytes) -> dict[str, str]:
    """Put a script in S3 as SDK v2 does; return the hyperparameters that name it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in {"fit.py": textwrap.dedent(script).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    uri = f"s3://{BUCKET}/{jobs.name('source')}/source/sourcedir.tar.gz"
    jobs.parts.objects.write(uri, content.getvalue())
    given = {
        "sagemaker_program": "fit.py",
        "sagemaker_submit_directory": uri,
        "sagemaker_container_log_level": 20,
        "sagemaker_region": "us-east-1",
    }
    return {name: json.dumps(value) for name, value in given.items()}


def _package() -> dict[str, bytes]:
    name = "jobpackage-3-py3-none-any.whl"
    return {"requirements.txt": f"--no-index\n./{name}\n".encode(), name: wheel("3")}


def _definition(jobs: Jobs, script: str, **files: bytes) -> dict[str, Any]:
    jobs.put("rows/rows.csv", "1,1,2\n2,2,1\n3,3,3\n")
    return {
        "AlgorithmSpecification": {"TrainingImage": SCIKIT_LEARN, "TrainingInputMode": "File"},
        "HyperParameters": _submit(jobs, script, **files),
        "InputDataConfig": [channel("train", f"s3://{BUCKET}/rows/")],
    }


def _train(jobs: Jobs, definition: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    name = jobs.name("script")
    jobs.call("CreateTrainingJob", **training_request(name, **definition))
    description = jobs.wait("training-job", name, 300)
    return description, jobs.log_lines(log.TRAINING, name)


def test_a_script_trains_with_its_requirements_variables_and_metrics(jobs: Jobs) -> None:
    definition = _definition(jobs, SCRIPT, **_package())
    definition["HyperParameters"]["alpha"] = "0.5"
    definition["AlgorithmSpecification"]["MetricDefinitions"] = LOSS
    description, lines = _train(jobs, definition)
    assert description["TrainingJobStatus"] == "Completed", lines
    read = printed(lines)
    assert (read["package"], read["hosts"]) == ("3", ["algo-1"])
    assert json.loads(read["hyperparameters"]) == {"alpha": 0.5}
    assert [each["Value"] for each in description["FinalMetricDataList"]] == [0.5]
    name = description["TrainingJobName"]
    with tarfile.open(fileobj=io.BytesIO(jobs.parts.objects.read(artifact_uri(name, "model.tar.gz")))) as archive:
        assert archive.getnames() == ["model.joblib"]
    assert jobs.parts.objects.exists(artifact_uri(name, "output.tar.gz"))
    # What the job has installed is in its own environment only.
    definition["HyperParameters"] |= _submit(jobs, SCRIPT)
    description, _ = _train(jobs, definition)
    assert description["TrainingJobStatus"] == "Failed"


@pytest.mark.parametrize(
    ("script", "changes", "reason"),
    [
        ("raise ValueError('no')", {}, "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n"),
        ("", {"sagemaker_program": '"absent.py"'}, "AlgorithmError: ExecuteUserScriptError:\nExitCode 2\n"),
        ("", {"sagemaker_submit_directory": f'"s3://{BUCKET}/absent.tar.gz"'}, "AlgorithmError: Framework Error: \n"),
    ],
)
def test_a_failure_has_the_words_of_sagemakers_container(
    jobs: Jobs, script: str, changes: dict[str, str], reason: str
) -> None:
    definition = _definition(jobs, script)
    definition["HyperParameters"] |= changes
    description, lines = _train(jobs, definition)
    assert description["TrainingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith(reason), lines
    assert ", exit code: " in description["FailureReason"]


def test_without_namespaces_the_paths_in_the_submitted_code_are_replaced(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "has_own_roots", lambda: False)
    definition = _definition(jobs, "open('/opt/ml/model/weights', 'w').write(open('/opt/ml/code/fit.py').read())")
    description, lines = _train(jobs, definition)
    assert description["TrainingJobStatus"] == "Completed", lines
    assert jobs.parts.objects.exists(description["ModelArtifacts"]["S3ModelArtifacts"])
