"""Every key that S3 takes is an object: it is listed, read, deleted, and there after a restart."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck
from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from local.app.server import LocalService
from local.core.settings import Settings
from local.storage.objects import Objects
from tests.local.api.s3.raw_s3 import send
from tests.local.conftest import RunningService

AWKWARD = [
    *(
        "dir/",
        "dir/x",
        "dir",
        "a",
        "a/b",
        "a/b/c",
        "a//b",
        "a//",
        "/",
        "//",
        "/lead",
        ".",
        "./x",
        "x/..",
        "a/../b",
        "a/./b",
    ),
    *(".hidden", ".nanio", ".nanio-meta/a.json", ".nanio-keys/a.object", "a.json", "a.json/b", "a.json.json"),
    *("s" * 255, "s" * 256, "é" * 512, "n" * 250 + "/x", "x" * 240, "x" * 240 + "/", "x" * 241 + "/"),
    *("line\nfeed", "return\r", "tab\t/", "\x01", "\x7f", "back\\slash", "per%2Fcent", "plus+", "a b", " ", "?#&=;"),
    *("\U0001f600/", "\uffff", "\U0010ffff", "<&>\"'", "~", "-", "a-b", "a0"),
]


@pytest.fixture(scope="module")
def s3(service: RunningService) -> Any:
    return service.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"keys-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


_numbers = itertools.count()


def keys(s3: Any, bucket: str, **how: Any) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **how)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def read(s3: Any, bucket: str, key: str) -> bytes:
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


@pytest.mark.parametrize("order", [1, pytest.param(-1, marks=pytest.mark.slow)])
def test_awkward_keys_live_side_by_side(service, s3, bucket, order) -> None:
    for key in AWKWARD[::order]:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), Metadata={"size": str(len(key))})
    assert keys(s3, bucket) == sorted(AWKWARD, key=str.encode)
    assert keys(s3, bucket, PaginationConfig={"PageSize": 9}) == sorted(AWKWARD)
    for key in AWKWARD:
        found = s3.get_object(Bucket=bucket, Key=key)
        assert (found["Body"].read(), found["Metadata"]) == (key.encode(), {"size": str(len(key))})
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)
    for key in AWKWARD[::-order]:
        s3.delete_object(Bucket=bucket, Key=key)
    assert keys(s3, bucket) == []
    s3.delete_bucket(Bucket=bucket)
    assert not (service.settings.buckets / bucket).exists()


def test_each_operation_takes_an_awkward_key(s3, bucket) -> None:
    for key in ("a/", "a//b", "x/../y", "é" * 300):
        upload = {"Bucket": bucket, "Key": key}
        upload["UploadId"] = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        [listed] = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
        part = {"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]}
        assert (listed["Key"], s3.list_parts(**upload)["Key"]) == (key, key)
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
        s3.copy_object(Bucket=bucket, Key=f"{key}/copy/", CopySource={"Bucket": bucket, "Key": key})
        assert s3.head_object(Bucket=bucket, Key=f"{key}/copy/")["ContentLength"] == 4
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"", IfNoneMatch="*")
        deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": f"{key}/copy/"}]})
        assert [each["Key"] for each in deleted["Deleted"]] == [key, f"{key}/copy/"]


@pytest.mark.parametrize("key", ["../x", "a/../../x", "..", "a/./../../x", "//../x"])
def test_a_key_that_leads_out_is_refused_as_by_s3(service, s3, bucket, key) -> None:
    for call in (s3.get_object, s3.put_object, s3.delete_object, s3.create_multipart_upload):
        with pytest.raises(ClientError, match="InvalidURI"):
            call(Bucket=bucket, Key=key)
    assert keys(s3, bucket, Prefix=key) == []


def test_a_key_has_1024_bytes(s3, bucket) -> None:
    longest = ("k" * 1024, "d/" * 511 + "e", "/" * 1024, "é" * 512)
    for key in longest:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert keys(s3, bucket) == sorted(longest)
    assert [read(s3, bucket, key).decode() for key in longest] == list(longest)
    for key in ("k" * 1025, "é" * 512 + "x"):
        with pytest.raises(ClientError, match="KeyTooLongError"):
            s3.put_object(Bucket=bucket, Key=key)


def test_ordinary_keys_are_plain_files_whatever_is_beside_them(service, s3, bucket) -> None:
    folder = service.settings.buckets / bucket
    s3.put_object(Bucket=bucket, Key="a", Body=b"first")
    assert (folder / "a").read_bytes() == b"first"
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"second")
    assert ((folder / "a" / "b").read_bytes(), read(s3, bucket, "a")) == (b"second", b"first")
    s3.put_object(Bucket=bucket, Key="a", Body=b"third")
    s3.delete_object(Bucket=bucket, Key="a/b")
    assert ((folder / "a").read_bytes(), keys(s3, bucket)) == (b"third", ["a"])
    assert s3.head_object(Bucket=bucket, Key="a")["ETag"].count("-") == 0


def test_an_empty_folder_is_in_no_keys_way(service, s3, bucket) -> None:
    path = service.settings.buckets / bucket / "left"
    path.mkdir()
    s3.put_object(Bucket=bucket, Key="left", Body=b"plain")
    assert path.read_bytes() == b"plain"


def test_files_that_somebody_puts_into_a_bucket_are_objects(service, s3, bucket) -> None:
    folder = service.settings.buckets / bucket
    (folder / "made" / "by").mkdir(parents=True)
    for name in ("made/by/hand", "made/line\nfeed", ".hidden", "back\\slash"):
        (folder / name).write_bytes(name.encode())
    found = keys(s3, bucket)
    assert found == [".hidden", "back\\slash", "made/by/hand", "made/line\nfeed"]
    assert [read(s3, bucket, key).decode() for key in found] == found
    s3.put_object(Bucket=bucket, Key="made/by/hand/over", Body=b"")
    assert read(s3, bucket, "made/by/hand") == b"made/by/hand"


@pytest.mark.parametrize("place", ["a", "a/b", ".nanio-keys/a%2F.object", b"\xff", ".nanio-foreign/x"])
def test_a_bucket_with_any_file_is_not_deleted(service, s3, bucket, place) -> None:
    path = service.settings.buckets / bucket / os.fsdecode(place)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"kept")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)
    assert path.read_bytes() == b"kept"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"size": 4}', b"\xff\x00", b'{"previous": 1}'])
def test_objects_with_damaged_sidecars_are_there(service, s3, bucket, damage) -> None:
    names = ("plain", "folder/", "a.json/b")
    for key in names:
        s3.put_object(Bucket=bucket, Key=key, Body=b"here")
    sidecars = [path for path in (service.settings.buckets / bucket).glob(".nanio-*/**/*.json") if path.is_file()]
    assert len(sidecars) == len(names)
    for path in sidecars:
        path.write_bytes(damage)
    assert keys(s3, bucket) == sorted(names)
    for key in names:
        assert read(s3, bucket, key) == b"here"
        s3.put_object(Bucket=bucket, Key=key, Body=b"new")
        assert s3.head_object(Bucket=bucket, Key=key)["ETag"] == '"22af645d1859cb5ca6da0c484f1f37ea"'


def test_a_listing_writes_control_characters_as_s3_does(service, s3, bucket) -> None:
    s3.put_object(Bucket=bucket, Key="a\x01\r\nb")
    body = send(service, "GET", f"/{bucket}?list-type=2").body
    assert b"<Key>a&#1;&#13;\nb</Key>" in body


class _Killed(BaseException):
    """Ends the work like a kill: nothing cleans up."""


CHANGES = [
    (["a"], ("put", "a/b/c")),
    (["a/b"], ("put", "a")),
    (["a/b", "a"], ("delete", "a/b")),
    (["a/b", "a"], ("delete", "a")),
    (["a", "a/b"], ("put", "a/b/c")),
    (["a/", "a//"], ("put", "a")),
    (["a"], ("delete", "a")),
]


def _change(objects: Objects, action: tuple[str, str], source: Path) -> None:
    kind, key = action
    if kind == "put":
        source.write_bytes(b"new")
        objects.put(f"s3://bucket/{key}", source)
    else:
        objects.delete(f"s3://bucket/{key}")


@pytest.mark.parametrize(("before", "action"), CHANGES)
def test_a_kill_at_any_step_of_a_change_loses_no_object(tmp_path, monkeypatch, before, action) -> None:
    for step in itertools.count():
        root = tmp_path / str(step)
        (root / "bucket").mkdir(parents=True)
        objects = Objects(root)
        for key in before:
            objects.write(f"s3://bucket/{key}", key.encode())
        left = itertools.count(step, -1)

        def stepping(original: Any, left: Any = left) -> Any:
            def call(*arguments: Any, **how: Any) -> Any:
                if next(left) <= 0:
                    raise _Killed
                return original(*arguments, **how)

            return call

        ended = False
        with monkeypatch.context() as patch:
            for name in ("replace", "unlink", "rmdir", "mkdir"):
                patch.setattr(Path, name, stepping(getattr(Path, name)))
            try:
                _change(objects, action, root / "source")
                ended = True
            except _Killed:
                pass
        again = Objects(root)
        expected = {key: key.encode() for key in before if key != action[1]}
        found = {key: again.read(f"s3://bucket/{key}") for key in again.keys("s3://bucket/")}
        changed = found.pop(action[1], None)
        assert found == expected
        old = action[1].encode() if action[1] in before else None
        new = b"new" if action[0] == "put" else None
        assert changed == new if ended else changed in (old, new)
        _change(again, ("delete", action[1]), root / "source")
        assert again.keys("s3://bucket/") == sorted(expected)
        if ended:
            return


def test_readers_always_find_an_object_that_moves(tmp_path) -> None:
    (tmp_path / "bucket").mkdir()
    objects, ended, faults = Objects(tmp_path), threading.Event(), []

    def reads() -> None:
        while not ended.is_set():
            try:
                assert objects.read("s3://bucket/a") == b"there"
            except BaseException as error:
                faults.append(error)
                raise

    objects.write("s3://bucket/a", b"there")
    readers = [threading.Thread(target=reads) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(25):
        objects.write("s3://bucket/a/b", b"")
        objects.delete("s3://bucket/a/b")
    ended.set()
    for reader in readers:
        reader.join()
    assert faults == []


SEGMENTS = st.sampled_from(["", ".", "..", "a", "b", "a.json", ".nanio-keys", "x" * 256, "é", "a\n"])
KEYS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


def is_taken(key: str) -> bool:
    """Whether S3 takes a key, by its documentation."""
    depths = itertools.accumulate({"..": -1, "": 0, ".": 0}.get(segment, 1) for segment in key.split("/"))
    return key != "" and min(depths) >= 0


class Bucket(RuleBasedStateMachine):
    """A bucket, and a dict that it is compared with."""

    service: RunningService

    def __init__(self) -> None:
        super().__init__()
        self.s3 = self.service.client("s3")
        self.bucket = f"model-{next(_numbers)}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.model: dict[str, bytes] = {}

    @rule(key=KEYS.filter(is_taken), body=st.binary(max_size=3))
    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        self.model[key] = body

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model)) if self.model else KEYS.filter(is_taken))
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.model.pop(key, None)

    @rule(key=KEYS.filter(lambda key: key != "" and not is_taken(key)))
    def refuse(self, key: str) -> None:
        with pytest.raises(ClientError, match="InvalidURI"):
            self.s3.put_object(Bucket=self.bucket, Key=key)

    @rule(prefix=KEYS, delimiter=st.sampled_from(["", "/", "a", "./"]), size=st.integers(1, 4))
    def browse(self, prefix: str, delimiter: str, size: int) -> None:
        how = {"Bucket": self.bucket, "Prefix": prefix, "Delimiter": delimiter}
        for name in ("list_objects", "list_objects_v2", "list_object_versions"):
            pages = self.s3.get_paginator(name).paginate(**how, PaginationConfig={"PageSize": size})
            found: list[str] = []
            rolled: list[str] = []
            for page in pages:
                found += [each["Key"] for each in page.get("Contents", page.get("Versions", []))]
                rolled += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
            wanted = [key for key in sorted(self.model) if key.startswith(prefix)]
            cuts = [key.find(delimiter, len(prefix)) if delimiter else -1 for key in wanted]
            assert found == [key for key, cut in zip(wanted, cuts, strict=True) if cut < 0]
            ends = (key[: cut + len(delimiter)] for key, cut in zip(wanted, cuts, strict=True) if cut >= 0)
            assert rolled == sorted(set(ends))

    @rule(key=KEYS)
    def list_after(self, key: str) -> None:
        assert keys(self.s3, self.bucket, StartAfter=key) == [each for each in sorted(self.model) if each > key]

    @invariant()
    def holds_what_was_put(self) -> None:
        assert keys(self.s3, self.bucket) == sorted(self.model)

    def teardown(self) -> None:
        again = Objects(self.service.settings.buckets)
        assert {key: again.read(f"s3://{self.bucket}/{key}") for key in self.model} == self.model
        assert again.keys(f"s3://{self.bucket}") == sorted(self.model)


@pytest.mark.parametrize("examples", [2, pytest.param(15, marks=pytest.mark.slow)])
def test_a_bucket_holds_what_was_put(service, examples) -> None:
    machine = type("Bucket", (Bucket,), {"service": service})
    few = limits(
        max_examples=examples,
        stateful_step_count=15,
        deadline=None,
        derandomize=examples < 10,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=few)


def test_objects_are_there_after_a_restart(tmp_path) -> None:
    root, found = tmp_path / ".local", AWKWARD[:24]
    with LocalService(Settings(root, port=0)) as running:
        s3 = RunningService(running).client("s3")
        s3.create_bucket(Bucket="bucket")
        for key in found:
            s3.put_object(Bucket="bucket", Key=key, Body=key.encode(), ContentType="text/awkward")
    with LocalService(Settings(root, port=0)) as running:
        s3 = RunningService(running).client("s3")
        assert keys(s3, "bucket") == sorted(found)
        for key in found:
            answer = s3.get_object(Bucket="bucket", Key=key)
            assert (answer["Body"].read(), answer["ContentType"]) == (key.encode(), "text/awkward")
