"""Functions of the SDK's decorators ``@step`` and ``@remote``, each in a training job of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from local.core.sdk_defaults import sdk_environment
from local.runtime.containers import isolation
from local.runtime.images import environments
from tests.local.runtime.jobs.conftest import BUCKET, ROLE, SCIKIT_LEARN, Jobs
from tests.local.runtime.jobs.own_image import IMAGE, map_images
from tests.local.runtime.jobs.wheels import wheel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(not isolation.has_own_roots(), reason="this machine has no user namespaces"),
]

CLIENT = """
    import json, os, sys
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.remote_function import remote
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.parameters import (
        ParameterBoolean, ParameterFloat, ParameterInteger, ParameterString,
    )
    from sagemaker.core.workflow.conditions import ConditionGreaterThan
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.core.workflow.step_outputs import get_step
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.function_step import step
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.retry import SageMakerJobExceptionTypeEnum, SageMakerJobStepRetryPolicy
    from sagemaker.mlops.workflow.selective_execution_config import SelectiveExecutionConfig
    from sagemaker.mlops.workflow.steps import ProcessingStep

    image, framework_image, role, bucket = sys.argv[1:]
    settings = {"role": role, "instance_type": "ml.m5.large", "image_uri": image, "keep_alive_period_in_seconds": 60}

    def session(**changes):
        modules = {"RemoteFunction": {"IncludeLocalWorkDir": True}, "TelemetryOptOut": True}
        config = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": modules}}}
        return PipelineSession(default_bucket=bucket, sagemaker_config=config)

    number = ParameterInteger(name="Number", default_value=1)
    flag = ParameterBoolean(name="Flag", default_value=True)
    rate = ParameterFloat(name="Rate", default_value=2.5)
    text = ParameterString(name="Text", default_value="words")
    kind = ParameterString(name="Kind", default_value="ml.m5.large")

    def shout(text):
        return text.upper()

    @step(
        **(settings | {"instance_type": kind}),
        name="gather",
        dependencies="requirements.txt",
        pre_execution_commands=["echo prepared > /opt/ml/prepared"],
        environment_variables={"GREETING": text},
    )
    def gather(number):
        import helper, jobpackage
        words = {"greeting": shout(os.environ["GREETING"]), "prepared": open("/opt/ml/prepared").read().strip()}
        return helper.double(number), jobpackage.version, words

    @step(**settings, name="combine")
    def combine(*found, version=None, pipeline=None):
        return {"found": found, "named": [version, pipeline], "count": len(found)}

    @step(**settings, name="report")
    def report(words):
        return words["greeting"]

    gathered = gather(number)
    processor = ScriptProcessor(
        image_uri=framework_image, role=role, instance_type="ml.m5.large", instance_count=gathered[0],
        command=["python3"], sagemaker_session=session(),
    )
    processing = ProcessingStep(name="Process", step_args=processor.run(code="helper.py"))
    combined = combine(
        number, flag, rate, text, processing.properties.ProcessingJobStatus, gathered[2]["prepared"],
        version=gathered[1], pipeline=ExecutionVariables.PIPELINE_NAME,
    )
    reported = report(gathered[2])
    get_step(reported).add_depends_on([combined])
    check = ConditionStep(
        name="Check",
        conditions=[ConditionGreaterThan(left=combined["count"], right=gathered[0])],
        if_steps=[reported],
        else_steps=[FailStep(name="TooFew", error_message="too few")],
    )
    pipeline = Pipeline(
        name="functions", parameters=[number, flag, rate, text, kind], steps=[check], sagemaker_session=session()
    )
    pipeline.create(role)
    first = pipeline.start(parameters={"Number": 2, "Text": "hello", "Kind": "ml.m5.xlarge"})

    @step(
        **settings,
        name="divide",
        retry_policies=[
            SageMakerJobStepRetryPolicy(exception_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR], max_attempts=2)
        ],
    )
    def divide(numerator, denominator):
        return numerator / denominator

    @step(**settings, name="changed")
    def changed():
        return 1

    faulty = Pipeline(name="faults", steps=[divide(1, 0), changed()], sagemaker_session=session())
    faulty.create(role)
    arguments = json.loads(faulty.describe()["PipelineDefinition"])["Steps"][1]["Arguments"]
    options = arguments["AlgorithmSpecification"]["ContainerArguments"]
    place = f"faults/changed/{options[options.index('--func_step_s3_dir') + 1]}/function/payload.pkl"
    faulty.sagemaker_session.boto_session.client("s3").put_object(Bucket=bucket, Key=place, Body=b"other code")
    failing = faulty.start()

    @remote(**settings, sagemaker_session=session(), dependencies="requirements.txt")
    def apart(number):
        import helper, jobpackage
        return helper.double(number), jobpackage.version, os.environ["TRAINING_JOB_NAME"]

    answer = apart(4)
    first.wait(delay=1, max_attempts=240)
    again = pipeline.start(
        parameters={"Number": 3},
        selective_execution_config=SelectiveExecutionConfig(
            selected_steps=["combine"], source_pipeline_execution_arn=first.arn
        ),
    )
    again.wait(delay=1, max_attempts=240)

    def message_of(call):
        try:
            call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    print(json.dumps({
        "apart": answer,
        "gathered": first.result("gather"),
        "combined": first.result("combine"),
        "reported": first.result("report"),
        "again": again.result("combine"),
        "steps": {
            each["StepName"]: next(iter(each["Metadata"].values())).get("Arn", "").rpartition("/")[2]
            for each in first.list_steps()
        },
        "waiting": message_of(lambda: failing.wait(delay=1, max_attempts=240)),
        "result": message_of(lambda: failing.result("divide")),
        "reasons": {each["StepName"]: each["FailureReason"] for each in failing.list_steps()},
    }))
    """


@pytest.fixture(scope="module")
def found(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What a program of the SDK has found. One runs all, because each program takes seconds to import the SDK."""
    map_images(jobs, {"image": IMAGE, "requirements": ["sagemaker"]})
    folder = tmp_path_factory.mktemp("client")
    (folder / "jobpackage-3-py3-none-any.whl").write_bytes(wheel("3"))
    (folder / "requirements.txt").write_text(f"--no-index\n{folder}/jobpackage-3-py3-none-any.whl\n")
    (folder / "helper.py").write_text("def double(number):\n    return 2 * number\n")
    (folder / "client.py").write_text(textwrap.dedent(CLIENT))
    settings = jobs.service.settings
    environment = jobs.service.environment | sdk_environment(settings.root, settings.region)
    with pytest.MonkeyPatch.context() as patch:
        # An environment with the SDK would take a minute to make. The tests have it.
        patch.setattr(environments, "make", lambda *_: sys.executable)
        ran = subprocess.run(
            [sys.executable, "client.py", IMAGE, SCIKIT_LEARN, ROLE, BUCKET],
            cwd=folder,
            env=environment | {"SAGEMAKER_VALIDATE_ROLE": "false"},
            capture_output=True,
            text=True,
            check=False,
            timeout=290,
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        yield json.loads(ran.stdout.splitlines()[-1])


def test_functions_get_parameters_results_and_properties_of_other_steps(found: Any) -> None:
    assert found["gathered"] == [4, "3", {"greeting": "HELLO", "prepared": "prepared"}]
    assert found["combined"] == {
        "found": [2, True, 2.5, "hello", "Completed", "prepared"],
        "named": ["3", "functions"],
        "count": 6,
    }


def test_steps_of_other_kinds_use_the_results_of_functions(found: Any, jobs: Jobs) -> None:
    assert sorted(found["steps"]) == ["Check", "Process", "combine", "gather", "report"]
    assert found["reported"] == "HELLO"
    described = jobs.call("DescribeProcessingJob", ProcessingJobName=found["steps"]["Process"])
    assert described["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == 4
    described = jobs.call("DescribeTrainingJob", TrainingJobName=found["steps"]["gather"])
    assert described["ResourceConfig"]["InstanceType"] == "ml.m5.xlarge"


def test_a_selective_execution_reuses_the_results_of_functions(found: Any) -> None:
    assert found["again"]["found"] == [3, True, 2.5, "words", "Completed", "prepared"]


def test_a_function_that_raises_is_the_reason_of_the_failure(found: Any) -> None:
    assert "Waiter encountered a terminal failure state" in found["waiting"]
    assert found["result"].startswith("RemoteFunctionError: ")
    reason = "ClientError: AlgorithmError: ZeroDivisionError('division by zero'), exit code: 1"
    assert found["reasons"]["divide"] == reason


def test_a_function_whose_code_was_replaced_in_s3_does_not_run(found: Any) -> None:
    assert "Integrity check for the serialized function or data failed" in found["reasons"]["changed"]


def test_a_remote_function_returns_its_result(found: Any) -> None:
    doubled, version, job = found["apart"]
    assert (doubled, version) == (8, "3")
    assert job.startswith("apart-")
