from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from deployment import endpoint_tags
from pydantic import BaseModel

from pipeline.config.loading import load_config, parse_config
from pipeline.config.models import Config
from pipeline.config.section import Section
from pipeline.config.types import OWN_TAGS
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    return loaded


def faults_of(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_config(document, "config.yaml")
    return raised.value.faults


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    result = copy.deepcopy(document)
    *parents, last = path.split(".")
    part = result
    for name in parents:
        part = part.setdefault(name, {}) if part.get(name) is None else part[name]
    part[last] = value
    return result


def test_the_projects_own_configuration_is_good(config) -> None:
    assert config.folds.count == 5
    assert config.tuning.static_hyperparameters["mini_batch_size"] == 100


def test_the_features_follow_from_the_columns(config) -> None:
    assert len(config.dataset.features) == 11
    assert config.dataset.features == [
        "age",
        "bmi",
        "children",
        "sex_female",
        "sex_male",
        "region_northeast",
        "region_northwest",
        "region_southeast",
        "region_southwest",
        "smoker_no",
        "smoker_yes",
    ]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("tuning.grids", 1, "tuning.grids: unknown key; did you mean grid?"),
        ("pipelines", {}, "pipelines: unknown key; did you mean pipeline?"),
        ("extra", {}, "extra: unknown key"),
        ("folds.count", "5", "folds.count: a whole number is expected, not '5'; remove the quotes"),
        ("folds.count", 1, "folds.count: a number of at least 2 is expected, not 1"),
        ("folds.count", 21, "folds.count: a number of at most 20 is expected, not 21"),
        ("folds", 5, "folds: a section with keys is expected, such as {count: ...}, not 5"),
        ("deploy.serverless", True, "deploy.serverless: a section with keys is expected, such as {memory_megabytes"),
        (
            "dataset.categorical",
            ["a"],
            "dataset.categorical: keys with values are expected, such as {name: value}, not",
        ),
        ("dataset.label", 2019, "dataset.label: text is expected, not 2019; put it in quotes"),
        ("folds.shuffle", 1, "folds.shuffle: true or false is expected, not 1"),
        ("tuning.max_jobs", 10, "tuning.max_jobs: 10 is fewer than the grid's 12 points"),
        (
            "tuning.max_jobs",
            13,
            "tuning.max_jobs: 13 is more than the grid's 12 points: SageMaker requires one job for each point",
        ),
        ("tuning.max_parallel_jobs", 13, "tuning.max_parallel_jobs: 13 is more than max_jobs, 12"),
        ("tuning.l1", [0.1, 0.1, 0.2], "tuning.l1: a value is listed twice"),
        (
            "tuning.learning_rate",
            [0.1, float("nan")],
            "tuning.learning_rate[1]: a finite number is expected, not nan",
        ),
        ("tuning.static_hyperparameters", {"l1": 0}, "tuning.static_hyperparameters.l1: is tuned"),
        ("tuning.static_hyperparameters", {"feature_dim": 4}, "tuning.static_hyperparameters.feature_dim: is set by"),
        (
            "tuning.early_stopping",
            "Auto",
            "tuning.early_stopping: Auto has no effect: SageMaker stops training jobs of linear-learner early only if "
            "the objective is objective_loss, and the pipeline's objective is validation:mse. Use Off",
        ),
        ("tuning.instance_type", "ml.huge", "tuning.instance_type: 'ml.huge' is not an instance type"),
        ("dataset.label", "age", "dataset.label: 'age' is also a feature"),
        ("dataset.numeric", ["age", "age"], "dataset.numeric: 'age' is listed more than once among the features"),
        ("dataset.encoding", "klingon", "dataset.encoding: 'klingon' is not an encoding"),
        ("dataset.encoding", "base64", "dataset.encoding: 'base64' is not an encoding"),
        ("dataset.encoding", "UTF-16", "dataset.encoding: lines of UTF-16 cannot be told apart by bytes: convert"),
        ("dataset.delimiter", "-", "dataset.delimiter: '-' cannot separate fields: use for example"),
        ("dataset.delimiter", '"', "dataset.delimiter: '\"' cannot separate fields: use for example"),
        ("dataset.delimiter", "x", "dataset.delimiter: 'x' cannot separate fields: use for example"),
        ("dataset.categorical.sex", ["male", "male"], "dataset.categorical.sex: the value 'male' is listed twice"),
        (
            "dataset.categorical.sex",
            ["male", " "],
            "dataset.categorical.sex: the value ' ' is empty, and an empty field",
        ),
        ("dataset.categorical.sex", ["male", " f"], "dataset.categorical.sex: the value ' f' has blanks around it"),
        (
            "dataset.categorical.smoker",
            [False, "yes"],
            "dataset.categorical.smoker.values[0]: text is expected",
        ),
        ("deploy.endpoint_name", "my_endpoint", "deploy.endpoint_name: AWS would refuse 'my_endpoint'"),
        (
            "pipeline.name",
            "x" * 33,
            f"pipeline.name: '{'x' * 33}' has 33 characters; the bucket's name contains it, so this project allows at "
            "most 32",
        ),
        ("deploy.endpoint_name", "x" * 64, f"deploy.endpoint_name: '{'x' * 64}' has 64 characters; AWS allows 63"),
        ("registry.group", "-group", "registry.group: AWS would refuse '-group'"),
        ("aws.bucket", "Bucket", "aws.bucket: 'Bucket' is not a bucket name that S3 accepts"),
        ("aws.job_role_arn", "role", "aws.job_role_arn: 'role' is not the ARN of an IAM role"),
        ("caching.expire_after", "30d", "caching.expire_after: '30d' is not an ISO 8601 duration, for example P30D"),
        (
            "quality.max_mse",
            "5e7",
            "quality.max_mse: a number is expected, not '5e7'; YAML reads 5e7 as text",
        ),
        (
            "folds.max_bad_share",
            0.1,
            "folds.max_bad_share: has no effect unless you also set folds.on_bad_rows to quarantine",
        ),
        ("pipeline.tags", {"aws:team": "a"}, "pipeline.tags.aws:team: keys that begin with aws: belong to AWS"),
        ("pipeline.tags", {"AWS:team": "a"}, "pipeline.tags.AWS:team: keys that begin with aws: belong to AWS"),
        ("pipeline.tags", {"team!": "a"}, "pipeline.tags.team!: AWS would refuse the key: use 1 to 128 letters"),
        ("pipeline.tags", {"": "a"}, "pipeline.tags.: AWS would refuse the key: use 1 to 128 letters"),
        ("pipeline.tags", {"k" * 129: "a"}, f"pipeline.tags.{'k' * 129}: AWS would refuse the key"),
        ("pipeline.tags", {"team": "a\nb"}, "pipeline.tags.team: AWS would refuse the value: use up to 256 letters"),
        ("pipeline.tags", {"team": "v" * 257}, "pipeline.tags.team: AWS would refuse the value"),
        ("triggers.schedule", "rate(7 day)", "triggers.schedule: EventBridge would refuse 'rate(7 day)': unit takes"),
        ("triggers.on_new_input", True, "triggers.on_new_input: needs dataset.input to be an s3:// prefix"),
    ],
)
def test_a_fault_is_one_line_with_the_path_of_its_key(document, path, value, expected) -> None:
    faults = faults_of(changed(document, path, value))
    assert len(faults) == 1, faults
    assert faults[0].startswith(f"config.yaml: {expected}")


