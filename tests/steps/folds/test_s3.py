"""The folds in S3, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, Never

import boto3
import pytest
from folds import storage as fold_storage
from folds.errors import FoldError
from folds.options import read_options
from folds.output import clear
from folds.spans import Span, blocks
from folds.storage import find_input, place
from make_folds import make_folds
from moto import mock_aws

from local.app.server import LocalService
from local.core.settings import Settings
from tests.steps.folds.conftest import in_this_process, options

ROWS = [f"{number},{number}.5,2" for number in range(23)]


class Bucket:
    def __init__(self, client) -> None:
        self.client = client

    def put(self, key: str, text: str) -> None:
        self.client.put_object(Bucket="data", Key=key, Body=text.encode())

    def text(self, key: str) -> str:
        return self.client.get_object(Bucket="data", Key=key)["Body"].read().decode()

    def keys(self, prefix: str) -> set[str]:
        listed = self.client.list_objects_v2(Bucket="data", Prefix=prefix)
        return {item["Key"].removeprefix(prefix) for item in listed.get("Contents", [])}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    with (
        LocalService(Settings(tmp_path_factory.mktemp("service") / ".local", port=0)) as service,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in service.settings.client_environment().items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        yield Bucket(client)


@pytest.fixture
def fold_s3(tmp_path) -> Callable[..., dict]:
    def make(source: str, target: str, **given: Any) -> dict[str, Any]:
        return make_folds(
            read_options(["--input", source, "--output", target, *options(tmp_path, **given)]), in_this_process
        )

    return make


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_folds_are_made_from_a_prefix_and_hold_only_parts_and_the_report(bucket, fold_s3, scheme) -> None:
    bucket.put("in/2020-a.csv", "\n".join(ROWS[:9]))
    bucket.put("in/2020-b/c.csv", "\n".join(ROWS[9:]))
    bucket.put("in/2021.csv", "not of this prefix")
    bucket.put("in/_SUCCESS", "")
    bucket.put("out/vc9/test/part-fold9-00000.csv", "of an earlier run")
    bucket.put("out/notes.txt", "mine")
    fold_s3(f"{scheme}://data/in/2020", f"{scheme}://data/out/", count=2)
    keys = bucket.keys("out/")
    tests = {key for key in keys if "/test/" in key}
    trains = {key for key in keys if "/train/" in key}
    assert keys == {"folds.json", "notes.txt", *tests, *trains}
    assert json.loads(bucket.text("out/folds.json"))["rows"] == 23
    assert sorted(row for key in tests for row in bucket.text(f"out/{key}").splitlines()) == sorted(ROWS)
    assert {key.replace("vc1/test", "vc2/train") for key in tests if "vc1" in key} <= trains
    for key in tests:
        other = key.replace("vc1/test", "vc2/train") if "vc1" in key else key.replace("vc2/test", "vc1/train")
        assert bucket.text(f"out/{other}") == bucket.text(f"out/{key}")


def test_a_folder_is_meant_before_what_only_begins_as_it_does(bucket, fold_s3) -> None:
    bucket.put("tables/insurance/rows.csv", "\n".join(ROWS))
    bucket.put("tables/insurance-folds/vc1/test/rows.csv", "\n".join(ROWS))
    assert fold_s3("s3://data/tables/insurance", "s3://data/of-folder")["rows"] == 23


def test_a_manifest_names_objects_that_hold_the_training_rows(bucket, fold_s3) -> None:
    bucket.put("one/rows.csv", "\n".join(ROWS))
    fold_s3("s3://data/one/rows.csv", "s3a://data/manifests", count=3, layout="manifest")
    prefix, *names = json.loads(bucket.text("manifests/vc1/train.manifest"))
    assert prefix == {"prefix": "s3://data/manifests/"}
    rows = [row for name in names for row in bucket.text(f"manifests/{name}").splitlines()]
    own = [
        row for key in bucket.keys("manifests/vc1/test/") for row in bucket.text(f"manifests/vc1/test/{key}").split()
    ]
    assert sorted(rows + own) == sorted(ROWS)


@pytest.mark.parametrize("layout", ["folders", "manifest"])
def test_all_rows_are_one_training_set_that_the_next_run_removes(bucket, fold_s3, layout) -> None:
    bucket.put("whole/rows.csv", "\n".join(ROWS))
    target = f"refit-{layout}/"
    fold_s3("s3://data/whole/", f"s3a://data/{target}", count=3, layout=layout, all_rows=True)
    if layout == "manifest":
        prefix, *names = json.loads(bucket.text(f"{target}all.manifest"))
        assert prefix == {"prefix": f"s3://data/{target}"}
        assert bucket.keys(f"{target}all/") == set()
    else:
        names = [f"all/{name}" for name in bucket.keys(f"{target}all/")]
        assert "all.manifest" not in bucket.keys(target)
    assert sorted(row for name in names for row in bucket.text(f"{target}{name}").splitlines()) == sorted(ROWS)
    fold_s3("s3://data/whole/", f"s3a://data/{target}", count=3, layout=layout)
    assert not [name for name in bucket.keys(target) if name.startswith("all")]


def test_objects_larger_than_one_copy_takes_are_copied_in_parts(bucket, fold_s3, monkeypatch) -> None:
    monkeypatch.setattr(fold_storage, "LARGEST_COPY", 10)
    bucket.put("big/rows.csv", "\n".join(ROWS))
    fold_s3("s3://data/big/", "s3://data/copied")
    keys = {key for key in bucket.keys("copied/") if "/test/" in key}
    assert sorted(row for key in keys for row in bucket.text(f"copied/{key}").splitlines()) == sorted(ROWS)


def test_a_failed_copy_leaves_nothing_and_says_why(bucket, fold_s3, monkeypatch) -> None:
    def fail(*_) -> Never:
        raise FoldError("access denied")

    monkeypatch.setattr(fold_storage.S3Prefix, "copy", fail)
    bucket.put("fine/rows.csv", "\n".join(ROWS))
    with pytest.raises(FoldError, match="access denied"):
        fold_s3("s3://data/fine/", "s3://data/broken")
    assert bucket.keys("broken/") == set()


def test_an_object_is_there_as_a_whole_or_not_at_all(bucket) -> None:
    prefix = place("s3://data/written")
    with prefix.writing("rows.csv") as file:
        file.write(b"1,2\n")
        assert bucket.keys("written/") == set()
    assert bucket.text("written/rows.csv") == "1,2\n"
    with pytest.raises(TypeError), prefix.writing("rows.csv") as file:
        file.write("no bytes")  # type: ignore[call-overload]
    assert bucket.text("written/rows.csv") == "1,2\n"


@pytest.fixture
def simulated(monkeypatch):
    """S3 as moto simulates it, which remembers keys of encryption."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="data")
        yield client


