"""The command line."""

from __future__ import annotations

import json

import pytest
from fold_errors import FoldError, explain
from fold_options import read_options
from fold_storage import place

MINIMAL = ["--input", "s3://bucket/in", "--output", "s3://bucket/out", "--label", "y", "--numeric", "a"]


def test_columns_and_categories_keep_their_order():
    options = read_options([*MINIMAL, "--categorical", 'c=["z","a=[b"]', "--numeric", "b", "--categorical", 'c=["m"]'])
    assert options.columns.features == ["a", "b", "c_z", "c_a=[b", "c_m"]
    assert options.columns.needed == ["y", "a", "b", "c"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "y"], "required: --input"),
        ([*MINIMAL, "--fold", "3"], "unrecognized arguments: --fold 3"),
        ([*MINIMAL, "--folds", "1"], "1 folds cannot be made: 2 to 20 can"),
        ([*MINIMAL, "--folds", "five"], "invalid int value: 'five'"),
        ([*MINIMAL, "--seed", "-1"], "the seed -1 is not between 0 and 2147483647"),
        ([*MINIMAL, "--shuffle", "yes"], "'yes' is neither true nor false"),
        ([*MINIMAL, "--numeric", "y"], "the column 'y' is declared twice"),
        ([*MINIMAL, "--categorical", "c=red,green"], r'NAME=\["value","value"\] is expected'),
        ([*MINIMAL, "--categorical", 'c=["a","a"]'], "a value stands twice"),
        ([*MINIMAL, "--categorical", 'c=[" a"]'], "blanks around it"),
        ([*MINIMAL, "--delimiter", "::"], "the delimiter '::' cannot be used"),
        ([*MINIMAL, "--delimiter", "-"], "the delimiter '-' cannot be used"),
        ([*MINIMAL, "--encoding", "klingon"], "the encoding 'klingon' is not known"),
        ([*MINIMAL, "--max-bad-share", "2"], "not between 0 and 1"),
        ([*MINIMAL, "--max-bad-share", "nan"], "not between 0 and 1"),
        ([*MINIMAL, "--stratify", "0"], "'0' is not a positive number"),
        ([*MINIMAL, "--stratify", "4", "--groups", "g"], "cannot be combined"),
        ([*MINIMAL, "--stratify", "4", "--shuffle", "false"], "stratify needs shuffled folds"),
        ([*MINIMAL, "--data-version", "2026-11-26 (new)"], "'2026-11-26 \\(new\\)' cannot be recorded with a model"),
        ([*MINIMAL, "--data-version", ""], "--data-version: '' cannot be recorded"),
        ([*MINIMAL, "--data-version", "$.time"], "DataVersion takes 1 to 256 letters"),
        (MINIMAL[:-2], "no feature is declared"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(arguments, message):
    with pytest.raises(FoldError, match=message):
        read_options(arguments)


@pytest.mark.parametrize("version", ["1", "2026-11-26T03:00:00Z", "März 2026/v=2+x@y_z.1:2", "x" * 256])
def test_a_data_version_that_the_registry_takes_is_taken(version):
    assert read_options([*MINIMAL, "--data-version", version]).data_version == version


@pytest.mark.parametrize(
    "uri", ["/opt/ml/processing/output", "data/rows.csv", "hdfs:///folds", "file://rows.csv", "s3://"]
)
def test_a_uri_that_would_be_lost_in_the_container_is_refused(uri):
    with pytest.raises(FoldError, match=r"is no s3:// or file:/// URI|names no bucket"):
        place(uri)


def job_config(tmp_path, content):
    file = tmp_path / "processingjobconfig.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return ["--job-config", str(file), *MINIMAL[:2], *MINIMAL[4:]]


OUTPUTS = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "folds", "S3Output": {"S3Uri": "s3://bucket/run-1"}}]}}


def test_the_output_is_read_from_the_jobs_own_configuration(tmp_path):
    assert read_options([*job_config(tmp_path, OUTPUTS), "--output-name", "folds"]).output == "s3://bucket/run-1"


def test_the_key_of_the_jobs_output_encrypts_the_folds(tmp_path):
    encrypted = {"ProcessingOutputConfig": {**OUTPUTS["ProcessingOutputConfig"], "KmsKeyId": "arn:aws:kms:x:1:key/k"}}
    assert read_options(job_config(tmp_path, encrypted)).kms_key == "arn:aws:kms:x:1:key/k"
    assert read_options(job_config(tmp_path, OUTPUTS)).kms_key is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no configuration of a processing job"),
        ({}, "is no configuration of a processing job"),
        (OUTPUTS, "'other' is no output of the job; it has folds"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "other"}]}}, "has no S3Output.S3Uri"),
    ],
)
def test_a_job_configuration_without_the_output_is_refused(tmp_path, content, message):
    with pytest.raises(FoldError, match=message):
        read_options([*job_config(tmp_path, content), "--output-name", "other"])


def test_an_error_of_spark_is_told_by_its_cause():
    trace = (
        "An error occurred while calling o79.text.\n: org.apache.spark.SparkException: Job aborted.\n"
        "\tat org.apache.spark.sql.errors.QueryExecutionErrors$.jobAbortedError(QueryExecutionErrors.scala:638)\n"
        "Caused by: java.io.IOException: No space left on device\n\tat java.base/java.io.FileOutputStream.writeBytes\n"
    )
    assert explain(Exception(trace)) == "java.io.IOException: No space left on device"
    assert explain(Exception("plain\nsecond line")) == "plain"
    assert explain(ValueError()) == "ValueError"