def test_a_tag_that_aws_takes_is_good(document) -> None:
    tags = {"k" * 128: "v" * 256, "Kostenträger/1": "a b_.:/=+-@", "myaws:team": "aws:x", "team": ""}
    assert parse_config(changed(document, "pipeline.tags", tags), "config.yaml").pipeline.tags == tags


def test_the_tags_of_the_endpoints_state_cannot_be_set(document) -> None:
    own = {value for name, value in vars(endpoint_tags).items() if name.endswith("_TAG")}
    assert own == set(OWN_TAGS)
    faults = faults_of(changed(document, "pipeline.tags", dict.fromkeys(OWN_TAGS, "mine")))
    assert [fault.split(": ")[1] for fault in faults] == [f"pipeline.tags.{key}" for key in OWN_TAGS]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epohcs", 3, "is not a hyperparameter of linear-learner; did you mean 'epochs'?"),
        ("depth", 3, "is not a hyperparameter of linear-learner"),
        ("epochs", 0, "0 is not an integer greater than 0"),
        ("epochs", 15.0, "15.0 is not an integer greater than 0"),
        ("epochs", "auto", "'auto' is not an integer greater than 0"),
        ("mini_batch_size", True, "True is not an integer greater than 0"),
        ("wd", -1, "-1 is not 'auto' or a number of at least 0"),
        ("momentum", 1, "1 is not 'auto' or a number of at least 0 and below 1"),
        ("init_bias", "much", "'much' is not a number"),
        ("quantile", float("nan"), "nan is not a number between 0 and 1, both excluded"),
        ("use_bias", 1, "1 is not 'true' or 'false'"),
        ("optimizer", "adagrad", "'adagrad' is not 'auto' or one of ['adam', 'sgd', 'rmsprop']"),
        ("target_recall", 0.9, "is for classification, and predictor_type is regressor"),
        ("predictor_type", "regressor", "is set by the pipeline: remove it"),
        ("num_models", 1, "is set by the pipeline: remove it"),
        ("learning_rate", 0.1, "is tuned: SageMaker would refuse a static value"),
    ],
)
def test_a_static_hyperparameter_is_checked_by_the_rules_of_linear_learner(document, name, value, expected) -> None:
    faults = faults_of(changed(document, "tuning.static_hyperparameters", {name: value}))
    assert faults == [f"config.yaml: tuning.static_hyperparameters.{name}: {expected}"]


