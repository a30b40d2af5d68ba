"""Training jobs of the SDK's ModelTrainer, whose ContainerEntrypoint starts a shell script of the SDK's own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path
from typing import Any

import pytest

from local.core.sdk_defaults import sdk_environment
from tests.local.runtime.jobs.conftest import BUCKET, ROLE, Jobs
from tests.local.runtime.jobs.own_image import IMAGE, artifact_uri, map_images
from tests.local.runtime.jobs.wheels import wheel

pytestmark = [pytest.mark.slow, pytest.mark.long]

SCRIPT = """
    import argparse, json, os, sys
    import jobpackage
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    arguments, rest = parser.parse_known_args()
    if arguments.alpha == 0:
        raise ValueError("alpha is 0")
    with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
        json.dump([jobpackage.version, arguments.alpha, rest, open("/opt/ml/input/data/train/rows.csv").read()], file)
    """
SHELL_SCRIPT = """
echo "$SM_HP_ALPHA" > /opt/ml/checkpoints/alpha
cp "$SM_CHANNEL_TRAIN/rows.csv" "$SM_MODEL_DIR/"
"""
PROGRAM = """
    import json, sys
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.shapes import CheckpointConfig, OutputDataConfig
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, InputData, SourceCode
    from sagemaker.train.distributed import MPI

    image, role, bucket, source = sys.argv[1:]
    rows = f"s3://{bucket}/trainer-rows/"
    found = []
    for source_code, hyperparameters, data, changes in (
        ({"entry_script": "fit.py"}, {"alpha": 0.5}, rows, {}),
        ({"command": "python fit.py --alpha 2", "args": ["two words"]}, {}, rows, {}),
        ({"entry_script": "fit.py"}, {"alpha": 0}, rows, {}),
        ({"entry_script": "fit.sh"}, f"{source}/values.yaml", f"{source}/data", {"compression_type": "NONE"}),
        ({"entry_script": "fit.py"}, {}, rows, {"distributed": MPI(process_count_per_node=2)}),
    ):
        compression = {name: changes.pop(name) for name in ["compression_type"] if name in changes}
        trainer = ModelTrainer(
            training_image=image,
            source_code=SourceCode(source_dir=source, requirements="requirements.txt", **source_code),
            hyperparameters=hyperparameters,
            compute=Compute(instance_type="ml.m5.large", instance_count=1),
            output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models", **compression),
            checkpoint_config=CheckpointConfig(s3_uri=f"s3://{bucket}/trainer-checkpoints"),
            role=role,
            sagemaker_session=Session(default_bucket=bucket),
            **changes,
        )
        try:
            trainer.train(input_data_config=[InputData(channel_name="train", data_source=data)], logs=False)
        except Exception as error:
            found.append(str(error))
        else:
            found.append(trainer._latest_training_job.training_job_name)
    print(json.dumps(found))
    """
REPACKS = """
    import json, sys
    from sagemaker.core.helper.pipeline_variable import PipelineVariable
    from sagemaker.core.shapes import OutputDataConfig
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import TrainingStep
    from sagemaker.serve.model_builder import ModelBuilder
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, SourceCode

    image, role, bucket, source = sys.argv[1:]
    session = PipelineSession(default_bucket=bucket)
    trainer = ModelTrainer(
        training_image=image,
        source_code=SourceCode(source_dir=source, command="touch /opt/ml/model/weights"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        role=role,
        sagemaker_session=session,
    )
    train = TrainingStep(name="Train", step_args=trainer.train(logs=False))
    builder = ModelBuilder(
        image_uri="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        source_code=SourceCode(source_dir=source, entry_script="inference.py"),
        role_arn=role,
        sagemaker_session=session,
        log_level=None,
    )
    step = ModelStep(name="Make", step_args=builder.build())
    print(Pipeline(name="repacks", steps=[train, step], sagemaker_session=session).definition())
    """


@pytest.fixture
def source(jobs: Jobs, tmp_path: Path) -> Path:
    map_images(jobs, {"image": IMAGE})
    jobs.put("trainer-rows/rows.csv", "1,2\n")
    folder = tmp_path / "source"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "rows.csv").write_text("3,4\n")
    (folder / "values.yaml").write_text("alpha: 0.25\n")
    (folder / "fit.sh").write_text(SHELL_SCRIPT)
    (folder / "fit.py").write_text(textwrap.dedent(SCRIPT))
    (folder / "inference.py").write_text("def model_fn(folder): ...\n")
    (folder / "requirements.txt").write_text("--no-index\n./jobpackage-3-py3-none-any.whl\n")
    (folder / "jobpackage-3-py3-none-any.whl").write_bytes(wheel("3"))
    return folder


def _run(jobs: Jobs, program: str, source: Path) -> Any:
    settings = jobs.service.settings
    environment = jobs.service.environment | sdk_environment(settings.root, settings.region)
    command = [sys.executable, "-c", textwrap.dedent(program), IMAGE, ROLE, BUCKET, str(source)]
    ran = subprocess.run(
        command,
        env=environment | {"SAGEMAKER_VALIDATE_ROLE": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def test_a_model_trainer_runs_scripts_and_commands_with_requirements(jobs: Jobs, source: Path) -> None:
    script, command, failure, shell, refusal = _run(jobs, PROGRAM, source)
    assert _model(jobs, script) == ["3", 0.5, [], "1,2\n"]
    assert _model(jobs, command) == ["3", 2.0, ["two words"], "1,2\n"]
    assert "AlgorithmError: " in failure
    assert failure.endswith("returned non-zero exit status 1., exit code: 1")
    assert jobs.read(artifact_uri(shell, "model/rows.csv")) == "3,4\n"
    assert jobs.read(f"s3://{BUCKET}/trainer-checkpoints/alpha") == "0.25\n"
    assert "distributed=MPI of a ModelTrainer is not implemented by the local service" in refusal


def test_a_pipeline_puts_code_into_a_trained_model(jobs: Jobs, source: Path) -> None:
    definition = _run(jobs, REPACKS, source)
    assert [step["Name"] for step in definition["Steps"] if "Repack" in step["Name"]]
    jobs.call(
        "CreatePipeline",
        PipelineName="repacks",
        PipelineDefinition=json.dumps(definition),
        RoleArn=ROLE,
        ClientRequestToken="r" * 32,
    )
    arn = jobs.call("StartPipelineExecution", PipelineName="repacks", ClientRequestToken="r" * 32)[
        "PipelineExecutionArn"
    ]

    def ended() -> bool:
        answer = jobs.call("DescribePipelineExecution", PipelineExecutionArn=arn)
        return answer["PipelineExecutionStatus"] != "Executing"

    assert jobs.parts.store.wait_until(ended, 120)
    steps = jobs.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert {step["StepStatus"] for step in steps} == {"Succeeded"}, steps
    (model,) = [step["Metadata"]["Model"]["Arn"] for step in steps if "Model" in step["Metadata"]]
    made = jobs.call("DescribeModel", ModelName=model.rpartition("/")[2])
    container = made.get("PrimaryContainer") or made["Containers"][0]
    with tarfile.open(fileobj=io.BytesIO(jobs.parts.objects.read(container["ModelDataUrl"]))) as archive:
        names = archive.getnames()
    assert {"weights", "code/inference.py"} <= set(names)


def _model(jobs: Jobs, name: str) -> Any:
    with tarfile.open(fileobj=io.BytesIO(jobs.parts.objects.read(artifact_uri(name, "model.tar.gz")))) as archive:
        file = archive.extractfile("model.json")
        assert file is not None
        return json.load(file)