@pytest.mark.parametrize("largest", [10, 2**30], ids=["copied in parts", "copied at once"])
def test_all_that_is_written_has_the_configured_key(simulated, fold_s3, monkeypatch, largest) -> None:
    monkeypatch.setattr(fold_storage, "LARGEST_COPY", largest)
    key = "arn:aws:kms:us-east-1:123456789012:key/0000"
    simulated.put_object(Bucket="data", Key="in/rows.csv", Body=("\n".join([*ROWS, "bad"])).encode())
    fold_s3(
        "s3://data/in", "s3://data/out", kms_key_arn=key, on_bad_rows="quarantine", max_bad_share=0.1, all_rows=True
    )
    written = [item["Key"] for item in simulated.list_objects_v2(Bucket="data", Prefix="out/")["Contents"]]
    assert {name.split("/")[1][:3] for name in written} == {"vc1", "vc2", "vc3", "vc4", "vc5", "all", "fol", "rej"}
    for name in written:
        head = simulated.head_object(Bucket="data", Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_span_of_an_object_is_asked_for_by_its_bytes(simulated, monkeypatch) -> None:
    monkeypatch.setattr(fold_storage, "LINE_BEYOND", 3)
    monkeypatch.setattr(fold_storage, "READ_AT_ONCE", 50)
    text = "".join(f"{number:030}\n" for number in range(100)).encode()
    simulated.put_object(Bucket="data", Key="rows.csv", Body=text)
    monkeypatch.setattr(fold_storage, "reading_client", lambda _: Recording(simulated))
    spans = [Span("s3://data/rows.csv", start, min(start + 700, 3100)) for start in range(0, 3100, 700)]
    assert b"".join(block for span in spans for block in blocks(span, 90)) == text
    assert all(end - start < 800 for start, end in Recording.ranges)


class Recording:
    """A client of S3 that remembers which bytes it was asked for."""

    ranges: ClassVar[list[tuple[int, int]]] = []

    def __init__(self, client) -> None:
        self.client, self.exceptions = client, client.exceptions

    def get_object(self, **request):
        start, end = map(int, request["Range"].removeprefix("bytes=").split("-"))
        self.ranges.append((start, end))
        return self.client.get_object(**request)


def test_markers_of_folders_are_no_input_and_do_not_stay(simulated) -> None:
    for key in ("in/", "in/2020/", "in/2020/rows.csv", "out/", "out/notes", "out/_staging/", "out/_staging/fold=1/"):
        simulated.put_object(Bucket="data", Key=key, Body=b"1" if key[-1] != "/" else b"")
    assert find_input("s3://data/in/") == {"s3://data/in/2020/rows.csv": 1}
    clear(place("s3://data/out"))
    left = [item["Key"] for item in simulated.list_objects_v2(Bucket="data", Prefix="out/")["Contents"]]
    assert left == ["out/", "out/notes"]


def test_whatever_is_written_is_encrypted_with_the_outputs_key(monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"

    def encryption(client, name):
        found = client.head_object(Bucket="keyed", Key=f"out/{name}")
        return found.get("ServerSideEncryption"), found.get("SSEKMSKeyId")

    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="keyed")
        prefix = place("s3://keyed/out", key)
        with prefix.writing("small") as file:
            file.write(b"1,2\n")
        with prefix.writing("large") as file:
            file.write(b"x" * 9 * 1024**2)
        prefix.copy({"small": ["copy"]})
        monkeypatch.setattr(fold_storage, "LARGEST_COPY", 1)
        prefix.copy({"large": ["copy-in-parts"]})
        for name in ("small", "large", "copy", "copy-in-parts"):
            assert encryption(client, name) == ("aws:kms", key), name
        with place("s3://keyed/out").writing("other") as file:
            file.write(b"1")
        assert encryption(client, "other")[1] is None


def test_an_input_that_is_not_there_is_named(bucket, fold_s3) -> None:
    with pytest.raises(FoldError, match="the input s3://data/absent is not there, or holds no files"):
        fold_s3("s3://data/absent", "s3://data/out-of-nothing")


def test_input_and_output_that_differ_in_their_scheme_only_overlap(bucket, fold_s3) -> None:
    bucket.put("same/rows.csv", "\n".join(ROWS))
    with pytest.raises(FoldError, match="overlap"):
        fold_s3("s3://data/same/", "s3a://data/same/folds")