def test_a_loss_for_classification_is_refused_with_the_losses_of_a_regressor(document) -> None:
    (fault,) = faults_of(changed(document, "tuning.static_hyperparameters", {"loss": "logistic"}))
    assert fault.startswith("config.yaml: tuning.static_hyperparameters.loss: 'logistic' is not 'auto' or one of ['squ")
    assert fault.endswith("; it is a loss for classification")


def test_removing_means_without_a_bias_is_refused(document) -> None:
    static = {"use_bias": False, "unbias_data": True, "unbias_label": "auto"}
    faults = faults_of(changed(document, "tuning.static_hyperparameters", static))
    assert faults == ["config.yaml: tuning.static_hyperparameters.unbias_data: true needs use_bias: true"]


def test_all_faults_of_static_hyperparameters_are_reported_at_once(document) -> None:
    static = {"epohcs": 3, "epochs": 0, "loss": "hinge_loss", "l1": 0.1, "wd": 0.1}
    faults = faults_of(changed(document, "tuning.static_hyperparameters", static))
    assert [fault.split(": ")[1].rpartition(".")[2] for fault in faults] == ["epohcs", "epochs", "loss", "l1"]


@pytest.mark.parametrize(
    "static",
    [
        {"epochs": "15", "wd": 1e-05, "init_bias": -3, "use_lr_scheduler": False, "normalize_label": "auto"},
        {"loss": "huber_loss", "huber_delta": 2, "optimizer": "auto", "quantile": "0.9"},
        {"_log_level": "info"},
    ],
)
def test_valid_static_hyperparameters_of_every_type_are_accepted(document, static) -> None:
    parse_config(changed(document, "tuning.static_hyperparameters", static), "config.yaml")


@pytest.mark.parametrize(
    ("path", "values", "expected"),
    [
        ("tuning.learning_rate", [0.1, 0.01, 0.001, 2.0], "tuning.learning_rate[3]: 2 is outside the range that "),
        ("tuning.learning_rate", [1e-06, 0.01, 0.1, 1.0], "tuning.learning_rate[0]: 1e-06 is outside the range that "),
        ("tuning.l1", [0.1, 0.0, 1.0], "tuning.l1[1]: 0 is outside the range that SageMaker tunes, 1e-07 to 1"),
    ],
)
def test_tuned_values_are_within_the_range_that_sagemaker_tunes(document, path, values, expected) -> None:
    (fault,) = faults_of(changed(document, path, values))
    assert fault.startswith(f"config.yaml: {expected}")


def test_all_values_at_fault_are_reported_at_once(document) -> None:
    document["tuning"]["surprise"] = True
    document["folds"]["count"] = 50
    document["folds"]["seed"] = "forty-two"
    document["deploy"]["endpoint_name"] = "under_score"
    del document["dataset"]["label"]
    paths = {fault.split(": ")[1] for fault in faults_of(document)}
    assert paths == {
        "tuning.surprise",
        "folds.count",
        "folds.seed",
        "deploy.endpoint_name",
        "dataset.label",
    }


def smallest(**sections: object) -> dict[str, Any]:
    """Return the document of three lines, and more sections."""
    dataset = {"input": "rows.csv", "label": "y", "numeric": ["x"]}
    return {"pipeline": {"name": "small"}, "dataset": dataset, **sections}


def test_three_lines_are_a_configuration() -> None:
    config = parse_config(smallest(), "c.yaml")
    assert config.registry.group == config.deploy.endpoint_name == "small"
    assert config.tuning.learning_rate == [0.0001, 0.001, 0.01, 0.1]
    assert config.tuning.l1 == [0.001, 0.01, 0.1]
    assert (config.tuning.max_jobs, config.tuning.max_parallel_jobs) == (12, 2)
    assert config.quality.max_mse is None


