"""The command line and the document of options."""

from __future__ import annotations

import json
from typing import Any

import pytest
from folds.errors import FoldError, explain
from folds.options import read_options
from folds.storage import place

from pipeline.config.models import FoldsSection

MINIMAL = ["--input", "s3://bucket/in", "--output", "s3://bucket/out"]
DOCUMENT = {"dataset": {"label": "y", "numeric": ["a"]}, "folds": {}}


@pytest.fixture
def document(tmp_path):
    """The arguments that name a document, which it writes."""

    def write(content) -> list[str]:
        (tmp_path / "options.json").write_text(content if isinstance(content, str) else json.dumps(content))
        return ["--options", str(tmp_path / "options.json")]

    return write


def changed(path: str, value: object) -> dict[str, Any]:
    section, _, key = path.partition(".")
    return {**DOCUMENT, section: {**DOCUMENT.get(section, {}), key: value}}


def test_columns_and_categories_keep_their_order(document) -> None:
    columns = {"label": "y", "numeric": ["a", "b"], "categorical": {"c": ["z", "a=[b", "m"]}}
    options = read_options([*MINIMAL, *document({"dataset": columns})])
    assert options.columns.features == ["a", "b", "c_z", "c_a=[b", "c_m"]
    assert options.columns.needed == ["y", "a", "b", "c"]


def test_what_a_document_does_not_say_has_the_defaults_of_the_configuration(document, config) -> None:
    options = read_options([*MINIMAL, *document(DOCUMENT)])
    folds, dataset = FoldsSection(), config.dataset
    assert (options.folds, options.shuffle, options.seed, options.layout) == (
        folds.count,
        folds.shuffle,
        folds.seed,
        folds.layout,
    )
    assert (options.stratify, options.quarantine) == (None, False)
    assert options.max_bad_share == FoldsSection(on_bad_rows="quarantine").max_bad_share
    assert options.all_rows is False
    assert options.target_bytes == folds.target_file_megabytes * 2**20
    assert (options.form.header, options.form.delimiter, options.form.encoding) == (
        dataset.header,
        dataset.delimiter,
        dataset.encoding,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "s3://bucket/out"], "required: --input, --options"),
        ([*MINIMAL, "--options", "o.json", "--fold", "3"], "unrecognized arguments: --fold 3"),
        ([*MINIMAL, "--options", "nowhere/o.json"], "nowhere/o.json cannot be read: No such file or directory"),
        ([*MINIMAL, "--data-version", "2026-11-26 (new)"], "'2026-11-26 \\(new\\)' cannot be recorded with a model"),
        ([*MINIMAL, "--data-version", ""], "--data-version: '' cannot be recorded"),
        ([*MINIMAL, "--data-version", "$.time"], "DataVersion takes 1 to 256 letters"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(arguments, message) -> None:
    with pytest.raises(FoldError, match=message):
        read_options(arguments)


@pytest.mark.parametrize("version", ["1", "2026-11-26T03:00:00Z", "März 2026/v=2+x@y_z.1:2", "x" * 256])
def test_a_data_version_that_the_registry_takes_is_taken(version, document) -> None:
    arguments = [*MINIMAL, *document(DOCUMENT), "--data-version", version]
    assert read_options(arguments).data_version == version


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"options\.json is not JSON: "),
        ("[]", "the sections aws, dataset, training, folds are expected"),
        ({"tuning": {}}, "tuning: the sections aws, dataset, training, folds are expected"),
        ({"dataset": {"numeric": ["a"]}}, "dataset.label: None is not the name of a column"),
        (changed("folds.number", 3), "folds.number: unknown key"),
        (changed("folds.count", 1), "1 fold cannot be made: set folds.count from 2 to 20"),
        (changed("folds.count", "five"), "folds.count: 'five' is not a positive whole number"),
        (changed("folds.count", True), "folds.count: True is not a positive whole number"),
        (changed("folds.seed", -1), "the seed -1 is not between 0 and 2147483647"),
        (changed("folds.shuffle", "yes"), "folds.shuffle: 'yes' is not true or false"),
        (changed("folds.all_rows", 1), "folds.all_rows: 1 is not true or false"),
        (changed("folds.layout", "tree"), "folds.layout: 'tree' is not one of folders, manifest"),
        (changed("dataset.numeric", ["y"]), "the column 'y' is declared twice"),
        (changed("dataset.categorical", {"c": "red,green"}), "dataset.categorical: .* is not names, each with a list"),
        (changed("dataset.categorical", {"c": []}), "dataset.categorical.c: it has no values"),
        (changed("dataset.categorical", {"c": ["a", "a"]}), "the value 'a' is listed twice"),
        (changed("dataset.categorical", {"c": [" a"]}), "blanks around it"),
        (changed("dataset.delimiter", "::"), "the delimiter '::' cannot be used"),
        (changed("dataset.delimiter", "-"), "the delimiter '-' cannot be used"),
        (changed("dataset.encoding", "klingon"), "the encoding 'klingon' is not known"),
        (changed("folds.max_bad_share", 2), "not between 0 and 1"),
        (changed("folds.max_bad_share", float("nan")), "not between 0 and 1"),
        (changed("folds.stratify", 0), "folds.stratify: 0 is not a positive whole number"),
        ({"dataset": {**DOCUMENT["dataset"], "groups": "g"}, "folds": {"stratify": 4}}, "cannot be combined"),
        (changed("folds.stratify", 4) | {"folds": {"stratify": 4, "shuffle": False}}, "stratify needs shuffled folds"),
        ({"dataset": {"label": "y"}}, "no feature is declared"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(document, content, message) -> None:
    with pytest.raises(FoldError, match=message):
        read_options([*MINIMAL, *document(content)])


@pytest.mark.parametrize(
    "uri", ["/opt/ml/processing/output", "data/rows.csv", "hdfs:///folds", "file://rows.csv", "s3://"]
)
def test_a_uri_that_would_be_lost_in_the_container_is_refused(uri) -> None:
    with pytest.raises(FoldError, match=r"is no s3:// or file:/// URI|names no bucket"):
        place(uri)


def job_config(tmp_path, content):
    file = tmp_path / "processingjobconfig.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return ["--job-config", str(file), *MINIMAL[:2]]


OUTPUTS = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "folds", "S3Output": {"S3Uri": "s3://bucket/run-1"}}]}}


