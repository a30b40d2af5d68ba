"""What ``make report`` says after ``make delete``, and after somebody deleted a part of the results."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def write_config(path: Path) -> None:
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["folds"]["count"] = 2
    document["tuning"].update(learning_rate=[0.1], l1=[0.001], max_jobs=1, max_parallel_jobs=1)
    document["selection"] = {"rule": "lowest_mean_mse"}
    path.write_text(yaml.safe_dump(document))


def test_the_report_says_what_was_deleted_and_what_is_left(shell, tmp_path) -> None:
    write_config(tmp_path / "config.yaml")
    options = {"CONFIG": str(tmp_path / "config.yaml"), "YES": "1"}
    shell.succeed("upsert", **options)
    arn = next(word for word in shell.succeed("start", **options).split() if "/execution/" in word)
    assert shell.finish(arn) == "Succeeded"
    whole = shell.succeed("report", **options)
    assert "(all rows)" in whole
    assert "(verified)" in whole

    (package,) = [word for word in whole.split() if ":model-package/" in word]
    shell.aws("sagemaker", "delete-model-package", "--model-package-name", package)
    report = shell.succeed("report", **options)
    assert f"{package} (deleted since, with the training job's name and error)" in report
    assert "(all rows)" not in report
    predicted = shell.command("predict", INPUT=str(ROOT / "data/insurance.csv"), **options)
    assert (predicted.returncode, predicted.stdout) == (1, "")
    assert f"its model package {package} was deleted" in predicted.stderr

    shell.succeed("delete", LEVEL="endpoint", **options)
    assert "insurance-cross-validation (deleted since)" in shell.succeed("report", **options)

    steps = shell.aws("sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", arn)
    (job,) = [
        step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
        for step in steps["PipelineExecutionSteps"]
        if step["StepName"] == "SelectBest"
    ]
    outputs = shell.aws("sagemaker", "describe-processing-job", "--processing-job-name", job)
    uris = {each["OutputName"]: each["S3Output"]["S3Uri"] for each in outputs["ProcessingOutputConfig"]["Outputs"]}
    shell.aws("s3", "rm", f"{uris['best']}/best.json")
    execution_id = arn.rpartition("/")[2]
    left = f"{uris['best'].partition(execution_id)[0]}{execution_id}/"
    lost = shell.command("report", **options)
    assert lost.returncode == 1
    assert lost.stderr == (
        f"{uris['best']}/best.json does not exist any more: it had results of the execution. Still there: {left}.\n"
    )

    shell.succeed("delete", **options)
    for command in ("report", "status"):
        gone = shell.command(command, EXECUTION=arn, **options)
        assert gone.returncode == 1
        reason = "it was deleted with its pipeline, or EXECUTION or CONFIG is wrong"
        assert gone.stderr == f"There is no execution {arn}: {reason}. Still there: {left}.\n"
