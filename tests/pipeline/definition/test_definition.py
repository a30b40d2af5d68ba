from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from folds.report import suggested_settings

from definition_language.documents import all_steps
from pipeline.config.columns import CategorySection
from pipeline.config.models import Config, QualitySection
from pipeline.definition.lint import lint

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests/pipeline/definition.json"

OFFLINE = """
import sys

def refuse(event, arguments):
    # Importing urllib3 binds a socket, to see whether there is IPv6: it goes nowhere.
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        sys.stderr.write(f"opened a socket: {event} {arguments}")
        raise SystemExit(9)

sys.addaudithook(refuse)
sys.path.insert(0, ".")
import runpy
runpy.run_module("scripts.definition", run_name="__main__")
"""


def references(value: object) -> Iterator[str]:
    """Every ``Get`` within a value, for example ``Steps.MakeFolds.ProcessingJobName``."""
    if isinstance(value, dict) and set(value) == {"Get"}:
        yield value["Get"]
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from references(item)


def steps_of(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["Name"]: step for step in all_steps(definition)}


def upstream(definition: dict[str, Any], name: str) -> set[str]:
    step = steps_of(definition)[name]
    arguments = step["Arguments"]["Conditions"] if step["Type"] == "Condition" else step["Arguments"]
    return {get.split(".")[1] for get in references(arguments) if get.startswith("Steps.")}