def test_the_defaults_are_those_of_the_projects_own_configuration(config, document) -> None:
    for path in ("registry.inference_instances", "registry.transform_instances", "tuning.learning_rate", "tuning.l1"):
        section, key = path.split(".")
        del document[section][key]
    for path in ("registry.group", "deploy.endpoint_name", "tuning.max_jobs", "tuning.max_parallel_jobs"):
        section, key = path.split(".")
        del document[section][key]
    document["dataset"]["input"] = config.dataset.input
    assert parse_config(document, "c.yaml") == config


def test_a_section_without_keys_has_its_defaults() -> None:
    empty = dict.fromkeys(("aws", "folds", "tuning", "quality", "registry", "deploy", "caching"))
    assert parse_config(smallest(**empty), "c.yaml") == parse_config(smallest(), "c.yaml")
    assert faults_of({"pipeline": {"name": "small"}, "dataset": None}) == ["config.yaml: dataset: is missing"]


def test_names_of_their_own_do_not_follow_the_pipelines_name() -> None:
    own = parse_config(smallest(registry={"group": "models"}, deploy={"endpoint_name": "live"}), "c.yaml")
    assert (own.registry.group, own.deploy.endpoint_name) == ("models", "live")
    assert parse_config(smallest(deploy={"instance_count": 2}), "c.yaml").deploy.endpoint_name == "small"


def test_the_sentence_about_a_name_asks_for_no_more_than_aws_does() -> None:
    assert parse_config(smallest(deploy={"endpoint_name": "two--hyphens"}), "c.yaml")
    (fault,) = faults_of(smallest(deploy={"endpoint_name": "under_score"}))
    assert fault.endswith("AWS would refuse 'under_score': use letters, digits, and hyphens between them")


@pytest.mark.parametrize(
    ("tuning", "jobs", "parallel"),
    [
        ({"learning_rate": [0.1]}, 3, 2),
        ({"learning_rate": [0.1], "l1": [0.01]}, 1, 1),
        ({"strategy": "Random"}, 12, 2),
        ({"strategy": "Bayesian", "max_jobs": 1}, 1, 1),
    ],
)
def test_the_number_of_jobs_follows_the_search(tuning, jobs, parallel) -> None:
    made = parse_config(smallest(tuning=tuning), "c.yaml").tuning
    assert (made.max_jobs, made.max_parallel_jobs) == (jobs, parallel)


@pytest.mark.parametrize(
    ("folds", "share"),
    [
        ({}, 0),
        ({"on_bad_rows": "fail"}, 0),
        ({"on_bad_rows": "quarantine"}, 0.05),
        ({"on_bad_rows": "quarantine", "max_bad_share": 0.0}, 0),
        ({"on_bad_rows": "quarantine", "max_bad_share": 0.2}, 0.2),
    ],
)
def test_quarantine_alone_sets_some_rows_aside(folds, share) -> None:
    made = parse_config(smallest(folds=folds), "c.yaml")
    assert made.folds.max_bad_share == share
    # As make run writes it, with all defaults.
    assert parse_config(made.model_dump(), "c.yaml") == made


def test_a_search_between_two_ends_has_the_ends_of_the_grid() -> None:
    tuning = parse_config(smallest(tuning={"strategy": "Random"}), "c.yaml").tuning
    assert (tuning.learning_rate, tuning.l1) == ([0.0001, 0.1], [0.001, 0.1])


def test_a_grid_with_too_many_points_is_a_fault_of_the_number_of_jobs() -> None:
    values = [number / 100 for number in range(1, 31)]
    faults = faults_of(smallest(tuning={"learning_rate": values, "l1": values}))
    assert faults == ["config.yaml: tuning.max_jobs: the grid has 900 points, and SageMaker allows 750 training jobs"]


@pytest.mark.parametrize(
    ("section", "value", "path"),
    [
        ("pipeline", {"name": "under_score"}, "pipeline.name"),
        ("tuning", {"strategy": "Guess"}, "tuning.strategy"),
        ("folds", {"on_bad_rows": "ignore"}, "folds.on_bad_rows"),
        ("tuning", {"l1": [-1.0]}, "tuning.l1[0]"),
    ],
)
def test_a_faulty_value_is_not_held_against_the_defaults_that_follow_it(section, value, path) -> None:
    (fault,) = faults_of({**smallest(), section: value})
    assert fault.startswith(f"config.yaml: {path}: ")


def test_the_interval_is_not_compared_with_a_limit_that_is_not_there() -> None:
    faults = faults_of(smallest(quality={"applies_to": "UpperEnd"}))
    assert faults == ["config.yaml: quality.applies_to: UpperEnd has no effect without quality.limit"]


