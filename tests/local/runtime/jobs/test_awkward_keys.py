"""Jobs read objects whose keys cannot be paths as on SageMaker, or fail and name the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.runtime.errors import JobFailedError
from local.runtime.jobs import inputs, spark
from local.storage.objects import Objects
from tests.local.runtime.jobs.conftest import BUCKET, SPARK, Jobs, processing_input

DATA = "/opt/ml/processing/input/data"
LIST = f"from pathlib import Path; print(sorted(str(p) for p in Path('{DATA}').rglob('*')))"


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    (tmp_path / "s3" / BUCKET).mkdir(parents=True)
    return Objects(tmp_path / "s3")


def put(objects: Objects, *keys: str, content: bytes = b"x") -> None:
    for key in keys:
        objects.write(f"s3://{BUCKET}/{key}", content)


def downloaded(objects: Objects, uri: str, folder: Path) -> list[str]:
    files = inputs.find(objects, "S3Prefix", uri)
    inputs.download(objects, files, folder, link=True)
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_folder_markers_are_no_files_of_an_input(objects, tmp_path) -> None:
    put(objects, "data/", "data/sub/", "other/", content=b"")
    put(objects, "data/a", "data/sub/b", "data/.hidden")
    assert downloaded(objects, f"s3://{BUCKET}/data/", tmp_path / "in") == [".hidden", "a", "sub/b"]
    assert downloaded(objects, f"s3://{BUCKET}/other", tmp_path / "empty") == []


@pytest.mark.parametrize("key", ["data/folder/", "data//x", "data/a/./x", "data/a/../x", "data/" + "n" * 256])
def test_a_key_that_cannot_be_a_file_fails_the_download_by_name(objects, tmp_path, key) -> None:
    put(objects, "data/a", key)
    with pytest.raises(inputs.InputError, match="cannot be a file in the container") as error:
        inputs.find(objects, "S3Prefix", f"s3://{BUCKET}/data/")
    assert f"s3://{BUCKET}/{key}" in str(error.value)


@pytest.mark.parametrize("keys", [("data/a", "data/a/b"), ("data/a", "data/a-b", "data/a/b/c")])
def test_an_object_beside_a_folder_of_its_name_fails_the_download_by_name(objects, tmp_path, keys) -> None:
    put(objects, *keys)
    with pytest.raises(inputs.InputError, match=f"Data download failed:s3://{BUCKET}/{keys[-1]} "):
        downloaded(objects, f"s3://{BUCKET}/data/", tmp_path / "in")


def test_one_object_with_an_awkward_key_is_an_input(objects, tmp_path) -> None:
    put(objects, "a//b", "c", "c/d")
    assert downloaded(objects, f"s3://{BUCKET}/a//b", tmp_path / "one") == ["b"]
    assert downloaded(objects, f"s3://{BUCKET}/a//", tmp_path / "all") == ["b"]
    assert downloaded(objects, f"s3://{BUCKET}/c/", tmp_path / "folder") == ["d"]


def test_a_job_fails_with_the_key_that_it_cannot_have(jobs: Jobs) -> None:
    for key in ("awkward/a", "awkward//b"):
        jobs.put(key, "x")
    found = jobs.run_script(LIST, inputs=[processing_input("data", f"s3://{BUCKET}/awkward/", DATA)])
    assert found["ProcessingJobStatus"] == "Failed"
    assert f"ClientError: Data download failed:s3://{BUCKET}/awkward//b" in found["FailureReason"]


NAMED = [
    ("data/", ["data/a", "data//b"], "data//b"),
    ("data", ["data", "data/b"], "data"),
    ("data/*.csv", ["data/a.csv", "data/b.csv", "data/b.csv/c"], "data/b.csv"),
    ("", ["x/./y"], "x/./y"),
    ("data//b", ["data//b"], "data//b"),
]


@pytest.mark.parametrize(("argument", "keys", "named"), NAMED)
def test_spark_refuses_objects_that_it_would_miss(objects, argument, keys, named) -> None:
    put(objects, *keys)
    with pytest.raises(JobFailedError) as error:
        spark.check_input(objects, ["--rows", "5", f"--input=s3://{BUCKET}/{argument}"])
    assert f"'s3://{BUCKET}/{named}'" in str(error.value)


def test_spark_reads_what_it_finds(objects) -> None:
    put(objects, "data/", "data/sub/", content=b"")
    put(objects, "data/a", "data-2//b", "data/sub/c")
    spark.check_input(objects, [f"s3://{BUCKET}/data/", f"s3://{BUCKET}/data", f"s3://{BUCKET}/none", "s3://"])


def test_a_spark_job_fails_before_it_misses_an_object(jobs: Jobs) -> None:
    jobs.put("spark-awkward//b", "x")
    job: dict[str, Any] = jobs.run_script(
        "",
        AppSpecification={
            "ImageUri": SPARK,
            "ContainerEntrypoint": ["smspark-submit", "/opt/ml/processing/input/code/script.py"],
            "ContainerArguments": [f"s3://{BUCKET}/spark-awkward/"],
        },
    )
    assert job["ProcessingJobStatus"] == "Failed"
    assert f"cannot read the object 's3://{BUCKET}/spark-awkward//b'" in job["FailureReason"]