def test_the_command_prints_the_golden_definition_and_opens_no_socket() -> None:
    result = subprocess.run(
        [sys.executable, "-c", OFFLINE],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == GOLDEN.read_text(), (
        "the definition has changed; if that is meant: make -s definition > tests/pipeline/definition.json"
    )


def test_steps_and_their_types(built) -> None:
    assert [(step["Name"], step["Type"]) for step in all_steps(built)] == [
        ("MakeFolds", "Processing"),
        *((f"TuneFold{number}", "Tuning") for number in range(1, 6)),
        ("SelectBest", "Processing"),
        ("CheckQuality", "Condition"),
        ("RejectModel", "Fail"),
        ("FindModel", "Lambda"),
        ("CheckNewModel", "Condition"),
        ("RegisterModel", "RegisterModel"),
        ("DeployEndpoint", "Lambda"),
        ("VerifyEndpoint", "Processing"),
        ("ConfirmEndpoint", "Lambda"),
        ("CheckKnownModel", "Condition"),
        ("DeployEndpointAgain", "Lambda"),
        ("VerifyEndpointAgain", "Processing"),
        ("ConfirmEndpointAgain", "Lambda"),
    ]


def test_no_condition_step_is_within_another(built) -> None:
    """SageMaker does not support it.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html , "Condition step".
    """
    within = [
        step["Type"]
        for condition in built["Steps"]
        if condition["Type"] == "Condition"
        for step in condition["Arguments"]["IfSteps"] + condition["Arguments"]["ElseSteps"]
    ]
    assert "Lambda" in within
    assert "Condition" not in within


def test_a_model_that_is_not_good_goes_nowhere(built) -> None:
    steps = steps_of(built)
    quality = steps["CheckQuality"]["Arguments"]["Conditions"]
    for name in ("CheckNewModel", "CheckKnownModel"):
        *conditions, status = steps[name]["Arguments"]["Conditions"]
        assert conditions == quality
        assert status["LeftValue"] == {"Get": "Steps.FindModel.OutputParameters['status']"}


def test_data_flows_from_step_to_step(built) -> None:
    tunings = {f"TuneFold{number}" for number in range(1, 6)}
    assert upstream(built, "MakeFolds") == set()
    assert all(upstream(built, name) == {"MakeFolds"} for name in tunings)
    assert upstream(built, "SelectBest") == {"MakeFolds", *tunings}
    assert upstream(built, "CheckQuality") == {"SelectBest"}
    assert upstream(built, "RegisterModel") == {"SelectBest"}
    assert upstream(built, "DeployEndpoint") == {"RegisterModel"}
    assert upstream(built, "VerifyEndpoint") == {"MakeFolds", "SelectBest", "DeployEndpoint"}
    assert upstream(built, "ConfirmEndpoint") == {"DeployEndpoint", "VerifyEndpoint"}


def test_only_a_new_model_is_registered_and_a_registered_one_is_deployed_by_its_own_arn(built) -> None:
    steps = steps_of(built)
    assert upstream(built, "FindModel") == {"SelectBest"}
    assert "CacheConfig" not in steps["FindModel"]
    new, known = (steps[name]["Arguments"] for name in ("CheckNewModel", "CheckKnownModel"))
    assert upstream(built, "CheckNewModel") == upstream(built, "CheckKnownModel") == {"SelectBest", "FindModel"}
    assert [arguments["Conditions"][-1]["RightValue"] for arguments in (new, known)] == ["New", "Registered"]
    assert [step["Name"] for step in new["IfSteps"]][:2] == ["RegisterModel", "DeployEndpoint"]
    assert "RegisterModel" not in [step["Name"] for step in known["IfSteps"]]
    assert new["ElseSteps"] == known["ElseSteps"] == []
    assert upstream(built, "DeployEndpointAgain") == {"FindModel"}
    metadata = steps["RegisterModel"]["Arguments"]["CustomerMetadataProperties"]["artifact_sha256"]
    assert metadata == steps["FindModel"]["Arguments"]["artifact_sha256"]


def test_no_step_refers_to_one_in_a_branch_that_may_not_be_taken(built) -> None:
    def walk(steps: list[dict[str, Any]], known: frozenset[str]) -> None:
        known |= {step["Name"] for step in steps}
        for step in steps:
            assert upstream(built, step["Name"]) <= known, step["Name"]
            if step["Type"] == "Condition":
                walk(step["Arguments"]["IfSteps"], known)
                walk(step["Arguments"]["ElseSteps"], known)

    walk(built["Steps"], frozenset())


def test_both_branches_deploy_in_the_same_way(built) -> None:
    steps = steps_of(built)
    for name in ("VerifyEndpoint", "ConfirmEndpoint"):
        again = json.dumps(steps[f"{name}Again"]["Arguments"]).replace("EndpointAgain", "Endpoint")
        assert json.loads(again) == steps[name]["Arguments"]


def test_parameters_have_defaults_from_the_configuration(built, config) -> None:
    parameters = {parameter["Name"]: parameter for parameter in built["Parameters"]}
    assert list(parameters) == [
        "InputDataUri",
        "DataVersion",
        "ProcessingInstanceType",
        "ProcessingInstanceCount",
        "TrainingInstanceType",
        "MaxMse",
        "MaxMseAppliesTo",
        "ModelApprovalStatus",
        "EndpointName",
        "EndpointInstanceType",
        "EndpointInstanceCount",
    ]
    assert parameters["MaxMse"] == {"Name": "MaxMse", "Type": "Float", "DefaultValue": config.quality.max_mse}
    assert parameters["ModelApprovalStatus"]["EnumValues"] == ["Approved", "PendingManualApproval", "Rejected"]
    assert parameters["EndpointInstanceCount"]["Type"] == "Integer"


def test_every_parameter_is_described(built, config) -> None:
    from pipeline.definition.parameter_descriptions import described, descriptions

    assert list(descriptions(config)) == [parameter["Name"] for parameter in built["Parameters"]]
    long = config.pipeline.model_copy(update={"description": "x" * 500})
    assert len(described(config.model_copy(update={"pipeline": long}))) <= 3072


def test_each_fold_is_tuned_over_the_grid_on_its_own_channels(built) -> None:
    for number in range(1, 6):
        arguments = steps_of(built)[f"TuneFold{number}"]["Arguments"]
        search = arguments["HyperParameterTuningJobConfig"]
        assert search["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "validation:mse"}
        assert search["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 12, "MaxParallelTrainingJobs": 2}
        assert search["ParameterRanges"]["CategoricalParameterRanges"] == [
            {"Name": "learning_rate", "Values": ["0.0001", "0.001", "0.01", "0.1"]},
            {"Name": "l1", "Values": ["0.001", "0.01", "0.1"]},
        ]
        channels = {
            c["ChannelName"]: c["DataSource"]["S3DataSource"]
            for c in arguments["TrainingJobDefinition"]["InputDataConfig"]
        }
        assert channels["train"]["S3Uri"]["Std:Join"]["Values"][1:] == [f"vc{number}", "train/"]
        assert channels["validation"]["S3Uri"]["Std:Join"]["Values"][1:] == [f"vc{number}", "test/"]
        static = arguments["TrainingJobDefinition"]["StaticHyperParameters"]
        assert static["feature_dim"] == "11"
        assert static["normalize_data"] == "true"


def test_every_step_says_what_it_is_and_jobs_are_retried_and_cached(built) -> None:
    for step in all_steps(built):
        assert step["DisplayName"]
        assert step["Description"]
        if step["Type"] in ("Processing", "Tuning"):
            retried = {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
            assert retried >= {"Step.THROTTLING", "SageMaker.CAPACITY_ERROR", "SageMaker.JOB_INTERNAL_ERROR"}
        if step["Type"] in ("Processing", "Tuning") and not step["Name"].startswith("VerifyEndpoint"):
            assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}


def test_outputs_are_under_the_executions_prefix(built) -> None:
    outputs = steps_of(built)["MakeFolds"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert {"Get": "Execution.PipelineExecutionId"} in outputs[0]["S3Output"]["S3Uri"]["Std:Join"]["Values"]


def rejection_of(built) -> str:
    """The message of RejectModel, with the path or the parameter in the place of each value."""
    parts = steps_of(built)["RejectModel"]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    values = (part if isinstance(part, str) else part.get("Get") or part["Std:JsonGet"]["Path"] for part in parts)
    return " ".join(values)


def test_a_rejected_model_is_told_with_the_number_and_the_limit(built) -> None:
    assert rejection_of(built) == (
        "Not registered. quality.estimate "
        "It must be at most MaxMse (with MaxMseAppliesTo UpperEnd, the upper end of its interval too). "
        "MaxMse is Parameters.MaxMse and MaxMseAppliesTo is Parameters.MaxMseAppliesTo"
    )


def test_the_number_of_folds_is_the_configurations(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    three = config.model_copy(update={"folds": config.folds.model_copy(update={"count": 3, "layout": "manifest"})})
    definition = build_definition(three, resources)
    assert [name for name in steps_of(definition) if name.startswith("Tune")] == ["TuneFold1", "TuneFold2", "TuneFold3"]
    channel = steps_of(definition)["TuneFold1"]["Arguments"]["TrainingJobDefinition"]["InputDataConfig"][0]
    assert channel["DataSource"]["S3DataSource"]["S3DataType"] == "ManifestFile"
    assert lint(definition) == []


def test_bayesian_search_has_continuous_ranges(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    update = {"strategy": "Bayesian", "learning_rate": [0.00001, 0.1], "l1": [0.0001, 0.1], "max_jobs": 20}
    definition = build_definition(
        config.model_copy(update={"tuning": config.tuning.model_copy(update=update)}), resources
    )
    ranges = steps_of(definition)["TuneFold1"]["Arguments"]["HyperParameterTuningJobConfig"]["ParameterRanges"]
    assert ranges["ContinuousParameterRanges"][0] == {
        "Name": "learning_rate",
        "MinValue": "0.00001",
        "MaxValue": "0.1",
        "ScalingType": "Logarithmic",
    }
    assert lint(definition) == []


def test_keys_and_network_reach_every_job(config, resources) -> None:
    from pipeline.config.models import VpcSection
    from pipeline.definition.pipeline import build_definition

    key = "arn:aws:kms:us-east-1:123456789012:key/0000"
    vpc = VpcSection(subnets=["subnet-1"], security_group_ids=["sg-1"])
    definition = build_definition(
        config.model_copy(update={"aws": config.aws.model_copy(update={"kms_key_arn": key, "vpc": vpc})}), resources
    )
    expected = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    for step in all_steps(definition):
        arguments = step["Arguments"]
        if step["Type"] == "Processing":
            assert arguments["NetworkConfig"]["VpcConfig"] == expected
            assert arguments["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == key
            assert arguments["ProcessingOutputConfig"]["KmsKeyId"] == key
        if step["Type"] == "Tuning":
            job = arguments["TrainingJobDefinition"]
            assert job["VpcConfig"] == expected
            assert job["ResourceConfig"]["VolumeKmsKeyId"] == key
            assert job["OutputDataConfig"]["KmsKeyId"] == key
    assert lint(definition) == []


def test_the_key_of_what_the_folds_write_themselves_is_among_their_options(config) -> None:
    from pipeline.definition.fold_options import fold_options

    key = "arn:aws:kms:us-east-1:123456789012:key/0000"
    encrypted = config.model_copy(update={"aws": config.aws.model_copy(update={"kms_key_arn": key})})
    assert json.loads(fold_options(encrypted))["aws"] == {"kms_key_arn": key}


def refitting(config: Config, **folds: Any) -> Config:
    """Return the configuration with a rule that trains a model on all rows."""
    changes = {
        "selection": config.selection.model_copy(update={"rule": "lowest_mean_mse"}),
        "folds": config.folds.model_copy(update=folds),
    }
    return config.model_copy(update=changes)


@pytest.mark.parametrize(
    ("layout", "name", "kind"), [("folders", "all/", "S3Prefix"), ("manifest", "all.manifest", "ManifestFile")]
)
def test_a_rule_over_means_trains_and_registers_a_model_of_all_rows(config, resources, layout, name, kind) -> None:
    from pipeline.definition.fold_options import fold_options
    from pipeline.definition.pipeline import build_definition

    changed = refitting(config, layout=layout)
    steps = steps_of(build_definition(changed, resources))
    refit = steps["RefitModel"]["Arguments"]
    for channel in refit["InputDataConfig"]:
        source = channel["DataSource"]["S3DataSource"]
        assert (source["S3Uri"]["Std:Join"]["Values"][1], source["S3DataType"]) == (name, kind)
    given = refit["HyperParameters"]
    assert (given["num_models"], given["early_stopping_patience"], given["epochs"]) == ("1", "16", "15")
    assert given["l1"]["Std:JsonGet"]["Path"] == "hyperparameters.l1"
    (container,) = steps["RegisterModel"]["Arguments"]["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == {"Get": "Steps.RefitModel.ModelArtifacts.S3ModelArtifacts"}
    again = json.dumps(steps["VerifyEndpointAgain"]["Arguments"])
    assert "Steps.FindModel.OutputParameters['model_data']" in again
    assert "RefitModel" not in again
    assert json.loads(fold_options(changed))["folds"]["all_rows"] is True
    assert json.loads(fold_options(config))["folds"]["all_rows"] is False


def test_the_refitted_model_waits_longer_than_any_suggested_number_of_epochs(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    changed = refitting(config)
    changed = changed.model_copy(update={"tuning": config.tuning.model_copy(update={"static_hyperparameters": {}})})
    given = steps_of(build_definition(changed, resources))["RefitModel"]["Arguments"]["HyperParameters"]
    most = max(suggested_settings(rows)["epochs"] for rows in range(1, 5000))
    assert int(given["early_stopping_patience"]) == most + 1


def test_batch_size_and_epochs_that_are_not_set_follow_the_rows(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    tuning = config.tuning.model_copy(update={"static_hyperparameters": {"epochs": 7}})
    steps = steps_of(build_definition(config.model_copy(update={"tuning": tuning}), resources))
    static = steps["TuneFold1"]["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"]
    (value,) = static["mini_batch_size"]["Std:Join"]["Values"]
    assert value["Std:JsonGet"]["Path"] == "suggested.mini_batch_size"
    assert static["epochs"] == "7"


def test_a_random_search_tries_the_same_points_in_all_folds(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    def seeds(**tuning: Any) -> set[Any]:
        changed = config.model_copy(update={"tuning": config.tuning.model_copy(update=tuning)})
        steps = steps_of(build_definition(changed, resources))
        jobs = [
            step["Arguments"]["HyperParameterTuningJobConfig"] for step in steps.values() if step["Type"] == "Tuning"
        ]
        return {job.get("RandomSeed") for job in jobs}

    assert seeds(strategy="Random", learning_rate=[0.001, 0.1], l1=[0.001, 0.1]) == {config.folds.seed}
    assert seeds() == {None}


def test_without_an_interval_the_gate_is_on_the_error_alone(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    bayesian = {"strategy": "Bayesian", "learning_rate": [0.001, 0.1], "l1": [0.001, 0.1]}
    changed = config.model_copy(update={"tuning": config.tuning.model_copy(update=bayesian)})
    built = build_definition(changed, resources)
    assert len(steps_of(built)["CheckQuality"]["Arguments"]["Conditions"]) == 1
    (applies,) = [one for one in built["Parameters"] if one["Name"] == "MaxMseAppliesTo"]
    assert applies["EnumValues"] == ["Mean"]
    assert "It must be at most MaxMse. MaxMse is" in rejection_of(built)


def test_without_a_limit_the_model_must_be_better_than_predicting_the_mean(config, resources, built) -> None:
    from pipeline.definition.pipeline import build_definition

    unlimited = config.model_copy(update={"quality": QualitySection()})
    definition = build_definition(unlimited, resources)
    check = steps_of(definition)["CheckQuality"]["Arguments"]
    limited = steps_of(built)["CheckQuality"]["Arguments"]["Conditions"]
    *others, better = check["Conditions"]
    assert others == limited
    assert better["Type"] == "LessThan"
    assert better["LeftValue"]["Std:JsonGet"]["Path"] == "estimate.mse"
    assert better["RightValue"]["Std:JsonGet"]["Path"] == "baselines.mean"
    (limit,) = [one for one in definition["Parameters"] if one["Name"] == "MaxMse"]
    assert limit["DefaultValue"] == 1e300
    assert (
        "quality.estimate quality.baseline It must also be at most MaxMse (1e+300: no limit is set; with "
    ) in rejection_of(definition)


def test_spot_training_reaches_the_tuning_jobs(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    spot = config.model_copy(update={"tuning": config.tuning.model_copy(update={"spot": True})})
    job = steps_of(build_definition(spot, resources))["TuneFold1"]["Arguments"]["TrainingJobDefinition"]
    assert job["EnableManagedSpotTraining"] is True
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}


def test_no_step_imports_this_repository() -> None:
    for path in (ROOT / "steps").glob("*.py"):
        for room in ("pipeline", "local", "scripts"):
            assert f"import {room}" not in path.read_text()
            assert f"from {room}" not in path.read_text()


@pytest.mark.parametrize(("room", "forbidden"), [("local", ("pipeline", "sagemaker")), ("pipeline", ("local",))])
def test_rooms_keep_apart(room, forbidden) -> None:
    for path in (ROOT / room).rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].split(".")[0] not in forbidden, f"{path}: {line}"


def with_dataset(config, **update):
    return config.model_copy(update={"dataset": config.dataset.model_copy(update=update)})


def options_of(definition: dict[str, Any]) -> str:
    inputs = steps_of(definition)["MakeFolds"]["Arguments"]["ProcessingInputs"]
    (uri,) = [str(item["S3Input"]["S3Uri"]) for item in inputs if item["InputName"] == "options"]
    return uri


def test_a_wide_table_and_twenty_folds_are_within_what_sagemaker_takes(config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    columns = [f"column number {number:04} of a table that is wide" for number in range(2000)]
    values = [f"value number {number:05}" for number in range(10_000)]
    wide = with_dataset(config, numeric=columns, categorical={"kind": CategorySection(values=values)})
    wide = wide.model_copy(update={"folds": config.folds.model_copy(update={"count": 20})})
    definition = build_definition(wide, resources)
    assert lint(definition) == []
    assert len(json.dumps(definition)) < 200_000
    steps = steps_of(definition)
    assert steps["TuneFold20"]["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"]["feature_dim"] == "12000"
    assert len(steps["SelectBest"]["Arguments"]["AppSpecification"]["ContainerArguments"]) <= 100


def test_the_folds_are_cached_until_an_option_of_theirs_changes(config, resources, built) -> None:
    from pipeline.definition.pipeline import build_definition

    same = config.model_copy(update={"quality": config.quality.model_copy(update={"max_mse": 1.0})})
    assert options_of(build_definition(same, resources)) == options_of(built)
    others = [
        with_dataset(config, numeric=[*reversed(config.dataset.numeric)]),
        with_dataset(config, header=False),
        config.model_copy(update={"folds": config.folds.model_copy(update={"seed": 43})}),
    ]
    uris = {options_of(built), *(options_of(build_definition(other, resources)) for other in others)}
    assert len(uris) == 4


def test_an_input_whose_uri_is_longer_than_an_argument_is_refused(config, resources, tmp_path) -> None:
    from pipeline.definition.dataset import dataset_uri
    from pipeline.errors import ConfigError

    (tmp_path / f"{'n' * 200}.csv").write_text("1,2\n")
    for path in (str(tmp_path / f"{'n' * 200}.csv"), f"s3://bucket/{'n' * 300}"):
        with pytest.raises(ConfigError, match=r"dataset\.input: s3://.* characters; SageMaker takes 256"):
            dataset_uri(with_dataset(config, input=path), resources)
