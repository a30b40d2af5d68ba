"""Processing jobs in the place of SageMaker's Spark container."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.runtime.jobs.conftest import BUCKET, SPARK, Jobs, processing_input, processing_output

OUT = "/opt/ml/processing/output"
APPLICATION = """
import sys
from pyspark.sql import SparkSession
import doubling

source, target, folder = sys.argv[1:4]
session = SparkSession.builder.getOrCreate()
rows = session.read.option("header", "true").option("inferSchema", "true").csv(source)
doubled = rows.withColumn("b", rows["b"] * doubling.FACTOR).coalesce(1)
doubled.write.mode("overwrite").csv(target)
doubled.write.mode("overwrite").csv(target.replace("s3://", "s3a://") + "-by-s3a")
doubled.write.csv("file://" + folder + "/mounted")
doubled.rdd.map(lambda row: row["a"]).saveAsTextFile(target + "-rdd")
print("rdd", sorted(session.sparkContext.textFile(target + "-rdd").collect()))
print("partitions", session.conf.get("spark.sql.shuffle.partitions"))
doubled.write.csv("/opt/somewhere")
"""


@pytest.fixture(scope="module")
def spark_job(jobs: Jobs) -> dict[str, Any]:
    """One real run that does what works and then what does not; Spark's start takes seconds."""
    jobs.put("spark/in/rows.csv", "a,b\nx,1\ny,2\n")
    jobs.put("spark/py-files/doubling.py", "FACTOR = 2\n")
    configuration = [{"Classification": "spark-defaults", "Properties": {"spark.sql.shuffle.partitions": "3"}}]
    name = jobs.start_script(
        APPLICATION,
        AppSpecification={
            "ImageUri": SPARK,
            "ContainerEntrypoint": [
                "smspark-submit",
                "--py-files",
                "/opt/ml/processing/input/py-files",
                "--local-spark-event-logs-dir",
                "/opt/ml/processing/spark-events/",
                "/opt/ml/processing/input/code/script.py",
            ],
            "ContainerArguments": [f"s3://{BUCKET}/spark/in/", f"s3://{BUCKET}/spark/out", OUT],
        },
        inputs=[
            processing_input("py-files", f"s3://{BUCKET}/spark/py-files/", "/opt/ml/processing/input/py-files"),
            processing_input(
                "conf",
                jobs.put("spark/configuration.json", json.dumps(configuration)),
                "/opt/ml/processing/input/conf",
            ),
        ],
        outputs=[
            processing_output("out", f"s3://{BUCKET}/spark/uploaded", OUT),
            processing_output("events", f"s3://{BUCKET}/spark/events", "/opt/ml/processing/spark-events/"),
        ],
    )
    return jobs.wait("processing-job", name, seconds=120)


def test_s3_uris_are_the_buckets_and_hold_the_rows_and_the_mark_of_success(
    jobs: Jobs, spark_job: dict[str, Any]
) -> None:
    for prefix in ("spark/out/", "spark/out-by-s3a/"):
        mark, key = jobs.keys(f"s3://{BUCKET}/{prefix}")
        assert (mark, jobs.read(f"s3://{BUCKET}/{mark}")) == (f"{prefix}_SUCCESS", "")
        assert jobs.read(f"s3://{BUCKET}/{key}") == "x,2\ny,4\n"


def test_a_mounted_folder_is_uploaded(jobs: Jobs, spark_job: dict[str, Any]) -> None:
    keys = jobs.keys(f"s3://{BUCKET}/spark/uploaded/mounted/part-")
    assert [jobs.read(f"s3://{BUCKET}/{key}") for key in keys] == ["x,2\ny,4\n"]


def test_spark_events_are_uploaded(jobs: Jobs, spark_job: dict[str, Any]) -> None:
    (key,) = jobs.keys(f"s3://{BUCKET}/spark/events/")
    assert "SparkListenerApplicationStart" in jobs.read(f"s3://{BUCKET}/{key}")


def test_rdds_read_and_write_s3_uris(jobs: Jobs, spark_job: dict[str, Any]) -> None:
    assert "rdd ['x', 'y']" in jobs.script_log(spark_job["ProcessingJobName"])


def test_the_users_spark_configuration_applies(jobs: Jobs, spark_job: dict[str, Any]) -> None:
    assert "partitions 3" in jobs.script_log(spark_job["ProcessingJobName"])


def test_a_path_without_a_scheme_fails_as_it_would_be_lost_in_the_cloud(jobs: Jobs, spark_job: dict[str, Any]) -> None:
    assert spark_job["ProcessingJobStatus"] == "Failed"
    assert spark_job["FailureReason"].startswith("AlgorithmError: a path has no scheme")
    line = APPLICATION[: APPLICATION.index('doubled.write.csv("/opt/somewhere')].count("\n") + 1
    assert f'(script.py, line {line}: doubled.write.csv("/opt/somewhere"))' in spark_job["FailureReason"]
    assert spark_job["FailureReason"].endswith(", exit code: 1")
    assert spark_job["ExitMessage"].startswith("Algorithm Error: (caused by CalledProcessError)")


def test_the_exit_message_is_the_command_line_as_smspark_writes_it(spark_job: dict[str, Any]) -> None:
    message = spark_job["ExitMessage"]
    assert (
        ": spark failed with a non-zero exit code: Command 'spark-submit --master yarn --deploy-mode client" in message
    )
    assert len(message) <= 1024
    assert "a path has no scheme" not in message


@pytest.mark.parametrize(
    ("command_line", "reason"),
    [
        (["--conf", "spark.x=1", "app.py"], "smspark-submit: "),
        (["--py-files", "/opt/ml/processing/nowhere", "app.py"], "--py-files: there is no file"),
        ([], "the following arguments are required"),
    ],
)
def test_a_faulty_command_line_fails_the_job_with_the_reason(jobs: Jobs, command_line: list[str], reason: str) -> None:
    description = jobs.run_script(
        "", AppSpecification={"ImageUri": SPARK, "ContainerEntrypoint": ["smspark-submit", *command_line]}
    )
    assert description["ProcessingJobStatus"] == "Failed"
    assert reason in description["FailureReason"]


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [('{"Classification": "no-such"}', "unknown classification"), ("[1]", "not a list of classifications")],
)
def test_a_faulty_configuration_fails_the_job_with_the_reason(jobs: Jobs, configuration: str, reason: str) -> None:
    uri = jobs.put("faulty/configuration.json", configuration)
    description = jobs.run_script(
        "",
        AppSpecification={
            "ImageUri": SPARK,
            "ContainerEntrypoint": ["smspark-submit", "/opt/ml/processing/input/code/script.py"],
        },
        inputs=[processing_input("conf", uri, "/opt/ml/processing/input/conf")],
    )
    assert description["ProcessingJobStatus"] == "Failed"
    assert reason in description["FailureReason"]