def test_the_output_is_read_from_the_jobs_own_configuration(tmp_path, document) -> None:
    arguments = [*job_config(tmp_path, OUTPUTS), "--output-name", "folds", *document(DOCUMENT)]
    assert read_options(arguments).output == "s3://bucket/run-1"


def test_the_configured_key_encrypts_the_folds(document) -> None:
    encrypted = changed("aws.kms_key_arn", "arn:aws:kms:x:1:key/k")
    assert read_options([*MINIMAL, *document(encrypted)]).kms_key == "arn:aws:kms:x:1:key/k"
    assert read_options([*MINIMAL, *document(DOCUMENT)]).kms_key is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no configuration of a processing job"),
        ({}, "is no configuration of a processing job"),
        (OUTPUTS, "'other' is no output of the job; it has folds"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "other"}]}}, "has no S3Output.S3Uri"),
    ],
)
def test_a_job_configuration_without_the_output_is_refused(tmp_path, document, content, message) -> None:
    with pytest.raises(FoldError, match=message):
        read_options([*job_config(tmp_path, content), "--output-name", "other", *document(DOCUMENT)])


def test_an_error_of_spark_is_told_by_its_cause() -> None:
    trace = (
        "An error occurred while calling o79.text.\n: org.apache.spark.SparkException: Job aborted.\n"
        "\tat org.apache.spark.sql.errors.QueryExecutionErrors$.jobAbortedError(QueryExecutionErrors.scala:638)\n"
        "Caused by: java.io.IOException: No space left on device\n\tat java.base/java.io.FileOutputStream.writeBytes\n"
    )
    assert explain(Exception(trace)) == "java.io.IOException: No space left on device"
    assert explain(Exception("plain\nsecond line")) == "plain"
    assert explain(ValueError()) == "ValueError"