def test_all_faults_between_values_are_reported_at_once(document) -> None:
    document["tuning"]["max_jobs"] = 10
    document["dataset"]["label"] = "age"
    document["folds"]["max_bad_share"] = 0.1
    paths = {fault.split(": ")[1] for fault in faults_of(document)}
    assert paths == {"tuning.max_jobs", "dataset.label", "folds.max_bad_share"}


def test_a_faulty_value_is_not_held_against_others(document) -> None:
    document["tuning"]["max_jobs"] = "twelve"
    assert [fault.split(": ")[1] for fault in faults_of(document)] == ["tuning.max_jobs"]


def test_strategies_other_than_grid_take_two_ends(document) -> None:
    document["tuning"].update(strategy="Bayesian", learning_rate=[0.001, 0.1], l1=[0.0001, 0.1], max_jobs=30)
    assert parse_config(document, "config.yaml").tuning.strategy == "Bayesian"
    document["tuning"]["learning_rate"] = [0.1, 0.01, 0.001]
    assert "needs [lowest, highest]" in faults_of(document)[0]


def test_a_bayesian_search_has_no_common_points_to_compare(document) -> None:
    document["tuning"] |= {"strategy": "Bayesian", "learning_rate": [0.001, 0.1], "l1": [0.001, 0.1]}
    parse_config(document, "c.yaml")
    document["selection"] = {"rule": "one_standard_error"}
    document["quality"]["applies_to"] = "UpperEnd"
    with pytest.raises(ConfigError) as error:
        parse_config(document, "c.yaml")
    rule, gate = error.value.faults
    assert rule.startswith("c.yaml: selection.rule: one_standard_error compares the same points on all folds")
    assert "set tuning.strategy to Grid or Random" in rule
    assert gate.startswith("c.yaml: quality.applies_to: UpperEnd needs an interval")


def test_a_configuration_that_turns_early_stopping_off_is_good(document) -> None:
    changed_document = changed(document, "tuning.early_stopping", "Off")
    assert parse_config(changed_document, "config.yaml").tuning.early_stopping == "Off"


def test_a_key_that_stands_twice_is_refused(tmp_path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("folds:\n  count: 5\n\n  count: 6\n")
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert refused.value.faults == [f"{path}: count stands twice, in the lines 2 and 4: make it one"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- 1", ": not a configuration"),
        (None, ": cannot be read"),
        ("pipeline:\n\tname: x\n", ", line 2: a tab: indent with blanks$"),
        ("a:\n  b: 1\n c: 2\n", ", line 3, column 2: a line that does not fit those above"),
        ("a: b: c\n", ", line 1, column 5: an unexpected colon"),
        ("a: 1\nb\n", ", line 3, column 1: a key without a colon"),
        ("b: 1\na: [1,\nc: 2\n", ", line 2, column 4: a list that is not closed"),
        ("a: 'x\nb: 1\n", ", line 1, column 4: a quote that is not closed$"),
        ("a: %x\n", ", line 1, column 4: a value that begins with %: put it in quotes$"),
        ("a: \x07\n", r", line 1: a character that YAML does not allow, U\+0007: remove it$"),
        ("a: 1\nb: \udce4\n", ", line 2: a character that is not UTF-8"),
        ("a: 2022-13-45\n", ", a value that looks like a date and is none: put it in quotes"),
        ("a: !!python/name:os.x\n", ", line 1, column 4: could not determine a constructor for the tag"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_sentence(tmp_path, text, expected) -> None:
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=f"^{path}{expected}") as refused:
        load_config(path)
    assert "\n" not in str(refused.value)


def _sections(model: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if get_origin(field.annotation) is not dict and isinstance(kind, type) and issubclass(kind, Section):
                yield f"{path}{name}"
                yield from _sections(kind, f"{path}{name}.")


@pytest.mark.parametrize("path", _sections(Config))
def test_a_value_in_place_of_a_section_is_told_without_words_of_programs(document, path) -> None:
    faults = [each for each in faults_of(changed(document, path, 5)) if each.startswith(f"config.yaml: {path}: ")]
    assert len(faults) == 1
    assert "a section with keys is expected, such as {" in faults[0]


def test_the_example_of_a_section_is_not_that_of_another_package(document) -> None:
    class FoldsSection(BaseModel):
        other: int

    faults = faults_of(changed(document, "folds", 5))
    assert faults == ["config.yaml: folds: a section with keys is expected, such as {count: ...}, not 5"]
